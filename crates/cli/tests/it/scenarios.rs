//! Two of the scenarios that the sync core has to come through, with the program and its server, as who is signed in is
//! decided there. The others are in `crates/sim/tests/it/scenarios`.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::home::{records, whole};
use crate::person::{PASSWORD, Person};
use crate::program::{Ran, Serving, lasting_port, run, tidebook};

/// A home in which nobody is signed in by the environment.
async fn ran(home: &Path, arguments: &[&str]) -> Ran {
    run(tidebook(home).args(arguments), "").await
}

async fn done(home: &Path, arguments: &[&str]) -> Value {
    let ran = ran(home, &[arguments, &["--json"]].concat()).await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).expect("JSON")
}

async fn log_in(home: &Path, person: &Person) {
    let mut login = tidebook(home);
    login.args(["login", "--server", &format!("http://{}", person.address), "--email", &person.email]);
    let ran = run(login.env("TIDEBOOK_PASSWORD", PASSWORD), "").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

/// The session ends while its device has no network and goes on writing: nothing is sent, nothing is lost, and it goes once
/// the person has signed in again, under the replica's own numbers.
#[tokio::test]
async fn a_token_expired_offline() {
    let (data, port) = (tempfile::tempdir().expect("a folder"), lasting_port());
    let serving = Serving::start(data.path(), port).await;
    let mira = Person::sign_up(serving.address, "Mira").await;
    let book = mira.book("Harbour Street").await;
    let home = tempfile::tempdir().expect("a folder");
    log_in(home.path(), &mira).await;
    done(home.path(), &["add", "Ana", "20", "--gave"]).await;

    serving.kill().await;
    for amount in ["1", "2", "3"] {
        done(home.path(), &["add", "Ana", amount, "--gave", "--offline"]).await;
    }
    // 90 days pass.
    let store = Connection::open(data.path().join("tidebook.db")).expect("the server's store");
    let ended = store.execute("UPDATE sessions SET expires_at = 1", []).expect("they end");
    assert!(ended > 0);
    drop(store);

    let serving = Serving::start(data.path(), port).await;
    let told = ran(home.path(), &["sync"]).await;
    assert_ne!(told.code, Some(0), "{}", told.out);
    assert!(told.err.to_lowercase().contains("sign in"), "{}", told.err);
    let waits = done(home.path(), &["status", "--offline"]).await;
    assert_eq!(waits[0]["waiting"].as_array().map(Vec::len), Some(3), "{waits}");

    log_in(home.path(), &mira).await;
    done(home.path(), &["sync"]).await;
    let mira = mira.at(serving.address).sign_in().await;
    let (log, snapshot) = (mira.log(&book).await, mira.snapshot(&book).await);
    let entries = whole(&log, &snapshot);
    assert!(entries.values().all(|entry| entry.rejection() == ("", "")));
    assert_eq!(records(&snapshot, "transactions").len(), 4);
    let settled = done(home.path(), &["status", "--offline"]).await;
    assert_eq!(settled[0]["waiting"], json!([]));
}

/// Somebody else signs in on the same device while the first one's work waits there: they do not see it, and whatever they do,
/// it is not sent under their name; it goes when the first one is back.
#[tokio::test]
async fn a_user_switch_that_never_sends_anothers_work() {
    let (data, port) = (tempfile::tempdir().expect("a folder"), lasting_port());
    let serving = Serving::start(data.path(), port).await;
    let mira = Person::sign_up(serving.address, "Mira").await;
    let jonas = Person::sign_up(serving.address, "Jonas").await;
    // Both may write in it, so that nothing but the device keeps them apart.
    let book = mira.book("Harbour Street").await;
    mira.let_in(&jonas, &book, "editor").await;
    let home = tempfile::tempdir().expect("a folder");
    log_in(home.path(), &mira).await;
    done(home.path(), &["add", "Ana", "20", "--gave"]).await;
    for amount in ["1", "2", "3"] {
        done(home.path(), &["add", "Ana", amount, "--gave", "--offline"]).await;
    }
    let before = mira.log(&book).await.len();

    log_in(home.path(), &jonas).await;
    done(home.path(), &["sync"]).await;
    let seen = done(home.path(), &["status"]).await;
    assert_eq!(seen[0]["waiting"], json!([]), "{seen}");
    done(home.path(), &["add", "Ben", "7", "--gave"]).await;
    let log = mira.log(&book).await;
    let by_jonas: Vec<&Value> = log[before..].iter().map(|entry| &entry.value["by"]).collect();
    assert_eq!(by_jonas, [&json!(jonas.id)], "what he wrote, and nothing else");

    log_in(home.path(), &mira).await;
    done(home.path(), &["sync"]).await;
    let log = mira.log(&book).await;
    let by_mira = log[before + 1..].iter().filter(|entry| entry.value["by"] == mira.id.as_str()).count();
    assert_eq!((log.len(), by_mira), (before + 4, 3));
    let replicas = |id: &str| {
        let by = log[2..].iter().filter(|entry| entry.value["by"] == id);
        by.map(|entry| entry.value["replica"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let (hers, his) = (replicas(&mira.id), replicas(&jonas.id));
    assert!(his.iter().all(|replica| !hers.contains(replica)), "each has numbers of their own");
    serving.kill().await;
}
