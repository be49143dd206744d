//! `tidebook backup` of a server that is being written to, and `tidebook restore` of what it made.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::person::{Book, Person};
use crate::program::{Ran, Serving, run, tidebook};
use crate::raw::Chain;
use crate::says::{fresh, someone, subscribe_after, with};

/// Backups in a run of the tests; `cargo xtask prove backups` asks for more.
const BACKUPS: usize = 10;
const BACKUPS_VARIABLE: &str = "PROVE_BACKUPS";

const BOOKS: usize = 2;

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub(crate) async fn ran(home: &Path, arguments: &[&str]) -> Ran {
    run(tidebook(home).args(arguments), "").await
}

/// The same, of a run that is to succeed.
pub(crate) async fn done(home: &Path, arguments: &[&str]) -> Value {
    let ran = ran(home, &[arguments, &["--json"]].concat()).await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).expect("JSON")
}

#[tokio::test]
async fn a_restored_server_sends_a_device_of_the_old_history_to_a_snapshot() {
    let home = tempfile::tempdir().expect("a folder");
    let (data, restored) = (home.path().join("data"), home.path().join("restored"));
    let backup = home.path().join("backup.db");
    let serving = Serving::start(&data, 0).await;
    let mira = Person::sign_up(serving.address, "Mira").await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    device.write(&[someone()]).await;
    let invite = mira.invite(&book, &json!({"role": "editor"})).await;
    let made = done(home.path(), &["backup", "--data", text(&data), text(&backup)]).await;
    assert_eq!((&made["books"], &made["entries"]), (&json!(1), &json!(2)));
    device.write(&[someone()]).await;
    let old = mira.log(&book).await;
    serving.kill().await;
    done(home.path(), &["restore", "--data", text(&restored), text(&backup)]).await;

    let serving = Serving::start(&restored, 0).await;
    // The session is still good.
    let mira = mira.at(serving.address);
    assert_eq!(mira.log(&book).await, old[..2]);
    let now = mira.get(&book.path("")).await.json();
    assert_ne!(now["epoch"], book.epoch.as_str());
    for (after, named) in [(3, &book.epoch), (2, &book.epoch), (3, &fresh())] {
        let mut raw = mira.welcomed(&device.replica).await;
        let hash = Chain::of(old[..after].iter().map(|entry| entry.bytes.as_str())).hex();
        let subscribe = with(subscribe_after(&book, after as u64, &hash), &json!({"epoch": named}));
        raw.send(&subscribe).await;
        // Of an epoch it never had it cannot know where it parted.
        let from = if *named == book.epoch { json!(2) } else { json!(null) };
        let expected = json!({
            "type": "snapshot_required", "book": book.id, "epoch": now["epoch"], "from_seq": from, "seq": 2,
        });
        assert_eq!(raw.frame().await, expected, "{after} {named}");
    }
    let ben = Person::sign_up(serving.address, "Ben").await;
    assert_eq!(ben.accept(&invite).await.problem(), (410, "invite_gone".into()));
    let invites = mira.get(&book.path("/invites")).await.json();
    assert_eq!(invites["items"], json!([]));
}

#[tokio::test]
async fn sessions_can_be_ended_with_a_restore() {
    let home = tempfile::tempdir().expect("a folder");
    let (data, backup) = (home.path().join("data"), home.path().join("backup.db"));
    let serving = Serving::start(&data, 0).await;
    let mira = Person::sign_up(serving.address, "Mira").await;
    done(home.path(), &["backup", "--data", text(&data), text(&backup)]).await;
    for (name, options, status) in [("kept", &[][..], 200), ("ended", &["--end-sessions"], 401)] {
        let restored = home.path().join(name);
        done(home.path(), &[&["restore", "--data", text(&restored), text(&backup)], options].concat()).await;
        let serving = Serving::start(&restored, 0).await;
        let mira = mira.clone().at(serving.address);
        assert_eq!(mira.get("/api/v1/accounts/me").await.status, status, "{name}");
        assert_eq!(mira.sign_in().await.ask(Method::GET, "/api/v1/accounts/me", None).await.status, 200);
    }
}

