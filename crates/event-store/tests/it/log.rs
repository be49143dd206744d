//! What is appended comes back: in order, in pages, by replica, by mutation.

use tidebook_book::{ChainHash, MutationNumber, Person, Role, Seq, UnixMillis};
use tidebook_event_store::{Append, Created, EntryLimit, ReplicaRow, StoreError};

use crate::support::{self, ALL, Author, Place, account, book_id, dump, replica, seqs, user, whole_log};

#[tokio::test]
async fn a_book_begins_with_its_first_append() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    assert_eq!(store.book(author.book).await, Ok(None));
    assert_eq!(store.hash_at(author.book, Seq::ZERO).await, Ok(None));
    let mut new = author.new_book();
    new.first.summary = Some("shore".into());
    assert_eq!(store.create_book(new.clone()).await, Ok(Created::New));

    let row = store.book(author.book).await.unwrap().unwrap();
    assert_eq!((row.id, row.epoch, row.created_at), (author.book, new.epoch, UnixMillis(5)));
    assert_eq!((row.head, row.head_hash, row.summary.as_str()), (Seq(1), author.hash, "shore"));
    assert_eq!(store.hash_at(author.book, Seq(0)).await, Ok(Some(ChainHash::ZERO)));
    assert_eq!(store.hash_at(author.book, Seq(1)).await, Ok(Some(author.hash)));
    assert_eq!(store.hash_at(author.book, Seq(2)).await, Ok(None));

    let before = dump(&place.path());
    assert_eq!(store.create_book(new).await, Ok(Created::IdTaken));
    assert_eq!(dump(&place.path()), before);
}

#[tokio::test]
async fn a_first_append_that_is_refused_creates_no_book() {
    let place = Place::new();
    let store = place.open();
    let mut new = Author::new(1).new_book();
    new.first.expected_head = Seq(1);
    assert_eq!(store.create_book(new.clone()).await, Err(StoreError::Conflict));
    new.first.expected_head = Seq::ZERO;
    new.first.book = book_id(2);
    assert!(matches!(store.create_book(new).await, Err(StoreError::Failed(_))));
    assert_eq!(dump(&place.path()), [""; 0]);
}

#[tokio::test]
async fn pages_end_at_their_limits_and_always_get_on() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    // Sizes 4, 10, 20, 30, 40.
    let texts: Vec<String> = (1..=4).map(|tens| "x".repeat(10 * tens)).collect();
    store.append(author.stage(&texts)).await.unwrap();
    let cases: [(u64, usize, usize, &[u64]); 14] = [
        (0, usize::MAX, usize::MAX, &[1, 2, 3, 4, 5]),
        (0, 3, usize::MAX, &[1, 2, 3]),
        (3, 2, usize::MAX, &[4, 5]),
        (4, 2, usize::MAX, &[5]),
        (0, 0, usize::MAX, &[1]),
        (0, usize::MAX, 0, &[1]),
        (0, usize::MAX, 13, &[1]),
        (0, usize::MAX, 14, &[1, 2]),
        (0, usize::MAX, 33, &[1, 2]),
        (0, usize::MAX, 34, &[1, 2, 3]),
        (4, usize::MAX, 39, &[5]),
        (5, usize::MAX, usize::MAX, &[]),
        (6, usize::MAX, usize::MAX, &[]),
        (u64::MAX, usize::MAX, usize::MAX, &[]),
    ];
    for (after, count, bytes, expected) in cases {
        let page = store.entries(author.book, Seq(after), EntryLimit { count, bytes }).await.unwrap();
        assert_eq!(seqs(&page), expected, "after {after}, {count} entries, {bytes} bytes");
    }
    assert_eq!(store.entries(book_id(2), Seq::ZERO, ALL).await, Ok(vec![]));
    assert_eq!(whole_log(&store, author.book).await[4].bytes.as_ref(), "x".repeat(40).as_bytes());
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    store.append(author.stage(&["two", "three"])).await.unwrap();
    let before = dump(&place.path());

    type Spoil = fn(&mut Append);
    let cases: [(&str, bool, Spoil); 9] = [
        ("a head that has moved on", true, |append| append.expected_head = Seq(2)),
        ("a head that is not there yet", true, |append| append.expected_head = Seq(4)),
        ("a book that is not there", true, |append| append.book = book_id(2)),
        ("an id in the log", true, |append| append.entries[1].id = Author::new(1).mutation(MutationNumber(2))),
        ("an id twice", true, |append| append.entries[1].id = append.entries[0].id),
        ("a number in the log", true, |append| append.entries[1].n = MutationNumber(3)),
        ("a gap", false, |append| drop(append.entries.remove(0))),
        ("a hash that is wrong", false, |append| append.entries[1].entry.hash = ChainHash::ZERO),
        ("a number no row can hold", false, |append| append.entries[1].n = MutationNumber(u64::MAX)),
    ];
    for (what, conflicts, spoil) in cases {
        let mut append = author.clone().stage(&["four", "five"]);
        append.summary = Some("never".into());
        append.members = vec![(user(2), Some(Role::Viewer), UnixMillis(8))];
        spoil(&mut append);
        let result = store.append(append).await;
        let as_expected =
            if conflicts { result == Err(StoreError::Conflict) } else { matches!(result, Err(StoreError::Failed(_))) };
        assert!(as_expected, "{what}: {result:?}");
        assert_eq!(dump(&place.path()), before, "{what}");
    }
    store.append(author.stage(&["four", "five"])).await.unwrap();
    assert_eq!(whole_log(&store, author.book).await.len(), 5);
}

