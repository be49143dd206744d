//! A server that starts again loads a long book from its snapshot, and from the log where the snapshot does not hold.

use std::io::{Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidebook_book::{BookId, Seq, Snapshot};
use tidebook_event_store::Store;
use tidebook_ledger::Ledger;
use tidebook_server::Signup;

use crate::far_behind::write_many;
use crate::person::{Book, Person};
use crate::says::{contact, fresh};
use crate::server::TestServer;

/// More entries than lie between two snapshots.
const ENTRIES: u64 = 4_200;

fn id_of(book: &Book) -> BookId {
    book.id.parse().expect("an id")
}

fn store_in(folder: &Path) -> Store {
    Store::open(&folder.join("tidebook.db")).expect("the server has let go of it")
}

/// The newest snapshot in the store of a server that has stopped.
async fn newest(folder: &Path, book: &Book) -> Option<(Seq, Vec<u8>)> {
    let store = store_in(folder);
    let newest = store.snapshots(id_of(book)).await.expect("a readable store").into_iter().next();
    store.close().await;
    newest
}

async fn put(folder: &Path, book: &Book, seq: Seq, bytes: &[u8]) {
    let store = store_in(folder);
    store.put_snapshot(id_of(book), seq, bytes.to_vec()).await.expect("room for it");
    store.close().await;
}

/// A long book with its snapshot in the store: what it is kept as is written beside everything else, so that a stop may
/// come before it.
async fn long_book() -> (TempDir, Person, Book, (Seq, Vec<u8>)) {
    let (mut server, mut mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    device.write(&[contact(&fresh(), "Ana")]).await;
    write_many(&mut device, ENTRIES).await;
    drop(device);
    loop {
        let folder = server.stop().finished().await;
        if let Some(snapshot) = newest(folder.path(), &book).await {
            return (folder, mira, book, snapshot);
        }
        server = TestServer::start_in(folder, Signup::Open).await;
        mira = mira.at(server.address);
        mira.snapshot(&book).await;
    }
}

fn unpacked(bytes: &[u8]) -> Value {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).expect("packed text");
    serde_json::from_str(&text).expect("JSON")
}

fn packed(snapshot: &Value) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(snapshot.to_string().as_bytes()).expect("memory");
    packer.finish().expect("memory")
}

/// With Ana called Bob, and the state hash that goes with it.
fn forged(bytes: &[u8]) -> Value {
    let text = unpacked(bytes).to_string().replacen("\"Ana\"", "\"Bob\"", 1);
    let snapshot: Snapshot<Ledger> = serde_json::from_str(&text).expect("a snapshot");
    let hash = snapshot.into_state().hash();
    crate::says::with(serde_json::from_str(&text).expect("JSON"), &json!({"state_hash": hash}))
}

#[tokio::test]
async fn a_snapshot_is_loaded_and_a_damaged_one_is_not() {
    let (mut folder, mut mira, book, (seq, bytes)) = long_book().await;
    assert!(seq.0 >= 4096, "{seq}");
    let whole = unpacked(&bytes);
    let with = |members: Value| packed(&crate::says::with(whole.clone(), &members));
    let zeros = "0".repeat(64);
    let damaged = [
        ("as it was kept", bytes.clone()),
        ("no bytes", Vec::new()),
        ("half of it", bytes[..bytes.len() / 2].to_vec()),
        (
            "a byte flipped",
            bytes.iter().enumerate().map(|(at, byte)| if at == bytes.len() / 2 { !byte } else { *byte }).collect(),
        ),
        ("not packed", whole.to_string().into_bytes()),
        ("another state hash", with(json!({"state_hash": zeros}))),
        ("another log's hash", with(json!({"hash": zeros}))),
        ("another seq", with(json!({"seq": seq.0 - 1}))),
        ("another version", with(json!({"state_version": 0}))),
        (
            "another state",
            with(
                json!({"state": {"book": whole["state"]["book"], "contacts": [], "transactions": [], "conflicts": []}}),
            ),
        ),
    ];
    let mut expected: Option<Value> = None;
    for (what, bytes) in damaged {
        put(folder.path(), &book, seq, &bytes).await;
        let server = TestServer::start_in(folder, Signup::Open).await;
        mira = mira.at(server.address);
        let snapshot = mira.snapshot(&book).await;
        assert_eq!(snapshot["seq"].as_u64(), Some(ENTRIES + 2), "{what}");
        assert_eq!(expected.get_or_insert_with(|| snapshot.clone()), &snapshot, "{what}");
        folder = server.stop().finished().await;
    }

    // That it is the snapshot which is loaded shows where it says something else, in due form.
    put(folder.path(), &book, seq, &packed(&forged(&bytes))).await;
    let server = TestServer::start_in(folder, Signup::Open).await;
    let mira = mira.at(server.address);
    let first = mira.get(&book.path("/contacts?limit=1")).await.json();
    assert_eq!(first["items"][0]["name"], "Bob");
    // And the book goes on from there.
    let answer = mira.ask(Method::POST, &book.path("/contacts"), Some(&json!({"name": "Cy"}))).await;
    assert_eq!(answer.json()["seq"].as_u64(), Some(ENTRIES + 3));
}
