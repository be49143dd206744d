//! Opening: what is kept, and what is refused.

use tidebook_book::{MutationNumber, Seq};
use tidebook_event_store::{OpenError, Store, StoreError};

use crate::support::{ALL, Author, Place, dump, whole_log};

async fn closed_with_entries(place: &Place, count: usize) -> Author {
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    store.append(author.stage(&vec!["an entry"; count - 1])).await.unwrap();
    store.close().await;
    author
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let place = Place::new();
    let author = closed_with_entries(&place, 3).await;
    let before = dump(&place.path());
    let store = place.open();
    assert_eq!(whole_log(&store, author.book).await.len(), 3);
    store.close().await;
    assert_eq!(dump(&place.path()), before);
}

#[tokio::test]
async fn a_store_in_use_is_refused_until_it_closes() {
    let place = Place::new();
    let store = place.open();
    let error = place.refusal();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("in use by another server"), "{error}");
    let clone = store.clone();
    let mut author = Author::new(1);
    author.create(&store).await;
    store.close().await;

    assert_eq!(clone.append(author.stage(&["late"])).await, Err(StoreError::Closed));
    assert_eq!(clone.book(author.book).await, Err(StoreError::Closed));
    place.open();
    clone.close().await;
}

#[tokio::test]
async fn dropping_the_last_store_finishes_what_was_accepted() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    // Polled once: the write is on its way, and nobody waits for it.
    let append = author.stage(&["on its way"]);
    let mut write = Box::pin(store.append(append));
    tokio::select! { biased; _ = &mut write => {} () = std::future::ready(()) => {} }
    drop(write);
    drop(store);
    let store = open_once_free(&place);
    assert_eq!(whole_log(&store, author.book).await.len(), 2);
}

/// The writer of a store that was dropped frees it when it has finished, and nobody is told.
fn open_once_free(place: &Place) -> Store {
    loop {
        match Store::open(&place.path()) {
            Err(OpenError::InUse { .. }) => std::thread::yield_now(),
            other => return other.unwrap(),
        }
    }
}