#[tokio::test]
async fn an_id_or_number_is_taken_in_its_book_alone() {
    let place = Place::new();
    let store = place.open();
    let (mut one, mut two) = (Author::new(1), Author::new(2));
    two.replica = one.replica;
    one.create(&store).await;
    two.create(&store).await;
    assert_eq!(whole_log(&store, one.book).await, whole_log(&store, two.book).await);
}

/// Two replicas taking turns: 1 has seqs 1, 2, 4, 6 and 2 has seqs 3, 5, 7.
async fn two_replicas(store: &tidebook_event_store::Store) -> Author {
    let mut one = Author::new(1);
    one.create(store).await;
    store.append(one.stage(&["n2"])).await.unwrap();
    let mut two = Author { replica: replica(2), user: user(2), n: MutationNumber::ZERO, ..one.clone() };
    for round in 0..5 {
        let (writer, other) = if round % 2 == 0 { (&mut two, &mut one) } else { (&mut one, &mut two) };
        store.append(writer.stage(&["turn"])).await.unwrap();
        (other.head, other.hash) = (writer.head, writer.hash);
    }
    one
}

#[tokio::test]
async fn fates_are_a_replicas_own_entries() {
    let place = Place::new();
    let store = place.open();
    let author = two_replicas(&store).await;
    let cases: [(u128, u64, u64, usize, &[u64]); 9] = [
        (1, 0, 100, 100, &[1, 2, 4, 6]),
        (1, 2, 100, 100, &[2, 4, 6]),
        (1, 2, 5, 100, &[2, 4]),
        (1, 2, 4, 100, &[2, 4]),
        (1, 1, 100, 2, &[1, 2]),
        (2, 1, u64::MAX, 100, &[3, 5, 7]),
        (2, 4, 100, 100, &[]),
        (2, 1, 2, 100, &[]),
        (3, 1, 100, 100, &[]),
    ];
    for (number, from, up_to, count, expected) in cases {
        let limit = EntryLimit { count, bytes: usize::MAX };
        let fates = store.fates(author.book, replica(number), MutationNumber(from), Seq(up_to), limit).await.unwrap();
        assert_eq!(seqs(&fates), expected, "replica {number}, n from {from}, up to {up_to}, {count} entries");
    }
    let limit = EntryLimit { count: 100, bytes: 6 };
    let fates = store.fates(author.book, replica(1), MutationNumber(1), Seq(100), limit).await.unwrap();
    assert_eq!(seqs(&fates), [1, 2]);
}

#[tokio::test]
async fn places_are_found_by_id_and_by_number() {
    let place = Place::new();
    let store = place.open();
    let author = two_replicas(&store).await;
    let other = Author { replica: replica(2), ..author.clone() };
    let ids =
        vec![author.mutation(MutationNumber(4)), author.mutation(MutationNumber(5)), other.mutation(MutationNumber(1))];
    let numbers = vec![
        (replica(1), MutationNumber(1)),
        (replica(1), MutationNumber(4)),
        (replica(2), MutationNumber(9)),
        (replica(3), MutationNumber(1)),
        (replica(2), MutationNumber(u64::MAX)),
    ];
    let places = store.places(author.book, ids.clone(), numbers.clone()).await.unwrap();
    let found: Vec<_> = places.iter().map(|place| (place.seq.0, place.replica, place.n.0)).collect();
    assert_eq!(found, [(1, replica(1), 1), (3, replica(2), 1), (6, replica(1), 4)]);
    assert_eq!(places[2].id, ids[0]);
    assert_eq!(store.places(book_id(2), ids, numbers).await, Ok(vec![]));
}

