//! Our server with an account and a book, and what replicas say to it, as bytes.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::{self, Client};
use crate::peers::{Running, free_address};
use crate::websocket;

/// So long that an entry is about as big as one that makes a transaction.
const NOTE: &str = "lunch for two at the harbour";

/// The namespace of the ids made here.
const RECORD: u128 = 0x0199_d4c2_5b1e_7c3a_8f00_0000_0000_0000;
const REPLICA: u128 = 0x0199_d4c2_5b1e_7c3a_8f01_0000_0000_0000;
const MUTATION: u128 = 0x0199_d4c2_5b1e_7c3a_8f02_0000_0000_0000;

#[derive(Debug)]
pub(crate) struct Tidebook {
    pub(crate) running: Running,
    pub(crate) book: String,
    pub(crate) epoch: String,
    token: String,
    /// The last entry there will be once all that was asked for has come.
    pub(crate) last: u64,
    /// Of connection 0's replica.
    numbers: u64,
    /// The chain's hash that was asked for last, and where.
    hash: RefCell<(u64, Value)>,
}

impl Tidebook {
    /// Starts it as `cargo xtask run` does, with an account, a book, a contact and a transaction.
    pub(crate) fn start(core: usize, folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let running = serve(core, address, folder)?;
        let mut client = Client::connect(address)?;
        let account = json!({ "email": "bench@tide.example", "password": "as long as one run", "name": "Bench" });
        client.send(&http::post(address, "/api/v1/accounts", None, &account))?;
        let signed_up = client.receive().context("signing up")?;
        let token = signed_up["token"].as_str().context("no token")?.to_owned();
        let bearer = format!("Bearer {token}");
        let book = json!({ "name": "Harbour club", "currency": "EUR" });
        client.send(&http::post(address, "/api/v1/books", Some(&bearer), &book))?;
        let made = client.receive().context("making a book")?;
        let text = |name: &str| made[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let (book, epoch) = (text("id")?, text("epoch")?);
        let mut tidebook = Self { running, book, epoch, token, last: 1, numbers: 0, hash: RefCell::default() };
        tidebook.begin(&mut client)?;
        Ok(tidebook)
    }

    /// Ends it and starts it in the same folder.
    pub(crate) fn start_again(mut self, core: usize, folder: &Path) -> Result<Self> {
        let address = self.running.address;
        self.running.end();
        self.running = serve(core, address, folder)?;
        Ok(self)
    }

    /// What everything else is written about.
    fn begin(&mut self, client: &mut Client) -> Result<()> {
        let ops = [json!({ "op": "create_contact", "id": id(RECORD), "name": "Ana" }), create_op(1)];
        let mutation = json!({ "id": id(MUTATION), "n": 1, "made_at": 0, "base": 1, "ops": ops });
        let body = json!({ "epoch": self.epoch, "replica": id(REPLICA), "mutations": [mutation] });
        client.send(&http::post(self.running.address, &self.path("mutations"), Some(&self.bearer()), &body))?;
        client.receive().context("writing into a new book")?;
        (self.numbers, self.last) = (1, 2);
        Ok(())
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// A path of the book's.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/books/{}/{rest}", self.book)
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let mut client = Client::connect(self.running.address)?;
        client.send(&http::get(self.running.address, path, Some(&self.bearer())))?;
        client.receive()
    }

    /// The handshake, hello and subscription of a replica that has everything up to `after`.
    pub(crate) fn greeting(&self, number: usize, after: u64) -> Result<Vec<u8>> {
        if self.hash.borrow().0 != after {
            let said = self.get(&self.path(&format!("entries/{after}/hash")))?;
            self.hash.replace((after, said["hash"].clone()));
        }
        let hash = self.hash.borrow().1.clone();
        let mut bytes = websocket::upgrade(
            self.running.address,
            "/ws",
            &format!("Sec-WebSocket-Protocol: tidebook.sync.v1\r\nAuthorization: {}\r\n", self.bearer()),
        );
        let replica = id(REPLICA + number as u128);
        let hello = json!({ "type": "hello", "protocol": 1, "replica": replica, "client": "bench/1" });
        let subscribe = json!({
            "type": "subscribe", "book": self.book, "epoch": self.epoch, "after": after, "hash": hash,
        });
        for message in [hello, subscribe] {
            websocket::text_frame(message.to_string().as_bytes(), &mut bytes);
        }
        Ok(bytes)
    }

    /// Appends a push of so many mutations of connection 0's replica, each of which becomes one entry.
    pub(crate) fn push(&mut self, count: u64, out: &mut Vec<u8>) {
        let mut push = format!(r#"{{"type":"push","book":"{}","epoch":"{}","mutations":["#, self.book, self.epoch);
        for index in 0..count {
            self.numbers += 1;
            if index > 0 {
                push.push(',');
            }
            push.push_str(&edit(self.numbers, self.numbers, 1));
        }
        push.push_str("]}");
        self.last += count;
        websocket::text_frame(push.as_bytes(), out);
    }
}

/// Number `n` of a replica, the `unique`th of all: a transaction's note becomes another one.
pub(crate) fn edit(n: u64, unique: u64, transaction: u64) -> String {
    let (id, transaction) = (id(MUTATION + u128::from(unique)), id(RECORD + u128::from(transaction)));
    let mut text = String::new();
    write!(
        text,
        r#"{{"id":"{id}","n":{n},"made_at":1790000000000,"base":2,"ops":[{{"op":"update_transaction","id":"{transaction}","set":{{"note":"{NOTE}, {unique}"}}}}]}}"#
    )
    .expect("a string takes it");
    text
}

/// The same, and a transaction is made.
pub(crate) fn create(n: u64, unique: u64, transaction: u64) -> String {
    let (id, op) = (id(MUTATION + u128::from(unique)), create_op(transaction));
    json!({ "id": id, "n": n, "made_at": 1_790_000_000_000_u64, "base": 2, "ops": [op] }).to_string()
}

fn create_op(transaction: u64) -> Value {
    json!({
        "op": "create_transaction", "id": id(RECORD + u128::from(transaction)), "contact": id(RECORD), "direction": "gave",
        "amount": 2050, "currency": "EUR", "date": "2026-11-22", "note": NOTE,
    })
}

/// The id of a replica that is not a reader's.
pub(crate) fn writer_id(number: usize) -> Uuid {
    id(REPLICA + (1 << 32) + number as u128)
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn serve(core: usize, address: SocketAddr, folder: &Path) -> Result<Running> {
    let mut command = Command::new(program()?);
    let data = folder.join("tidebook");
    command.arg("serve").args(["--signup", "open", "--listen", &address.to_string()]).arg("--data").arg(&data);
    Running::start("tidebook", command, core, address, folder)
}

/// Where `cargo xtask bench` says it is.
fn program() -> Result<PathBuf> {
    let program =
        std::env::var_os("TIDEBOOK_BIN").context("TIDEBOOK_BIN names no program: `cargo xtask bench` sets it")?;
    Ok(program.into())
}
