//! Two snapshots of each book, never beyond its log.

use tidebook_book::Seq;
use tidebook_event_store::StoreError;

use crate::support::{Author, Place, book_id, dump};

#[tokio::test]
async fn the_newest_two_of_each_book_are_kept() {
    let place = Place::new();
    let store = place.open();
    let (mut author, mut other) = (Author::new(1), Author::new(2));
    author.create(&store).await;
    other.create(&store).await;
    store.append(author.stage(&["x"; 9])).await.unwrap();
    store.append(other.stage(&["x"; 19])).await.unwrap();
    assert_eq!(store.snapshots(author.book).await, Ok(vec![]));
    // The other book's lie on both sides of this one's.
    for seq in [1, 20] {
        store.put_snapshot(other.book, Seq(seq), vec![1]).await.unwrap();
    }

    type Step = (&'static str, u64, u8, &'static [(u64, u8)]);
    let steps: [Step; 7] = [
        ("the first", 2, 20, &[(2, 20)]),
        ("an older one finds a place", 1, 10, &[(2, 20), (1, 10)]),
        ("a newer one takes the oldest's", 5, 50, &[(5, 50), (2, 20)]),
        ("one between does too", 3, 30, &[(5, 50), (3, 30)]),
        ("the oldest finds none", 1, 11, &[(5, 50), (3, 30)]),
        ("another at a seq takes its place", 3, 31, &[(5, 50), (3, 31)]),
        ("the head can have one", 10, 100, &[(10, 100), (5, 50)]),
    ];
    for (what, seq, byte, expected) in steps {
        store.put_snapshot(author.book, Seq(seq), vec![byte; 5000]).await.unwrap();
        let expected = expected.iter().map(|(seq, byte)| (Seq(*seq), vec![*byte; 5000])).collect();
        assert_eq!(store.snapshots(author.book).await, Ok(expected), "{what}");
    }
    assert_eq!(store.snapshots(other.book).await, Ok(vec![(Seq(20), vec![1]), (Seq(1), vec![1])]));

    let before = dump(&place.path());
    store.close().await;
    place.open().close().await;
    assert_eq!(dump(&place.path()), before);
}

#[tokio::test]
async fn a_snapshot_of_what_is_not_there_is_not_kept() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    let before = dump(&place.path());
    for seq in [0, 2, u64::MAX] {
        let result = store.put_snapshot(author.book, Seq(seq), vec![1]).await;
        assert!(matches!(result, Err(StoreError::Failed(_))), "{seq}: {result:?}");
    }
    assert_eq!(store.put_snapshot(book_id(2), Seq(2), vec![1]).await, Ok(()), "its book is gone");
    assert_eq!(dump(&place.path()), before);
    assert_eq!(store.snapshots(book_id(2)).await, Ok(vec![]));
    store.put_snapshot(author.book, Seq(1), Vec::new()).await.unwrap();
    assert_eq!(store.snapshots(author.book).await, Ok(vec![(Seq(1), vec![])]));
}
