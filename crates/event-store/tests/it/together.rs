//! Many writers and readers at once.

use tidebook_book::Seq;
use tidebook_event_store::{EntryLimit, Store, StoreError};
use tokio::task::JoinSet;

use crate::support::{Author, Place, account, whole_log};

const BOOKS: u128 = 40;
const ROUNDS: usize = 25;

/// Appends to its book, and each third time tries what cannot work.
async fn write_a_book(store: Store, number: u128) -> Author {
    let mut author = Author::new(number);
    author.create(&store).await;
    for round in 0..ROUNDS {
        if round % 3 == 0 {
            let mut stale = author.clone().stage(&["stale"]);
            stale.expected_head = Seq(stale.expected_head.0 + 1);
            assert_eq!(store.append(stale).await, Err(StoreError::Conflict));
        }
        let text = format!("book {number} round {round}");
        store.append(author.stage(&[text])).await.unwrap();
    }
    author
}

/// Whatever is read meanwhile is a log's gapless beginning.
async fn read_along(store: Store, number: u128) {
    let mut author = Author::new(number);
    while author.head.0 < 1 + ROUNDS as u64 {
        let page = store.entries(author.book, author.head, EntryLimit { count: 7, bytes: 100 }).await.unwrap();
        for entry in page {
            author.head = author.head.next();
            author.hash = author.hash.followed_by(&entry.bytes);
            assert_eq!((entry.seq, entry.hash), (author.head, author.hash));
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_books_at_once_all_land_in_order() {
    let place = Place::new();
    let store = place.open();
    let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
    for number in 1..=BOOKS {
        writers.spawn(write_a_book(store.clone(), number));
        readers.spawn(read_along(store.clone(), number));
    }
    let authors = writers.join_all().await;
    readers.join_all().await;
    store.close().await;

    let store = place.open();
    for author in authors {
        let entries = whole_log(&store, author.book).await;
        assert_eq!(entries.last().unwrap().hash, author.hash);
        assert_eq!(entries.len(), 1 + ROUNDS);
        for (round, entry) in entries[1..].iter().enumerate() {
            assert!(entry.bytes.ends_with(format!("round {round}").as_bytes()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_one_head_exactly_one_gets_it() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    let mut rivals = JoinSet::new();
    for number in 0..50 {
        let (store, mut author) = (store.clone(), author.clone());
        rivals.spawn(async move { store.append(author.stage(&[format!("rival {number}")])).await });
    }
    let results = rivals.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| **result == Err(StoreError::Conflict)).count(), 49);
    assert_eq!(whole_log(&store, author.book).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_writes_than_the_store_takes_at_once_wait() {
    let place = Place::new();
    let store = place.open();
    let mut writes = JoinSet::new();
    for number in 1..=1_000 {
        let store = store.clone();
        writes.spawn(async move { account(&store, number, &format!("person{number}")).await });
    }
    writes.join_all().await;
    assert_eq!(store.account_count().await, Ok(1_000));
}

#[tokio::test]
async fn an_abandoned_write_is_whole_or_absent() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    for round in 0..20 {
        let mut attempt = author.clone();
        let append = attempt.stage(&["one", "two", "three"]);
        let mut write = Box::pin(store.append(append));
        // Abandoned after none, one or two looks at it.
        for _ in 0..round % 3 {
            tokio::select! { biased; _ = &mut write => break, () = tokio::task::yield_now() => {} }
        }
        drop(write);
        // Whatever is asked after it comes after it.
        match store.append(author.clone().stage(&["next"])).await {
            Ok(()) => drop(author.stage(&["next"])),
            Err(error) => {
                assert_eq!(error, StoreError::Conflict);
                author = attempt;
            }
        }
        assert_eq!(whole_log(&store, author.book).await.len() as u64, author.head.0);
    }
}
