//! Accounts and sessions.

use tidebook_book::{Person, Role, UnixMillis};
use tidebook_event_store::{AccountCreated, AccountRow, NewSession, SessionRow, Store, StoreError};
use uuid::Uuid;

use crate::support::{Author, Place, account, replica, user, whole_log};

fn session(number: u8, of: u128) -> NewSession {
    NewSession {
        id: Uuid::from_u128(number.into()),
        user: user(of),
        token_hash: [number; 32],
        replica: replica(number.into()),
        client: "web/1".into(),
        created_at: UnixMillis(number.into()),
        expires_at: UnixMillis(100),
    }
}

fn row(number: u8, of: u128, last_seen_at: i64) -> SessionRow {
    let NewSession { id, user, replica, client, created_at, expires_at, .. } = session(number, of);
    SessionRow { id, user, replica, client, created_at, last_seen_at: UnixMillis(last_seen_at), expires_at }
}

#[tokio::test]
async fn an_email_address_has_one_account() {
    let place = Place::new();
    let store = place.open();
    assert_eq!(store.account_count().await, Ok(0));
    assert_eq!(account(&store, 1, "Ada").await, AccountCreated::New);
    assert_eq!(account(&store, 2, "Ada").await, AccountCreated::EmailTaken);
    assert_eq!(account(&store, 2, "Ben").await, AccountCreated::New);
    assert_eq!(store.account_count().await, Ok(2));

    let ada = store.account_by_email("ada@example.com").await.unwrap().unwrap();
    assert_eq!((ada.id, ada.name.as_str(), ada.admin, ada.created_at), (user(1), "Ada", true, UnixMillis(7)));
    assert_eq!(store.account(user(1)).await, Ok(Some(ada)));
    assert_eq!(store.account_by_email("Ada@example.com").await, Ok(None));
    assert_eq!(store.account(user(3)).await, Ok(None));
}

#[tokio::test]
async fn sessions_are_found_by_their_tokens_hash_until_they_end() {
    let place = Place::new();
    let store = place.open();
    account(&store, 1, "Ada").await;
    account(&store, 2, "Ben").await;
    for (number, of) in [(2, 1), (1, 1), (3, 2)] {
        store.create_session(session(number, of)).await.unwrap();
    }
    assert_eq!(store.session([1; 32]).await, Ok(Some(row(1, 1, 1))));
    assert_eq!(store.session([9; 32]).await, Ok(None));
    assert_eq!(store.sessions_of(user(1)).await, Ok(vec![row(1, 1, 1), row(2, 1, 2)]));

    // Seen at 50, then a slower request says 40; and once more after it has expired.
    for (at, last_seen_at) in [(50, 50), (40, 50), (200, 200)] {
        store.touch_session(Uuid::from_u128(1), UnixMillis(at)).await.unwrap();
        assert_eq!(store.session([1; 32]).await, Ok(Some(row(1, 1, last_seen_at))));
    }
    store.touch_session(Uuid::from_u128(9), UnixMillis(1)).await.unwrap();

    assert_eq!(store.end_session(user(2), Uuid::from_u128(1)).await, Ok(false));
    assert_eq!(store.end_session(user(1), Uuid::from_u128(1)).await, Ok(true));
    assert_eq!(store.end_session(user(1), Uuid::from_u128(1)).await, Ok(false));
    assert_eq!(store.session([1; 32]).await, Ok(None));
    assert_eq!(store.sessions_of(user(1)).await, Ok(vec![row(2, 1, 2)]));
}

#[tokio::test]
async fn a_session_needs_an_account_and_a_token_of_its_own() {
    let place = Place::new();
    let store = place.open();
    assert!(matches!(store.create_session(session(1, 1)).await, Err(StoreError::Failed(_))));
    account(&store, 1, "Ada").await;
    store.create_session(session(1, 1)).await.unwrap();
    let same_token = NewSession { id: Uuid::from_u128(2), ..session(1, 1) };
    assert_eq!(store.create_session(same_token).await, Err(StoreError::Conflict));
}

#[tokio::test]
async fn a_new_name_is_its_accounts_alone() {
    let place = Place::new();
    let store = place.open();
    account(&store, 1, "Ada").await;
    account(&store, 2, "Ben").await;
    let before = store.account(user(1)).await.unwrap().unwrap();
    assert_eq!(store.rename_account(user(1), "Ada L.".into()).await, Ok(true));
    assert_eq!(store.account(user(1)).await, Ok(Some(AccountRow { name: "Ada L.".into(), ..before })));
    assert_eq!(store.account(user(2)).await.unwrap().unwrap().name, "Ben");
    assert_eq!(store.rename_account(user(3), "Cyd".into()).await, Ok(false));
    assert_eq!(store.account(user(3)).await, Ok(None));
}

