//! Invites: how many, how often, how long.

use tidebook_book::{Role, UnixMillis};
use tidebook_event_store::{INVITES_PER_BOOK_MAX, InviteCreated, InviteRow, NewInvite, Store, StoreError};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Author, Place, book_id, dump, user, whole_log};

/// Made at its number, expires at 1000, can be used twice.
fn invite(number: u8, book: u128) -> NewInvite {
    NewInvite {
        id: id(number),
        book: book_id(book),
        token_hash: [number; 32],
        role: Role::Editor,
        uses_left: 2,
        created_by: user(1),
        created_at: UnixMillis(number.into()),
        expires_at: UnixMillis(1000),
    }
}

fn id(number: u8) -> Uuid {
    Uuid::from_u128(number.into())
}

fn row(new: NewInvite) -> InviteRow {
    let NewInvite { id, book, role, uses_left, created_by, created_at, expires_at, .. } = new;
    InviteRow { id, book, role, uses_left, created_by, created_at, expires_at }
}

async fn use_once(store: &Store, author: &mut Author, invite: Uuid) -> Result<(), StoreError> {
    let mut attempt = author.clone();
    let mut append = attempt.stage(&["joins"]);
    append.members = vec![(user(2), Some(Role::Editor), UnixMillis(8))];
    append.invite_used = Some(invite);
    store.append(append).await.inspect(|()| *author = attempt)
}

#[tokio::test]
async fn an_invite_is_found_by_its_tokens_hash_until_it_is_revoked() {
    let place = Place::new();
    let store = place.open();
    assert_eq!(store.create_invite(invite(1, 1)).await, Ok(InviteCreated::NoSuchBook));
    Author::new(1).create(&store).await;
    Author::new(2).create(&store).await;
    for (number, book) in [(2, 1), (1, 1), (3, 2)] {
        assert_eq!(store.create_invite(invite(number, book)).await, Ok(InviteCreated::New));
    }
    let viewer = NewInvite { role: Role::Viewer, created_by: user(4), uses_left: u32::MAX, ..invite(4, 2) };
    assert_eq!(store.create_invite(viewer.clone()).await, Ok(InviteCreated::New));

    assert_eq!(store.invite_by_token([4; 32]).await, Ok(Some(row(viewer.clone()))));
    assert_eq!(store.invite_by_token([9; 32]).await, Ok(None));
    let now = UnixMillis(5);
    assert_eq!(store.invites_of(book_id(1), now).await, Ok(vec![row(invite(1, 1)), row(invite(2, 1))]));
    assert_eq!(store.invites_of(book_id(2), now).await, Ok(vec![row(invite(3, 2)), row(viewer)]));
    assert_eq!(store.invites_of(book_id(9), now).await, Ok(vec![]));

    assert_eq!(store.revoke_invite(book_id(2), id(1)).await, Ok(false));
    assert_eq!(store.revoke_invite(book_id(1), id(1)).await, Ok(true));
    assert_eq!(store.revoke_invite(book_id(1), id(1)).await, Ok(false));
    assert_eq!(store.invite_by_token([1; 32]).await, Ok(None));
    assert_eq!(store.invites_of(book_id(1), now).await, Ok(vec![row(invite(2, 1))]));

    let same_token = NewInvite { id: id(5), ..invite(3, 1) };
    assert_eq!(store.create_invite(same_token).await, Err(StoreError::Conflict));
    let same_id = NewInvite { id: id(3), ..invite(5, 1) };
    assert_eq!(store.create_invite(same_id).await, Err(StoreError::Conflict));
}

#[tokio::test]
async fn an_invite_stands_until_its_time_and_its_last_use() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    assert_eq!(store.create_invite(invite(1, 1)).await, Ok(InviteCreated::New));
    for (now, stands) in [(999, true), (1000, false), (1001, false)] {
        let standing = store.invites_of(author.book, UnixMillis(now)).await.unwrap();
        assert_eq!(standing.len(), usize::from(stands), "at {now}");
    }
    for (uses_left, stands) in [(1, true), (0, false)] {
        use_once(&store, &mut author, id(1)).await.unwrap();
        let standing = store.invites_of(author.book, UnixMillis(5)).await.unwrap();
        assert_eq!(standing.len(), usize::from(stands), "with {uses_left} uses left");
        assert_eq!(store.invite_by_token([1; 32]).await.unwrap().unwrap().uses_left, uses_left);
    }
    assert_eq!(whole_log(&store, author.book).await.len(), 3);
}

