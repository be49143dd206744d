//! A store as a file: copied while it is in use, put back where there is none, and looked at from beside.

use std::fs;
use std::path::{Path, PathBuf};

use tidebook_book::{Epoch, Role, Seq, UnixMillis};
use tidebook_event_store::{
    BackedUp, CopyError, Created, FormerEpoch, MembershipRow, NewBook, NewInvite, NewSession, OpenError, Restoring,
    Sessions, Store, StoreError, StoreFile, back_up,
};
use uuid::Uuid;

use crate::support::{ALL, Author, Place, account, dump, replica, seqs, user, whole_log};

/// Epochs 100, 101 …
fn epochs() -> impl FnMut() -> Epoch {
    let mut next = 99;
    move || {
        next += 1;
        epoch(next)
    }
}

fn epoch(number: u128) -> Epoch {
    Epoch(Uuid::from_u128(number))
}

fn backup_in(place: &Place) -> PathBuf {
    place.path().with_file_name("backup")
}

/// What lies in the folder of this file, by name.
fn folder_of(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn restore(backup: &Path, to: &Path, sessions: Sessions) -> Result<(), CopyError> {
    Restoring::begin(backup, to, sessions, &mut epochs())?.finish()
}

/// Two books, an invite and a session.
async fn full(store: &Store) -> (Author, Author) {
    account(store, 1, "Ada").await;
    let (mut one, mut two) = (Author::new(1), Author::new(2));
    one.create(store).await;
    two.create(store).await;
    store.append(one.stage(&["ebb", "flood"])).await.unwrap();
    let invite = NewInvite {
        id: Uuid::from_u128(1),
        book: one.book,
        token_hash: [1; 32],
        role: Role::Editor,
        uses_left: 1,
        created_by: user(1),
        created_at: UnixMillis(1),
        expires_at: UnixMillis(1000),
    };
    store.create_invite(invite).await.unwrap();
    let session = NewSession {
        id: Uuid::from_u128(1),
        user: user(1),
        token_hash: [1; 32],
        replica: replica(9),
        client: "web/1".into(),
        created_at: UnixMillis(1),
        expires_at: UnixMillis(1000),
    };
    store.create_session(session).await.unwrap();
    (one, two)
}

#[tokio::test]
async fn a_store_in_use_is_copied_as_it_is() {
    let place = Place::new();
    let store = place.open();
    let (mut one, _) = full(&store).await;
    let before = dump(&place.path());
    let copied = back_up(&place.path(), &backup_in(&place)).unwrap();
    let bytes = fs::metadata(backup_in(&place)).unwrap().len();
    assert_eq!(copied, BackedUp { books: 2, entries: 4, bytes });
    store.append(one.stage(&["after the backup"])).await.unwrap();
    assert_eq!(dump(&backup_in(&place)), before);
    store.close().await;
    assert_eq!(folder_of(&place.path()), ["backup", "tidebook.db", "tidebook.db.lock"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    full(&place.open()).await;
    back_up(&place.path(), &backup_in(&place)).unwrap();
    let other = Place::new();
    restore(&backup_in(&place), &other.path(), Sessions::Kept).unwrap();
    for path in [backup_in(&place), other.path()] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn nothing_is_ever_replaced() {
    let place = Place::new();
    full(&place.open()).await;
    let backup = backup_in(&place);
    fs::write(&backup, "Dear diary").unwrap();
    let error = back_up(&place.path(), &backup).unwrap_err();
    assert!(matches!(error, CopyError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&backup).unwrap(), b"Dear diary");

    fs::remove_file(&backup).unwrap();
    let unfinished = backup.with_file_name("backup.unfinished");
    fs::write(&unfinished, "cut off").unwrap();
    let error = back_up(&place.path(), &backup).unwrap_err();
    assert!(error.to_string().contains("backup.unfinished"), "{error}");
    assert_eq!(fs::read(&unfinished).unwrap(), b"cut off");
    assert!(!backup.exists());

    // A link that leads elsewhere is a name that is taken, whether or not there is anything at its end.
    #[cfg(unix)]
    {
        fs::remove_file(&unfinished).unwrap();
        let elsewhere = backup.with_file_name("elsewhere");
        for (link, taken) in [(&backup, "backup"), (&unfinished, "backup.unfinished")] {
            std::os::unix::fs::symlink(&elsewhere, link).unwrap();
            let error = back_up(&place.path(), &backup).unwrap_err().to_string();
            assert!(error.contains(taken), "{error}");
            assert!(!elsewhere.exists());
            fs::remove_file(link).unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_no_store_is_not_copied() {
    let place = Place::new();
    let error = back_up(&place.path(), &backup_in(&place)).unwrap_err();
    assert!(matches!(error, CopyError::Open(OpenError::Missing { .. })), "{error}");
    for content in ["", "Dear diary, Dear diary"] {
        fs::write(place.path(), content).unwrap();
        let error = back_up(&place.path(), &backup_in(&place)).unwrap_err();
        assert!(matches!(error, CopyError::Open(OpenError::Foreign { .. })), "{content:?}: {error}");
    }
    assert_eq!(folder_of(&place.path()), ["tidebook.db"]);
}

#[tokio::test]
async fn a_damaged_store_makes_no_backup() {
    let place = Place::new();
    full(&place.open()).await;
    place.raw().execute("UPDATE entries SET bytes = CAST('flooD' AS BLOB) WHERE seq = 3", []).unwrap();
    let error = back_up(&place.path(), &backup_in(&place)).unwrap_err();
    assert!(matches!(error, CopyError::Open(OpenError::Corrupt(_))), "{error}");
    let left = folder_of(&place.path());
    assert!(!left.iter().any(|name| name.starts_with("backup")), "{left:?}");
}

#[tokio::test]
async fn a_restored_store_has_everything_under_new_epochs_and_no_invites() {
    for (sessions, sessions_left) in [(Sessions::Kept, 1), (Sessions::Ended, 0)] {
        let place = Place::new();
        let (one, two) = full(&place.open()).await;
        back_up(&place.path(), &backup_in(&place)).unwrap();
        let other = Place::new();
        restore(&backup_in(&place), &other.path(), sessions).unwrap();
        let store = other.open();
        let mut again = one.clone();
        assert_eq!(seqs(&whole_log(&store, one.book).await), [1, 2, 3]);
        assert_eq!(store.book(one.book).await.unwrap().unwrap().epoch, epoch(100));
        assert_eq!(store.book(two.book).await.unwrap().unwrap().epoch, epoch(101));
        assert_eq!(store.invites_of(one.book, UnixMillis(1)).await, Ok(vec![]));
        assert_eq!(store.sessions_of(user(1)).await.unwrap().len(), sessions_left);
        assert_eq!(store.account_by_email("ada@example.com").await.unwrap().unwrap().password_hash, "$argon2id$");
        store.append(again.stage(&["goes on"])).await.unwrap();
    }
}

/// Where an older epoch parts from the one there is, the first restore after it says.
#[tokio::test]
async fn former_epochs_are_known_with_what_they_have_in_common() {
    let place = Place::new();
    let store = place.open();
    let (mut one, two) = full(&store).await;
    assert_eq!(store.common_with(one.book, epoch(9)).await, Ok(None), "it is the one there is");
    store.close().await;
    back_up(&place.path(), &backup_in(&place)).unwrap();
    let second = Place::new();
    restore(&backup_in(&place), &second.path(), Sessions::Kept).unwrap();
    let store = second.open();
    assert_eq!(store.common_with(one.book, epoch(9)).await, Ok(Some(Seq(3))));
    assert_eq!(store.common_with(two.book, epoch(9)).await, Ok(Some(Seq(1))));
    assert_eq!(store.common_with(one.book, epoch(77)).await, Ok(None));
    store.append(one.stage(&["in the second history"])).await.unwrap();
    back_up(&second.path(), &backup_in(&second)).unwrap();

    let third = Place::new();
    let mut new_epoch = || epoch(300);
    Restoring::begin(&backup_in(&second), &third.path(), Sessions::Kept, &mut new_epoch).unwrap().finish().unwrap();
    let store = third.open();
    assert_eq!(store.common_with(one.book, epoch(9)).await, Ok(Some(Seq(3))));
    assert_eq!(store.common_with(one.book, epoch(100)).await, Ok(Some(Seq(4))));
    assert_eq!(store.common_with(one.book, epoch(300)).await, Ok(None));
}

#[tokio::test]
async fn a_restore_needs_a_place_that_is_empty_and_free() {
    let place = Place::new();
    full(&place.open()).await;
    let backup = backup_in(&place);
    back_up(&place.path(), &backup).unwrap();

    for beside in ["tidebook.db", "tidebook.db-wal", "tidebook.db-shm", "tidebook.db-journal"] {
        let other = Place::new();
        let there = other.path().with_file_name(beside);
        fs::write(&there, "left over").unwrap();
        let error = restore(&backup, &other.path(), Sessions::Kept).unwrap_err();
        assert!(matches!(error, CopyError::Occupied { .. }), "{beside}: {error}");
        assert_eq!(fs::read(&there).unwrap(), b"left over");
    }
    let other = Place::new();
    let _running = other.open();
    let error = restore(&backup, &other.path(), Sessions::Kept).unwrap_err();
    assert!(matches!(error, CopyError::Open(OpenError::InUse { .. })), "{error}");
    let other = Place::new();
    let error = restore(&other.path(), &other.path(), Sessions::Kept).unwrap_err();
    assert!(matches!(error, CopyError::Open(OpenError::Missing { .. })), "{error}");
}

#[tokio::test]
async fn a_restore_that_is_not_finished_leaves_nothing_and_can_be_repeated() {
    let place = Place::new();
    full(&place.open()).await;
    let backup = backup_in(&place);
    back_up(&place.path(), &backup).unwrap();
    let other = Place::new();
    let restoring = Restoring::begin(&backup, &other.path(), Sessions::Kept, &mut epochs()).unwrap();
    assert!(restoring.path().exists());
    assert!(matches!(Store::open(&other.path()), Err(OpenError::InUse { .. })));
    drop(restoring);
    assert_eq!(folder_of(&other.path()), ["tidebook.db.lock"]);
    // As one leaves it that was killed.
    fs::write(other.path().with_file_name("tidebook.db.unfinished"), "half of it").unwrap();
    restore(&backup, &other.path(), Sessions::Kept).unwrap();
    other.open().close().await;
    assert_eq!(folder_of(&other.path()), ["tidebook.db", "tidebook.db.lock"]);
}

#[tokio::test]
async fn an_older_store_is_restored_as_one_of_today() {
    let place = Place::new();
    place.raw().execute_batch(include_str!("golden/schema-2.sql")).unwrap();
    let backup = backup_in(&place);
    assert!(matches!(StoreFile::open(&place.path()), Err(OpenError::OlderSchema { found: 2, known: 3 })));
    back_up(&place.path(), &backup).unwrap();
    let other = Place::new();
    restore(&backup, &other.path(), Sessions::Kept).unwrap();
    let store = other.open();
    assert_eq!(whole_log(&store, Author::new(1).book).await.len(), 4);
    place.raw().pragma_update(None, "user_version", 99).unwrap();
    let error = back_up(&place.path(), &backup.with_file_name("newer")).unwrap_err();
    assert!(matches!(error, CopyError::Open(OpenError::NewerSchema { found: 99, known: 3 })), "{error}");
}

#[tokio::test]
async fn a_view_is_of_one_moment_beside_the_server() {
    let place = Place::new();
    let store = place.open();
    let (mut one, _) = full(&store).await;
    let mut file = StoreFile::open(&place.path()).unwrap();
    let view = file.view().unwrap();
    store.append(one.stage(&["later"])).await.unwrap();
    assert_eq!(view.book(one.book).unwrap().unwrap().head, Seq(3));
    let log = view.log(one.book, Seq::ZERO, ALL).unwrap();
    assert_eq!(log.iter().map(|row| row.entry.seq.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((log[2].id, log[2].replica), (one.mutation(log[2].n), one.replica));
    drop(view);
    let view = file.view().unwrap();
    assert_eq!(view.book(one.book).unwrap().unwrap().head, Seq(4));
    let member = MembershipRow { user: user(1), role: Some(Role::Owner), since: UnixMillis(5) };
    assert_eq!(view.memberships(one.book), Ok(vec![member]));
    assert_eq!(view.structure_faults(10), Ok(vec![]));
}

#[tokio::test]
async fn faults_between_tables_are_named() {
    let cases = [
        (
            "a row of entries belongs to a row of books",
            "PRAGMA foreign_keys = OFF; UPDATE entries SET book = 7 WHERE seq = 3",
        ),
        (
            "a replica that nobody owns",
            "DELETE FROM replica_owners WHERE replica = (SELECT replica FROM replicas LIMIT 1)",
        ),
        ("a replica that nobody owns", "UPDATE replica_owners SET account = zeroblob(16)"),
        ("an answer to a write", "INSERT INTO answers VALUES (1, zeroblob(16), zeroblob(32), 200, '', 1)"),
        ("a former epoch", "INSERT INTO past_epochs VALUES (1, zeroblob(16), 4)"),
        (
            "missing from index entries_by_number",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'n)', 'book)') WHERE name = 'entries_by_number'",
        ),
    ];
    for (expected, damage) in cases {
        let place = Place::new();
        full(&place.open()).await;
        place.raw().execute_batch(damage).unwrap();
        let mut file = StoreFile::open(&place.path()).unwrap();
        let faults = file.view().unwrap().structure_faults(10).unwrap_or_else(|error| vec![error.to_string()]);
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:?}");
    }
}

/// All of a log that comes from elsewhere, or nothing.
#[tokio::test]
async fn a_book_is_brought_as_a_whole() {
    let place = Place::new();
    let store = place.open();
    let (one, two) = full(&store).await;
    let before = dump(&place.path());
    let mut three = Author::new(3);
    let new = |author: &mut Author| NewBook { epoch: epoch(50), ..author.new_book() };
    let former = FormerEpoch { epoch: epoch(40), common: Seq(2) };

    let mut attempt = three.clone();
    let (book, next) = (new(&mut attempt), attempt.stage(&["ebb"]));
    let cut_off = store.bring_book(book, former, move |append| {
        append(&next)?;
        Err(StoreError::Failed("the file ends here".into()))
    });
    assert_eq!(cut_off.await, Err(StoreError::Failed("the file ends here".into())));
    let mut attempt = three.clone();
    let (book, skipped) = (new(&mut attempt), attempt.stage(&["ebb"]));
    let next = attempt.stage(&["flood"]);
    let with_a_gap = store.bring_book(book, former, move |append| append(&next)).await;
    assert_eq!((with_a_gap, skipped.entries.len()), (Err(StoreError::Conflict), 1));
    assert_eq!(dump(&place.path()), before);

    let (book, next) = (new(&mut three), three.stage(&["ebb"]));
    assert_eq!(store.bring_book(book, former, move |append| append(&next)).await, Ok(Created::New));
    assert_eq!(seqs(&whole_log(&store, three.book).await), [1, 2]);
    assert_eq!(store.common_with(three.book, epoch(40)).await, Ok(Some(Seq(2))));
    let again = new(&mut one.clone());
    assert_eq!(store.bring_book(again, former, |_| Ok(())).await, Ok(Created::IdTaken));
    assert_eq!(whole_log(&store, two.book).await.len(), 1);
}