#[tokio::test]
async fn an_entry_is_found_by_its_mutation() {
    let place = Place::new();
    let store = place.open();
    let author = two_replicas(&store).await;
    let mut elsewhere = Author::new(9);
    elsewhere.create(&store).await;
    let log = whole_log(&store, author.book).await;
    let cases = [(1, 1, Some(1)), (1, 4, Some(6)), (2, 3, Some(7)), (2, 4, None), (9, 1, None)];
    for (number, n, seq) in cases {
        let mutation = Author { replica: replica(number), ..author.clone() }.mutation(MutationNumber(n));
        let expected = seq.map(|seq: usize| log[seq - 1].clone());
        assert_eq!(store.entry_of(author.book, mutation).await, Ok(expected), "replica {number}, n {n}");
        assert_eq!(store.entry_of(book_id(8), mutation).await, Ok(None));
    }
}

#[tokio::test]
async fn a_replica_belongs_to_who_first_used_it() {
    let place = Place::new();
    let store = place.open();
    let mut author = two_replicas(&store).await;
    let row = |number, n| ReplicaRow { replica: replica(number), user: user(number), n: MutationNumber(n) };
    assert_eq!(store.replicas(author.book).await, Ok(vec![row(1, 4), row(2, 3)]));
    assert_eq!(store.replica_owner(replica(2)).await, Ok(Some(user(2))));
    assert_eq!(store.replica_owner(replica(3)).await, Ok(None));

    // A repeated mutation uses up a number without an entry; and nobody takes a replica over.
    author.head = Seq(7);
    let mut append = author.stage(&[""; 0]);
    append.numbers = vec![ReplicaRow { replica: replica(2), user: user(3), n: MutationNumber(4) }];
    store.append(append).await.unwrap();
    assert_eq!(store.replicas(author.book).await, Ok(vec![row(1, 4), row(2, 4)]));
    assert_eq!(store.replica_owner(replica(2)).await, Ok(Some(user(2))));
    assert_eq!(whole_log(&store, author.book).await.len(), 7);
}

#[tokio::test]
async fn former_members_stay_people_and_keep_their_place() {
    let place = Place::new();
    let store = place.open();
    for (number, name) in [(1, "Ada"), (2, "Ben"), (3, "Cyd")] {
        account(&store, number, name).await;
    }
    let (mut first, mut second) = (Author::new(1), Author::new(2));
    first.create(&store).await;
    let mut append = first.stage(&["all join"]);
    append.members = vec![
        (user(3), Some(Role::Viewer), UnixMillis(20)),
        (user(2), Some(Role::Editor), UnixMillis(20)),
        (user(4), Some(Role::Viewer), UnixMillis(20)),
    ];
    append.summary = Some("tides".into());
    store.append(append).await.unwrap();
    second.create(&store).await;
    let mut append = second.stage(&["ben joins"]);
    append.members = vec![(user(2), Some(Role::Viewer), UnixMillis(10))];
    store.append(append).await.unwrap();
    let mut append = first.stage(&["ben and cyd go, ben comes back, a stranger is removed"]);
    append.members = vec![
        (user(2), None, UnixMillis(30)),
        (user(3), None, UnixMillis(30)),
        (user(2), Some(Role::Owner), UnixMillis(40)),
        (user(5), None, UnixMillis(40)),
    ];
    store.append(append).await.unwrap();

    let person = |number, name: &str, role| Person { id: user(number), name: name.into(), role };
    let people = vec![
        person(1, "Ada", Some(Role::Owner)),
        person(3, "Cyd", None),
        person(2, "Ben", Some(Role::Owner)),
        person(4, "", Some(Role::Viewer)),
    ];
    assert_eq!(store.people(first.book).await, Ok(people));
    let books = |number| {
        let store = store.clone();
        async move {
            let books = store.books_of(user(number)).await.unwrap();
            books.into_iter().map(|(row, role)| (row.id, role)).collect::<Vec<_>>()
        }
    };
    assert_eq!(books(1).await, [(first.book, Role::Owner), (second.book, Role::Owner)]);
    assert_eq!(books(2).await, [(first.book, Role::Owner), (second.book, Role::Viewer)]);
    assert_eq!(books(3).await, []);
    // An append without a summary leaves the last one.
    assert_eq!(store.book(first.book).await.unwrap().unwrap().summary, "tides");
    assert_eq!(store.people(support::book_id(9)).await, Ok(vec![]));
}
