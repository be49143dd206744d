//! A data folder with people and a book in it, made once through the server's own HTTP, and copied for whoever starts over.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidebook_server::data_folder::store_in;

use crate::request::served::Served;
use crate::request::spelled::Spelled;

/// A file system in memory, where there is one: a disk's syncs are not attacked, and take most of the time.
const IN_MEMORY: &str = "/dev/shm";

/// Who has an account, and may bring a book in.
pub(crate) const OWNER_EMAIL: &str = "mira@tide.example";
const VIEWER_EMAIL: &str = "ben@tide.example";
const PASSWORD: &str = "low tide at noon";

const BOOK: &str = "00000000-0000-0000-0000-00000000000b";
const CONTACT: &str = "00000000-0000-0000-0000-00000000c001";
const TRANSACTION: &str = "00000000-0000-0000-0000-00000000d001";

pub(crate) static PREPARED: LazyLock<Prepared> = LazyLock::new(Prepared::make);

pub(crate) struct Prepared {
    /// The store's file.
    pub(crate) store: Vec<u8>,
    /// What an input may call by name because it is another each time.
    pub(crate) words: Vec<(&'static str, String)>,
}

impl Prepared {
    /// An owner on two devices, somebody who may read, and an invite that nobody has used.
    fn make() -> Self {
        let caller = Caller { served: Served::start(empty_folder()) };
        let mira = caller.ask("POST", "/accounts", "", &person(OWNER_EMAIL, "Mira", None));
        let owner = text(&mira["token"]);
        let other_device = json!({"email": OWNER_EMAIL, "password": PASSWORD});
        caller.ask("POST", "/sessions", "", &other_device);

        let book = caller.ask("POST", "/books", &owner, &json!({"id": BOOK, "name": "Flat", "currency": "EUR"}));
        let within = |rest: &str| format!("/books/{BOOK}{rest}");
        caller.ask("POST", &within("/contacts"), &owner, &json!({"id": CONTACT, "name": "Ana"}));
        let dinner = json!({"id": TRANSACTION, "contact": CONTACT, "direction": "gave", "amount": 2050, "currency": "EUR",
            "date": "2026-11-22", "note": "Dinner"});
        caller.ask("POST", &within("/transactions"), &owner, &dinner);

        let invite = |role: &str| caller.ask("POST", &within("/invites"), &owner, &json!({"role": role, "uses": 5}));
        let (reads, writes) = (invite("viewer"), invite("editor"));
        let ben = caller.ask("POST", "/accounts", "", &person(VIEWER_EMAIL, "Ben", Some(&text(&reads["token"]))));
        let viewer = text(&ben["token"]);
        caller.ask("POST", "/invites/accept", &viewer, &json!({"token": reads["token"]}));

        let sessions = caller.ask("GET", "/sessions", &owner, &Value::Null);
        let other = sessions["items"].as_array().and_then(|devices| devices.iter().find(|it| it["current"] == false));
        // Where one name begins with another, the longer one comes first.
        let words = vec![
            ("$BOOK", BOOK.to_owned()),
            ("$CONTACT", CONTACT.to_owned()),
            ("$EMAIL", OWNER_EMAIL.to_owned()),
            ("$EPOCH", text(&book["epoch"])),
            ("$INVITE_ID", text(&writes["id"])),
            ("$INVITE", text(&writes["token"])),
            ("$PASSWORD", PASSWORD.to_owned()),
            ("$SESSION", text(&other.expect("two devices")["id"])),
            ("$TOKEN", owner),
            ("$TRANSACTION", TRANSACTION.to_owned()),
            ("$USER", text(&mira["user"]["id"])),
            ("$VIEWER_ID", text(&ben["user"]["id"])),
            ("$VIEWER", viewer),
        ];
        let folder = caller.served.stop();
        Self { store: fs::read(store_in(folder.path())).expect("a store"), words }
    }

    /// Another folder of the same content.
    pub(crate) fn folder(&self) -> TempDir {
        let folder = empty_folder();
        fs::write(store_in(folder.path()), &self.store).expect("a folder that takes files");
        folder
    }
}

fn empty_folder() -> TempDir {
    let in_memory = Path::new(IN_MEMORY);
    let folder = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    folder.expect("a folder")
}

fn person(email: &str, name: &str, invite: Option<&str>) -> Value {
    json!({"email": email, "password": PASSWORD, "name": name, "invite": invite})
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Calls that must be right.
struct Caller {
    served: Served,
}

impl Caller {
    fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> Value {
        let head = format!("{method} /api/v1{path}\nauthorization: Bearer {token}\ncontent-type: application/json\n\n");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Spelled::read(format!("{head}{body}").as_bytes()).expect("a short request");
        let answer = self.served.ask(&request);
        let said = String::from_utf8_lossy(&answer.body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {said}", answer.status);
        serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{method} {path}: {error}: {said}"))
    }
}
