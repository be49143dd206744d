//! How far a driver comes where there is no server, or one that says nothing.

use std::time::Duration;

use tidebook_book::BookId;
use tidebook_client::{Api, Driver, Reached, Store, new_replica};
use tokio::net::TcpListener;
use uuid::Uuid;

const BOOK: BookId = BookId(Uuid::from_u128(7));

fn driver(port: u16) -> Driver {
    let api = Api::new(&format!("http://127.0.0.1:{port}"), Some("token".into())).expect("an address");
    let store = Store::in_memory(new_replica()).expect("a store");
    let mut driver = Driver::new(api, store, tidebook_book::UserId(Uuid::from_u128(1)), "test/1").expect("a replica");
    driver.open_book(BOOK).expect("nothing of it is stored");
    driver
}

#[tokio::test]
async fn a_closed_port_is_told_at_once_and_a_silent_one_after_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut patient = driver(port);
    assert!(!patient.is_unreachable());
    let reached = patient.reach(Duration::from_millis(50)).await.expect("no fault of the store");
    assert!(matches!(reached, Reached::TooSlow(_)), "{reached:?}");
    drop(listener);

    let mut driver = driver(port);
    let reached = driver.reach(Duration::from_secs(30)).await.expect("no fault of the store");
    let Reached::Unreachable(reason) = reached else { panic!("{reached:?}") };
    assert!(driver.is_unreachable() && driver.last_error() == Some(&reason), "{reason}");
    assert_eq!(driver.unsent(), 0);
}

#[tokio::test]
async fn without_an_open_book_a_closed_port_does_not_matter() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut driver = driver(listener.local_addr().expect("an address").port());
    driver.forget_book(BOOK).expect("it is forgotten");
    assert_eq!(driver.reach(Duration::from_secs(1)).await.expect("no fault"), Reached::Current);
}
