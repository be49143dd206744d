//! Answers are kept with what they answer, and forgotten after a while.

use tidebook_book::{MutationId, MutationNumber, UnixMillis};
use tidebook_event_store::{AnswerRow, NewAnswer, StoreError};
use uuid::Uuid;

use crate::support::{Author, Place, book_id, dump, whole_log};

fn mutation(number: u128) -> MutationId {
    MutationId(Uuid::from_u128(number))
}

fn new_answer(mutation: MutationId, status: u16, at: i64) -> NewAnswer {
    let body = format!(r#"{{"status":{status}}}"#);
    NewAnswer { mutation, body_hash: [status.to_be_bytes()[1]; 32], status, body, at: UnixMillis(at) }
}

fn row(new: NewAnswer) -> AnswerRow {
    let NewAnswer { body_hash, status, body, .. } = new;
    AnswerRow { body_hash, status, body }
}

#[tokio::test]
async fn an_answer_comes_with_its_append_or_not_at_all() {
    let place = Place::new();
    let store = place.open();
    let (mut author, mut other) = (Author::new(1), Author::new(2));
    author.create(&store).await;
    other.create(&store).await;
    let mut append = author.stage(&["two", "three"]);
    let (two, three) = (author.mutation(MutationNumber(2)), author.mutation(MutationNumber(3)));
    append.answers = vec![new_answer(two, 201, 10), new_answer(three, 409, 10)];
    store.append(append).await.unwrap();
    assert_eq!(store.answer(author.book, two).await, Ok(Some(row(new_answer(two, 201, 10)))));
    assert_eq!(store.answer(author.book, three).await, Ok(Some(row(new_answer(three, 409, 10)))));
    assert_eq!(store.answer(author.book, author.mutation(MutationNumber(1))).await, Ok(None));
    assert_eq!(store.answer(other.book, two).await, Ok(None), "another book");
    assert_eq!(store.answer(book_id(9), two).await, Ok(None), "no book");

    let before = dump(&place.path());
    let cases = [
        ("answered already", new_answer(two, 200, 20), true),
        ("no status", new_answer(mutation(9), 99, 20), false),
        ("no status", new_answer(mutation(9), 600, 20), false),
    ];
    for (what, answer, conflicts) in cases {
        let mut append = author.clone().stage(&["four"]);
        append.answers = vec![new_answer(mutation(8), 200, 20), answer];
        let result = store.append(append).await;
        assert_eq!(result == Err(StoreError::Conflict), conflicts, "{what}: {result:?}");
        assert!(result.is_err(), "{what}");
        assert_eq!(dump(&place.path()), before, "{what}");
    }
    let mut append = other.stage(&["two"]);
    append.answers = vec![new_answer(two, 599, 20), new_answer(mutation(9), 100, 20)];
    store.append(append).await.unwrap();
    assert_eq!(store.answer(other.book, two).await, Ok(Some(row(new_answer(two, 599, 20)))));
}

#[tokio::test]
async fn a_book_can_begin_with_an_answer() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    let mut new = author.new_book();
    new.first.answers = vec![new_answer(mutation(1), 201, 5)];
    store.create_book(new).await.unwrap();
    assert_eq!(store.answer(author.book, mutation(1)).await, Ok(Some(row(new_answer(mutation(1), 201, 5)))));
}

#[tokio::test]
async fn answers_before_a_moment_are_forgotten() {
    let place = Place::new();
    let store = place.open();
    let (mut author, mut other) = (Author::new(1), Author::new(2));
    author.create(&store).await;
    other.create(&store).await;
    for author in [&mut author, &mut other] {
        let mut append = author.stage(&["two"]);
        append.answers = (1..=3).map(|number| new_answer(mutation(number), 200, 10 * number as i64)).collect();
        store.append(append).await.unwrap();
    }
    let steps: [(i64, u64, &[u128]); 4] = [(10, 0, &[1, 2, 3]), (11, 2, &[2, 3]), (30, 2, &[3]), (31, 2, &[])];
    for (before, forgotten, left) in steps {
        assert_eq!(store.forget_answers(UnixMillis(before)).await, Ok(forgotten), "before {before}");
        for book in [author.book, other.book] {
            for number in 1..=3 {
                let found = store.answer(book, mutation(number)).await.unwrap();
                assert_eq!(found.is_some(), left.contains(&number), "before {before}: {number}");
            }
        }
    }
    // The log has forgotten nothing.
    assert_eq!(whole_log(&store, author.book).await.len(), 2);
}

/// However many there are: some below, at and above what one write takes.
#[tokio::test]
async fn all_of_many_answers_are_forgotten() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    for count in [999, 1_000, 1_001, 2_500] {
        let mut append = author.stage(&[""; 0]);
        append.answers = (0..=count).map(|number| new_answer(mutation(number), 200, i64::from(number == 0))).collect();
        store.append(append).await.unwrap();
        assert_eq!(store.forget_answers(UnixMillis(1)).await, Ok(count as u64));
        assert_eq!(store.forget_answers(UnixMillis(2)).await, Ok(1));
    }
}
