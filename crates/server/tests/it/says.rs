//! Messages as a client writes them, by hand from the protocol's text.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::person::Book;

/// An id nobody has used: the same ones in every run of one test.
pub(crate) fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("0199d4c2-5b1e-7c3a-8f00-{next:012x}")
}

pub(crate) fn hello(replica: &str, token: Option<&str>) -> Value {
    let mut hello = json!({"type": "hello", "protocol": 1, "replica": replica, "client": "raw/1"});
    if let Some(token) = token {
        hello["token"] = token.into();
    }
    hello
}

/// From the beginning, with nothing known yet.
pub(crate) fn subscribe(book: &str) -> Value {
    json!({"type": "subscribe", "book": book, "epoch": null, "after": 0})
}

pub(crate) fn subscribe_after(book: &Book, after: u64, hash: &str) -> Value {
    json!({"type": "subscribe", "book": book.id, "epoch": book.epoch, "after": after, "hash": hash})
}

pub(crate) fn mutation(n: u64, ops: &[Value]) -> Value {
    json!({"id": fresh(), "n": n, "made_at": 1_763_000_000_000_u64, "base": 0, "ops": ops})
}

pub(crate) fn push(book: &Book, mutations: &[Value]) -> Value {
    json!({"type": "push", "book": book.id, "epoch": book.epoch, "mutations": mutations})
}

pub(crate) fn contact(id: &str, name: &str) -> Value {
    json!({"op": "create_contact", "id": id, "name": name})
}

/// A contact whose name does not matter.
pub(crate) fn someone() -> Value {
    contact(&fresh(), "Ana")
}

/// A contact that takes about `bytes` on the wire, up to 12,000.
pub(crate) fn someone_of(bytes: usize) -> Value {
    json!({"op": "create_contact", "id": fresh(), "name": "Ana", "note": "日".repeat(bytes / 3)})
}

/// `direction` is `gave` or `got`.
pub(crate) fn transaction(contact: &str, direction: &str, amount: u64, currency: &str) -> Value {
    json!({
        "op": "create_transaction", "id": fresh(), "contact": contact, "direction": direction, "amount": amount,
        "currency": currency, "date": "2026-11-22",
    })
}

/// The object with these members put in the place of its own.
pub(crate) fn with(mut object: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().expect("an object") {
        object[name] = value.clone();
    }
    object
}
