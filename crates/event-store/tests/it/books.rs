//! Books are put away, and taken away.

use std::path::Path;

use tidebook_book::{MutationNumber, Role, Seq, UnixMillis};
use tidebook_event_store::{InviteCreated, NewAnswer, NewInvite, Store, StoreError};
use uuid::Uuid;

use crate::support::{ALL, Author, Place, book_id, columns, dump, replica, user, whole_log};

#[tokio::test]
async fn an_archived_book_says_so_and_stays() {
    let place = Place::new();
    let store = place.open();
    let (mut one, mut two) = (Author::new(1), Author::new(2));
    one.create(&store).await;
    two.create(&store).await;
    assert_eq!(store.archive_book(book_id(3), UnixMillis(20)).await, Ok(false));
    assert_eq!(store.archive_book(one.book, UnixMillis(20)).await, Ok(true));
    let books = store.books_of(user(1)).await.unwrap();
    assert_eq!(books.iter().map(|(row, _)| row.archived).collect::<Vec<_>>(), [true, false]);
    assert_eq!(store.book(one.book).await, Ok(Some(books[0].0.clone())));
    assert_eq!(store.book(two.book).await, Ok(Some(books[1].0.clone())));

    // Once more changes nothing, not even since when.
    let before = dump(&place.path());
    assert_eq!(store.archive_book(one.book, UnixMillis(30)).await, Ok(true));
    assert_eq!(dump(&place.path()), before);
    // The store keeps nobody from writing: roles and refusals are decided elsewhere.
    store.append(one.stage(&["two"])).await.unwrap();
    assert!(store.book(one.book).await.unwrap().unwrap().archived);
}

/// A book with something in every place there is, all of it saying `text`.
async fn full_book(store: &Store, number: u128, text: &str) -> Author {
    let mut author = Author::new(number);
    author.create(store).await;
    let invite = NewInvite {
        id: Uuid::from_u128(number),
        book: author.book,
        token_hash: [number as u8; 32],
        role: Role::Viewer,
        uses_left: 1,
        created_by: user(1),
        created_at: UnixMillis(5),
        expires_at: UnixMillis(1000),
    };
    assert_eq!(store.create_invite(invite).await, Ok(InviteCreated::New));
    for _ in 0..50 {
        let mut append = author.stage(&[text, text]);
        append.members = vec![(user(2), Some(Role::Editor), UnixMillis(6)), (user(3), None, UnixMillis(6))];
        append.summary = Some(text.repeat(3));
        let mutation = author.mutation(author.n);
        append.answers =
            vec![NewAnswer { mutation, body_hash: [1; 32], status: 200, body: text.into(), at: UnixMillis(6) }];
        store.append(append).await.unwrap();
    }
    store.put_snapshot(author.book, author.head, text.repeat(2000).into()).await.unwrap();
    store.archive_book(author.book, UnixMillis(7)).await.unwrap();
    author
}

fn is_of_owners(row: &str) -> bool {
    row.starts_with("replica_owners: ")
}

#[tokio::test]
async fn a_purged_book_leaves_nothing_but_whose_its_replicas_are() {
    let place = Place::new();
    let store = place.open();
    let kept = full_book(&store, 1, "high water").await;
    let before = dump(&place.path());
    let mut author = full_book(&store, 2, "low water").await;
    place.raw().execute("INSERT INTO past_epochs VALUES (2, zeroblob(16), 3)", []).unwrap();
    for (table, columns) in columns(&place.path()) {
        if columns.split(", ").any(|column| column == "book") {
            let count = format!("SELECT count(*) FROM {table} WHERE book = 2");
            let count: i64 = place.raw().query_row(&count, [], |row| row.get(0)).unwrap();
            assert!(count > 0, "the test has nothing in {table}");
        }
    }
    assert_eq!(store.purge_book(book_id(3)).await, Ok(false));
    assert_eq!(store.purge_book(author.book).await, Ok(true));
    let (owners, rest): (Vec<_>, Vec<_>) = dump(&place.path()).into_iter().partition(|row| is_of_owners(row));
    let (owners_before, rest_before): (Vec<_>, Vec<_>) = before.into_iter().partition(|row| is_of_owners(row));
    assert_eq!(rest, rest_before);
    assert_eq!((owners_before.len(), owners.len()), (1, 2));
    assert_eq!(store.replica_owner(replica(2)).await, Ok(Some(user(1))));

    assert_eq!(store.purge_book(author.book).await, Ok(false));
    assert_eq!(store.book(author.book).await, Ok(None));
    assert_eq!(store.entries(author.book, Seq::ZERO, ALL).await, Ok(vec![]));
    assert_eq!(store.append(author.stage(&["late"])).await, Err(StoreError::Conflict));

    // The id may name another book.
    let mut again = Author::new(2);
    again.create(&store).await;
    assert!(!store.book(again.book).await.unwrap().unwrap().archived);
    assert_eq!(store.snapshots(again.book).await, Ok(vec![]));
    assert_eq!(store.answer(again.book, again.mutation(MutationNumber(3))).await, Ok(None));
    assert_eq!(store.invite_by_token([2; 32]).await, Ok(None));
    assert_eq!(store.people(again.book).await.unwrap().len(), 1);
    store.close().await;
    let store = place.open();
    assert_eq!(whole_log(&store, again.book).await.len(), 1);
    assert_eq!(whole_log(&store, kept.book).await.len(), 101);
}

fn occurs(text: &str, path: &Path) -> bool {
    std::fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn what_a_purged_book_said_is_overwritten() {
    let place = Place::new();
    let store = place.open();
    full_book(&store, 1, "high water").await;
    let author = full_book(&store, 2, "low water").await;
    full_book(&store, 3, "slack").await;
    store.close().await;
    assert!(occurs("low water", &place.path()));
    let store = place.open();
    store.purge_book(author.book).await.unwrap();
    store.close().await;
    for (text, is_there) in [("low water", false), ("high water", true), ("slack", true)] {
        assert_eq!(occurs(text, &place.path()), is_there, "{text}");
    }
}