#[tokio::test]
async fn what_is_there_is_neither_replaced_nor_mixed() {
    let home = tempfile::tempdir().expect("a folder");
    let (data, backup) = (home.path().join("data"), home.path().join("backup.db"));
    let (nothing, new) = (home.path().join("nothing"), home.path().join("new.db"));
    let serving = Serving::start(&data, 0).await;
    done(home.path(), &["backup", "--data", text(&data), text(&backup)]).await;
    let damaged = home.path().join("damaged.db");
    std::fs::copy(&backup, &damaged).expect("a copy");
    let conn = rusqlite::Connection::open(&damaged).expect("a database");
    let damage = "PRAGMA foreign_keys = OFF; INSERT INTO past_epochs VALUES (7, zeroblob(16), 1)";
    conn.execute_batch(damage).expect("it is written");
    drop(conn);
    let cases: [(&[&str], &str); 6] = [
        (&["backup", "--data", text(&data), text(&backup)], "is there already"),
        (&["backup", "--data", text(&nothing), text(&new)], "no store at"),
        (&["restore", "--data", text(&data), text(&backup)], "in use by another server"),
        (&["restore", "--data", text(&nothing), text(&new)], "no store at"),
        (&["restore", "--data", text(&nothing), text(&damaged)], "belongs to a row of books"),
        (&["check", "--data", text(&nothing)], "no store at"),
    ];
    for (arguments, said) in cases {
        let ran = ran(home.path(), arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
    serving.signal("TERM").await;
    serving.ended().await;
    let ran = ran(home.path(), &["restore", "--data", text(&data), text(&backup)]).await;
    assert!(ran.code == Some(1) && ran.err.contains("away first"), "{}", ran.err);
    assert!(!nothing.join("tidebook.db").exists());
}

/// Two devices write all the while that a backup is made; whatever moment it is of, it is one the books were at.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "how much was at stake belongs to the result")]
async fn backups_under_load_are_beginnings_of_the_log() {
    let count = std::env::var(BACKUPS_VARIABLE).map_or(BACKUPS, |count| count.parse().expect("a number"));
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().join("data");
    let serving = Serving::start(&data, 0).await;
    let mira = Person::sign_up(serving.address, "Mira").await;
    let (load, written) = (watch::Sender::new(Load::Paused), watch::Sender::new(0_usize));
    let (mut writers, mut books) = (tokio::task::JoinSet::new(), Vec::new());
    for name in 0..BOOKS {
        let book = mira.book(&format!("Book {name}")).await;
        writers.spawn(write(mira.clone(), book.clone(), load.subscribe(), written.clone()));
        books.push(book);
    }
    let (mut heads, mut beside) = (Vec::new(), 0);
    for number in 0..count {
        load.send_replace(Load::Writing);
        let before = *written.borrow();
        written.subscribe().wait_for(|now| *now > before + 10).await.expect("writers go on");
        let backup = home.path().join(format!("{number}.db"));
        let before = *written.borrow();
        done(home.path(), &["backup", "--data", text(&data), text(&backup)]).await;
        beside += *written.borrow() - before;
        // So that a hundred of them end before long: logs would grow as fast as the machine can write.
        load.send_replace(Load::Paused);
        let restored = home.path().join(format!("restored-{number}"));
        done(home.path(), &["restore", "--data", text(&restored), text(&backup)]).await;
        let checked = done(home.path(), &["check", "--data", text(&restored)]).await;
        assert_eq!(checked["faults"], json!([]));
        heads.push(logs_in(&restored.join("tidebook.db"), &books));
        std::fs::remove_file(&backup).expect("it was made");
        std::fs::remove_dir_all(&restored).expect("it was made");
    }
    load.send_replace(Load::Writing);
    let checked = done(home.path(), &["check", "--data", text(&data)]).await;
    assert_eq!(checked["faults"], json!([]), "beside the running server");
    load.send_replace(Load::Over);
    assert!(beside > count, "next to nothing was written beside the backups: {beside}");
    writers.join_all().await;

    let mut last = [0; BOOKS];
    let mut finals = Vec::new();
    for book in &books {
        finals.push(mira.log(book).await);
    }
    for logs in heads {
        for (index, (log, head_hash)) in logs.into_iter().enumerate() {
            assert!(log.len() >= last[index] && log.len() <= finals[index].len(), "a backup went back in time");
            assert!(log.iter().zip(&finals[index]).all(|(kept, entry)| *kept == entry.bytes.as_bytes()));
            let chain = Chain::of(finals[index][..log.len()].iter().map(|entry| entry.bytes.as_str()));
            assert_eq!(chain.hex(), head_hash);
            last[index] = log.len();
        }
    }
    println!(
        "{count} backups while {beside} entries were written: each restores to a beginning of the log, hashes equal"
    );
}

/// What the writers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Paused,
    Writing,
    Over,
}

/// Pushes a few mutations at a time, without a pause of its own.
async fn write(mira: Person, book: Book, mut load: watch::Receiver<Load>, written: watch::Sender<usize>) {
    let mut device = mira.device(&book).await;
    while *load.wait_for(|load| *load != Load::Paused).await.expect("the test goes on") == Load::Writing {
        let mutations: Vec<Value> = (1..=4).map(|more| crate::says::mutation(device.n + more, &[someone()])).collect();
        device.n += 4;
        for fate in device.offer(&mutations).await {
            fate.entry();
        }
        written.send_modify(|count| *count += 4);
    }
}

/// As SQL sees them: each book's entries, and the hash of its head.
fn logs_in(database: &Path, books: &[Book]) -> Vec<(Vec<Vec<u8>>, String)> {
    let conn = rusqlite::Connection::open(database).expect("a database");
    let log = |book: &Book| {
        let id = format!("x'{}'", book.id.replace('-', ""));
        let entries =
            format!("SELECT bytes FROM entries WHERE book = (SELECT key FROM books WHERE id = {id}) ORDER BY seq");
        let mut statement = conn.prepare(&entries).expect("a table");
        let entries = statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>();
        let hash = format!("SELECT lower(hex(head_hash)) FROM books WHERE id = {id}");
        (entries.expect("bytes"), conn.query_row(&hash, [], |row| row.get(0)).expect("a hash"))
    };
    books.iter().map(log).collect()
}