#[tokio::test]
async fn an_append_that_finds_no_use_left_writes_nothing() {
    let place = Place::new();
    let store = place.open();
    let (mut author, mut other) = (Author::new(1), Author::new(2));
    author.create(&store).await;
    other.create(&store).await;
    // The used-up one last: making another would remove it.
    for new in [invite(2, 1), invite(3, 2), NewInvite { uses_left: 0, ..invite(1, 1) }] {
        assert_eq!(store.create_invite(new).await, Ok(InviteCreated::New));
    }
    assert_eq!(store.revoke_invite(author.book, id(2)).await, Ok(true));
    let before = dump(&place.path());
    for (what, number) in [("used up", 1), ("revoked", 2), ("of another book", 3), ("never there", 4)] {
        assert_eq!(use_once(&store, &mut author, id(number)).await, Err(StoreError::Conflict), "{what}");
        assert_eq!(dump(&place.path()), before, "{what}");
    }
    use_once(&store, &mut other, id(3)).await.unwrap();
}

#[tokio::test]
async fn an_append_that_fails_for_another_reason_takes_no_use() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    assert_eq!(store.create_invite(invite(1, 1)).await, Ok(InviteCreated::New));
    let mut append = author.stage(&["joins"]);
    append.numbers[0].n.0 = u64::MAX;
    append.invite_used = Some(id(1));
    assert!(matches!(store.append(append).await, Err(StoreError::Failed(_))));
    assert_eq!(store.invite_by_token([1; 32]).await, Ok(Some(row(invite(1, 1)))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_come_for_the_last_use_one_gets_it() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    let single = NewInvite { uses_left: 1, ..invite(1, 1) };
    assert_eq!(store.create_invite(single).await, Ok(InviteCreated::New));
    let mut rivals = JoinSet::new();
    for _ in 0..20 {
        let (store, mut author) = (store.clone(), author.clone());
        // Without an entry the head stays, so that nothing but the invite decides.
        let mut append = author.stage(&[""; 0]);
        append.invite_used = Some(id(1));
        rivals.spawn(async move { store.append(append).await });
    }
    let results = rivals.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| **result == Err(StoreError::Conflict)).count(), 19, "{results:?}");
}

#[tokio::test]
async fn a_book_has_so_many_invites_that_stand_and_no_more() {
    let place = Place::new();
    let store = place.open();
    let mut author = Author::new(1);
    author.create(&store).await;
    Author::new(2).create(&store).await;
    let max = u8::try_from(INVITES_PER_BOOK_MAX).unwrap();
    for number in 1..=max {
        // The first expires early, the second has a use left.
        let expires_at = UnixMillis(if number == 1 { 300 } else { 1000 });
        let uses_left = if number == 2 { 1 } else { 2 };
        let new = NewInvite { expires_at, uses_left, ..invite(number, 1) };
        assert_eq!(store.create_invite(new).await, Ok(InviteCreated::New), "{number}");
    }
    let try_at = |number, at| {
        let new = NewInvite { created_at: UnixMillis(at), ..invite(number, 1) };
        let store = store.clone();
        async move { store.create_invite(new).await.unwrap() }
    };
    assert_eq!(try_at(max + 1, 299).await, InviteCreated::TooMany);
    assert_eq!(store.invite_by_token([max + 1; 32]).await, Ok(None));
    assert_eq!(store.create_invite(invite(200, 2)).await, Ok(InviteCreated::New), "another book has its own");

    assert_eq!(try_at(max + 1, 300).await, InviteCreated::New, "one has expired");
    assert_eq!(store.invite_by_token([1; 32]).await, Ok(None));
    assert_eq!(try_at(max + 2, 300).await, InviteCreated::TooMany);
    use_once(&store, &mut author, id(2)).await.unwrap();
    assert_eq!(try_at(max + 2, 300).await, InviteCreated::New, "one is used up");
    assert_eq!(store.invite_by_token([2; 32]).await, Ok(None));
    assert_eq!(try_at(max + 3, 300).await, InviteCreated::TooMany);
    assert_eq!(store.invites_of(author.book, UnixMillis(300)).await.unwrap().len(), INVITES_PER_BOOK_MAX);
}

#[test]
fn no_secret_is_printed() {
    let text = format!("{:?}", invite(7, 1));
    assert!(!text.contains("token_hash") && text.contains("Editor"), "{text}");
}