#[tokio::test]
async fn foreign_files_are_refused_and_left_alone() {
    type Prepare = fn(&Place);
    let cases: [(&str, Prepare); 4] = [
        ("no database", |place| std::fs::write(place.path(), "Dear diary, ".repeat(100)).unwrap()),
        ("somebody's tables", |place| place.raw().execute_batch("CREATE TABLE diary (day)").unwrap()),
        ("another application", |place| place.raw().pragma_update(None, "application_id", 77).unwrap()),
        ("somebody's version", |place| place.raw().pragma_update(None, "user_version", 1).unwrap()),
    ];
    for (what, prepare) in cases {
        let place = Place::new();
        prepare(&place);
        let before = std::fs::read(place.path()).unwrap();
        let error = place.refusal();
        assert!(matches!(error, OpenError::Foreign { .. }), "{what}: {error}");
        assert_eq!(std::fs::read(place.path()).unwrap(), before, "{what}");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let place = Place::new();
    closed_with_entries(&place, 1).await;
    place.raw().pragma_update(None, "user_version", 99).unwrap();
    let error = place.refusal();
    assert!(matches!(error, OpenError::NewerSchema { found: 99, known: 3 }), "{error}");
    assert!(error.to_string().contains("newer version of Tidebook"), "{error}");
}

#[test]
fn a_file_that_cannot_be_made_is_an_error() {
    let place = Place::new();
    std::fs::write(place.path(), "").unwrap();
    let error = Store::open(&place.path().join("below-a-file.db")).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
}

#[tokio::test]
async fn damage_is_noticed_and_its_place_named() {
    let cases = [
        ("seq 3: ", "UPDATE entries SET bytes = CAST('an entrY' AS BLOB) WHERE seq = 3"),
        ("seq 3: ", "UPDATE entries SET hash = zeroblob(32) WHERE seq = 3"),
        ("seq 2: the entry is missing", "DELETE FROM entries WHERE seq = 2"),
        ("seq 1: the entry is missing", "DELETE FROM entries WHERE seq = 1"),
        ("its head is 4, but its log ends at 3", "DELETE FROM entries WHERE seq = 4"),
        ("its head is 5, but its log ends at 4", "UPDATE books SET head = 5"),
        ("its head is 3, but its log ends at 4", "UPDATE books SET head = 3"),
        ("seq 4: its head's hash", "UPDATE books SET head_hash = zeroblob(32)"),
        ("its snapshot at 5 lies beyond its head 4", "INSERT INTO snapshots VALUES (1, 5, x'00'), (1, 4, x'00')"),
    ];
    for (expected, damage) in cases {
        let place = Place::new();
        let author = closed_with_entries(&place, 4).await;
        assert!(place.raw().execute(damage, []).unwrap() > 0, "{damage}");
        let error = place.refusal();
        assert!(matches!(error, OpenError::Corrupt(_)), "{damage}: {error}");
        let text = error.to_string();
        assert!(text.contains(&format!("book {}", author.book)) && text.contains(expected), "{damage}: {text}");
    }
}

#[tokio::test]
async fn a_byte_flipped_on_the_disk_is_noticed() {
    let place = Place::new();
    let author = closed_with_entries(&place, 4).await;
    let mut file = std::fs::read(place.path()).unwrap();
    let at = file.windows(8).position(|window| window == b"an entry").unwrap();
    file[at + 3] ^= 1;
    std::fs::write(place.path(), file).unwrap();
    let text = place.refusal().to_string();
    assert!(text.contains(&format!("book {}, seq ", author.book)), "{text}");
}

/// Also one in a table that opening has no other reason to look at.
#[tokio::test]
async fn a_torn_page_is_noticed() {
    for table in ["entries", "sessions", "entries_by_mutation", "invites", "answers", "snapshots", "answers_by_time"] {
        let place = Place::new();
        closed_with_entries(&place, 100).await;
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let page: u32 = place.raw().query_row(root, [table], |row| row.get(0)).unwrap();
        let mut file = std::fs::read(place.path()).unwrap();
        file[(page as usize - 1) * 4096..][..4096].fill(0);
        std::fs::write(place.path(), file).unwrap();
        let error = place.refusal();
        assert!(matches!(error, OpenError::Corrupt(_)), "{table}: {error}");
    }
}

#[tokio::test]
async fn an_entry_that_goes_missing_is_noticed_when_the_next_is_read() {
    let place = Place::new();
    let author = closed_with_entries(&place, 4).await;
    let store = place.open();
    place.raw().execute("DELETE FROM entries WHERE seq = 2", []).unwrap();
    let Err(StoreError::Corrupt(text)) = store.entries(author.book, Seq(1), ALL).await else {
        panic!("entry 2 is missing");
    };
    assert!(text.contains("seq 3: the entry before it is missing"), "{text}");
    assert_eq!(store.entries(author.book, Seq(3), ALL).await.unwrap().len(), 1);
}

#[tokio::test]
async fn damage_before_the_tail_is_noticed_when_it_is_read() {
    let place = Place::new();
    let author = closed_with_entries(&place, 1_010).await;
    for (seq, at_start) in [(10, false), (11, true)] {
        let conn = place.raw();
        let spoil = "UPDATE entries SET bytes = CAST(?2 AS BLOB) WHERE seq = ?1";
        conn.execute(spoil, (seq, "another text")).unwrap();
        drop(conn);
        if at_start {
            let text = place.refusal().to_string();
            assert!(text.contains("seq 11: "), "{text}");
        } else {
            let store = place.open();
            let before = store.entries(author.book, Seq(10), ALL).await.unwrap();
            assert_eq!(before.len(), 1_000);
            let Err(StoreError::Corrupt(text)) = store.entries(author.book, Seq(9), ALL).await else {
                panic!("entry 10 is damaged");
            };
            assert!(text.contains("seq 10: "), "{text}");
            let mutation = author.mutation(MutationNumber(10));
            assert_eq!(store.entry_of(author.book, mutation).await, Err(StoreError::Corrupt(text)));
            store.close().await;
        }
        place.raw().execute(spoil, (seq, "an entry")).unwrap();
    }
    place.open().close().await;
}