/// User 1 has sessions 1, 2 and 3; user 2 has session 4.
async fn with_sessions(place: &Place) -> Store {
    let store = place.open();
    account(&store, 1, "Ada").await;
    account(&store, 2, "Ben").await;
    for (number, of) in [(1, 1), (2, 1), (3, 1), (4, 2)] {
        store.create_session(session(number, of)).await.unwrap();
    }
    store
}

fn numbers(mut ids: Vec<Uuid>) -> Vec<u128> {
    ids.sort_unstable();
    ids.iter().map(Uuid::as_u128).collect()
}

async fn sessions_left(store: &Store) -> Vec<u128> {
    let (of_one, of_two) = (store.sessions_of(user(1)).await.unwrap(), store.sessions_of(user(2)).await.unwrap());
    of_one.into_iter().chain(of_two).map(|row| row.id.as_u128()).collect()
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    type Case = (u128, Option<u128>, &'static [u128], &'static [u128]);
    let cases: [Case; 5] = [
        (1, Some(2), &[1, 3], &[2, 4]),
        (1, None, &[1, 2, 3], &[4]),
        (1, Some(4), &[1, 2, 3], &[4]),
        (2, Some(4), &[], &[1, 2, 3, 4]),
        (3, None, &[], &[1, 2, 3, 4]),
    ];
    for (number, kept, ended, left) in cases {
        let place = Place::new();
        let store = with_sessions(&place).await;
        let result = store.set_password(user(number), "$new$".into(), kept.map(Uuid::from_u128)).await;
        assert_eq!(result.map(numbers).unwrap(), ended, "of {number}, but {kept:?}");
        assert_eq!(sessions_left(&store).await, left, "of {number}, but {kept:?}");
        for other in [1, 2] {
            let hash = store.account(user(other)).await.unwrap().unwrap().password_hash;
            assert_eq!(hash == "$new$", number == other, "of {number}: {other}");
        }
    }
}

#[tokio::test]
async fn a_deleted_account_leaves_what_it_wrote() {
    let place = Place::new();
    let store = with_sessions(&place).await;
    let mut author = Author::new(1);
    author.create(&store).await;
    let log = whole_log(&store, author.book).await;
    let ended = store.delete_account(user(1)).await.unwrap();
    assert_eq!(numbers(ended), [1, 2, 3]);
    assert_eq!(sessions_left(&store).await, [4]);
    assert_eq!(store.account(user(1)).await, Ok(None));
    assert_eq!(store.account_count().await, Ok(1));
    assert_eq!(store.delete_account(user(1)).await, Ok(vec![]));

    assert_eq!(whole_log(&store, author.book).await, log);
    let nameless = Person { id: user(1), name: String::new(), role: Some(Role::Owner) };
    assert_eq!(store.people(author.book).await, Ok(vec![nameless]));
    // The address is free again.
    assert_eq!(account(&store, 3, "Ada").await, AccountCreated::New);
}

#[tokio::test]
async fn expired_sessions_are_ended_for_all() {
    let place = Place::new();
    let store = with_sessions(&place).await;
    for (number, expires_at) in [(5, 99), (6, 101)] {
        let session = NewSession { expires_at: UnixMillis(expires_at), ..session(number, 2) };
        store.create_session(session).await.unwrap();
    }
    let steps: [(i64, &[u128], &[u128]); 4] =
        [(98, &[], &[1, 2, 3, 4, 5, 6]), (99, &[5], &[1, 2, 3, 4, 6]), (100, &[1, 2, 3, 4], &[6]), (100, &[], &[6])];
    for (now, ended, left) in steps {
        let result = store.purge_expired_sessions(UnixMillis(now)).await;
        assert_eq!(result.map(numbers).unwrap(), ended, "at {now}");
        assert_eq!(sessions_left(&store).await, left, "at {now}");
    }
    assert_eq!(store.account_count().await, Ok(2));
}

#[test]
fn no_secret_is_printed() {
    let text = format!("{:?}", session(1, 1));
    assert!(!text.contains("token_hash") && text.contains("web/1"), "{text}");
}
