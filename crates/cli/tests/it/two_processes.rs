//! A program that runs, and short ones beside it over the same store: each takes in what the other wrote.

use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tidebook_book::BookId;
use tidebook_client::{Api, Driver, Store, new_replica};
use tidebook_ledger::{ContactId, LedgerOp};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::home::{Home, records, sound};
use crate::person::{Book, Person};
use crate::program::{Place, Serving, lasting_port};
use crate::raw::PATIENCE;

/// A replica to which nothing happens for so long has nothing left to do.
const SETTLED_WITHIN: Duration = Duration::from_millis(500);

/// This process runs a replica on the home's store, as a program would that stays.
async fn running(home: &Home, mira: &Person, book: &Book) -> Driver {
    let store = Store::open(&home.store(), new_replica()).expect("a store");
    let api = Api::new(&format!("http://{}", mira.address), Some(mira.token.clone())).expect("an address");
    let mut driver = Driver::new(api, store, mira.id.parse().expect("an id"), "test/1").expect("a replica");
    driver.open_book(id_of(book)).expect("it is in the store");
    driver.reach(PATIENCE).await.expect("a server");
    // Until it has written all that it has to: a write would show it what others wrote.
    while driver.next_within(SETTLED_WITHIN).await.expect("it goes on").is_some() {}
    driver
}

fn id_of(book: &Book) -> BookId {
    book.id.parse().expect("an id")
}

/// Works until the book has somebody of this name.
async fn until_known(driver: &mut Driver, book: &Book, name: &str) {
    let known = |driver: &Driver| {
        let copy = driver.replica().book(id_of(book)).expect("it is open");
        copy.view().domain.contacts().any(|contact| contact.name == name)
    };
    let seen = async {
        while !known(driver) {
            driver.next_within(PATIENCE).await.expect("it goes on");
        }
    };
    timeout(PATIENCE, seen).await.expect("it sees what others write");
}

#[tokio::test]
async fn one_that_runs_shows_and_sends_what_another_wrote() {
    let place = Place::new().await;
    let book = place.mira.book("Harbour Street").await;
    let home = Home::of(&place.mira);
    home.sync().await;
    let mut driver = running(&home, &place.mira, &book).await;
    // The one beside it has no network: only the running one can send it.
    home.saved_offline(&["contact", "add", "Ana"]).await;
    until_known(&mut driver, &book, "Ana").await;
    driver.reach(PATIENCE).await.expect("a server");
    assert_eq!(records(&place.mira.snapshot(&book).await, "contacts").len(), 1);

    let bo = LedgerOp::create_contact(ContactId(uuid::Uuid::now_v7()), "Bo");
    driver.mutate(id_of(&book), vec![bo]).expect("it is kept");
    // Nothing of it is sent: the driver does not run meanwhile.
    home.saved_offline(&["add", "Bo", "5", "--gave", "--new", "never"]).await;
    home.done(&["contact", "add", "Cleo"]).await;
    until_known(&mut driver, &book, "Cleo").await;
    driver.reach(PATIENCE).await.expect("a server");
    let snapshot = home.assert_has_what_the_server_has(&book).await;
    sound(&place.mira.log(&book).await, &snapshot);
    assert_eq!((records(&snapshot, "contacts").len(), records(&snapshot, "transactions").len()), (3, 1));
}

#[tokio::test]
async fn a_sync_that_waits_for_the_server_sends_what_comes_to_wait_beside_it() {
    let data: TempDir = tempfile::tempdir().expect("a folder");
    let port = lasting_port();
    let serving = Serving::start(data.path(), port).await;
    let mira = Person::sign_up(serving.address, "Mira").await;
    let book = mira.book("Harbour Street").await;
    let home = Home::of(&mira);
    home.sync().await;
    serving.kill().await;

    let deaf = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free again");
    let mut command = home.command(&["sync", "--wait", "60"]);
    let waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    // It knocks: it has opened the store, and read it.
    let knock = timeout(PATIENCE, deaf.accept()).await.expect("it knocks").expect("a line");
    let said = home.saved_offline(&["contact", "add", "Ana"]).await;
    drop((knock, deaf));
    let serving = Serving::start(data.path(), port).await;
    let output = timeout(PATIENCE * 2, waiting.wait_with_output()).await.expect("it ends").expect("its output");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = mira.log(&book).await;
    assert_eq!(log.last().expect("an entry").value["id"], said["mutation"]);
    home.assert_has_what_the_server_has(&book).await;
    serving.kill().await;
}
