//! Accounts and sessions.

use tidebook_book::UnixMillis;
use tidebook_event_store::{AccountCreated, NewSession, SessionRow, StoreError};
use uuid::Uuid;

use crate::support::{Place, account, replica, user};

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

#[test]
fn no_secret_is_printed() {
    let text = format!("{:?}", session(1, 1));
    assert!(!text.contains("token_hash") && text.contains("web/1"), "{text}");
}
