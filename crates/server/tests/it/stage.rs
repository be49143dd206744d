//! A book that two people share, and what is said in it, with names for ids: `@ana` is the same record wherever it
//! stands, in what is sent and in what comes back. Ids that only the server gives, as of conflicts, are `@1`, `@2`, … in
//! the order in which they are first seen.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::person::{Answer, Book, Device, Person};
use crate::says::{fresh, mutation, with};
use crate::server::TestServer;

/// When all that is said here was made.
pub(crate) const MADE_AT: u64 = 1_763_000_000_000;

/// Entry 1 is the book, entry 2 lets Jonas in: what is said first is entry 3.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    pub(crate) mira: Person,
    pub(crate) jonas: Person,
    pub(crate) book: Book,
    pub(crate) names: Names,
    devices: BTreeMap<&'static str, Device>,
}

/// Who speaks, from which base, what; and what the entry says: its changes, or its rejection.
pub(crate) type Row = (&'static str, u64, Value, Value);

impl Stage {
    /// Mira owns the book, and Jonas edits it. She has a telephone, `mira`, and a `laptop`; he has `jonas`.
    pub(crate) async fn new() -> Self {
        let (server, mira) = TestServer::with_mira().await;
        let jonas = server.person("Jonas").await;
        let book = mira.book("Harbour Street").await;
        mira.let_in(&jonas, &book, "editor").await;
        let mut names = Names::default();
        names.give("@Mira", &mira.id);
        names.give("@Jonas", &jonas.id);
        let devices = BTreeMap::from([
            ("mira", mira.device(&book).await),
            ("laptop", mira.device(&book).await),
            ("jonas", jonas.device(&book).await),
        ]);
        Self { server, mira, jonas, book, names, devices }
    }

    /// Says each row, one entry each, and compares.
    pub(crate) async fn check(&mut self, rows: impl IntoIterator<Item = Row>) {
        for (who, base, ops, expected) in rows {
            let said = self.say(who, base, ops.clone()).await;
            assert_eq!(said, expected, "\n{who} from {base}: {ops}\nsaid: {said}\nnot:  {expected}");
        }
    }

    pub(crate) async fn say(&mut self, who: &str, base: u64, ops: Value) -> Value {
        outcome(&self.entry(who, json!({"base": base, "ops": ops})).await)
    }

    /// The entry of a mutation with these members.
    pub(crate) async fn entry(&mut self, who: &str, members: Value) -> Value {
        let device = self.devices.get_mut(who).expect("a device of this stage");
        device.n += 1;
        let mutation = with(mutation(device.n, &[]), &self.names.written(&members));
        let entry = device.offer(&[mutation]).await.remove(0).entry();
        assert_eq!(entry.value["n"], device.n);
        self.names.read(&entry.value)
    }

    /// A call of Mira's about what is in the book, with names in path and body; its status, and its body with names.
    pub(crate) async fn call(&mut self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call_with(method, path, &[], body).await
    }

    /// The same with these headers.
    pub(crate) async fn call_with(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (u16, Value) {
        let answer = self.answer(method, path, headers, body).await;
        (answer.status, self.names.read(&answer.json()))
    }

    /// The same, as it came.
    pub(crate) async fn answer(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let path = self.book.path(&self.names.path(path));
        let body = body.map(|body| self.names.written(&body));
        let bearer = self.mira.bearer();
        let signed = [("authorization", bearer.as_str())].into_iter().chain(headers.iter().copied());
        let answer = self.mira.call(method, &path, &signed.collect::<Vec<_>>(), body.as_ref()).await;
        if answer.status >= 400 {
            answer.problem();
        }
        answer
    }

    pub(crate) fn device(&mut self, who: &str) -> &mut Device {
        self.devices.get_mut(who).expect("a device of this stage")
    }

    /// The contacts, transactions and open conflicts as a snapshot has them, by name.
    pub(crate) async fn state(&mut self) -> Value {
        let snapshot = self.mira.snapshot(&self.book).await;
        self.names.read(&snapshot["state"])
    }
}

/// The entry's changes, or `{"rejected": CODE, "op": N}` and the field where it names one.
pub(crate) fn outcome(entry: &Value) -> Value {
    let rejected = &entry["rejected"];
    if rejected.is_null() {
        return entry["changes"].as_array().expect("changes").iter().map(as_told).collect();
    }
    assert!(rejected["detail"].is_string() && entry["changes"] == json!([]), "{entry}");
    let mut outcome = json!({"rejected": rejected["code"], "op": rejected["op"]});
    if let Some(field) = rejected.get("field") {
        outcome["field"] = field.clone();
    }
    outcome
}

/// What the protocol says of a change, without what the server adds to it.
fn as_told(change: &Value) -> Value {
    let mut change = change.clone();
    if change["type"] == "conflict_resolved" {
        change.as_object_mut().expect("an object").remove("record");
    }
    change
}

/// Names and the ids they stand for.
#[derive(Debug, Default)]
pub(crate) struct Names {
    ids: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
    seen: usize,
}

impl Names {
    pub(crate) fn give(&mut self, name: &str, id: &str) {
        self.ids.insert(name.to_owned(), id.to_owned());
        self.names.insert(id.to_owned(), name.to_owned());
    }

    /// The id of a name; a new one where it has none yet.
    pub(crate) fn id(&mut self, name: &str) -> String {
        if !self.ids.contains_key(name) {
            self.give(name, &fresh());
        }
        self.ids[name].clone()
    }

    /// With ids in the place of names.
    pub(crate) fn written(&mut self, value: &Value) -> Value {
        over_texts(value, &mut |text| if text.starts_with('@') { self.id(text) } else { text.to_owned() })
    }

    /// With names in the place of ids. A hash that is an id, which is one of version 8, gets the next number.
    pub(crate) fn read(&mut self, value: &Value) -> Value {
        over_texts(value, &mut |text| match self.names.get(text) {
            Some(name) => name.clone(),
            None if is_hashed_id(text) => {
                self.seen += 1;
                let name = format!("@{}", self.seen);
                self.give(&name, text);
                name
            }
            None => text.to_owned(),
        })
    }

    /// A path or a query with ids in the place of names.
    pub(crate) fn path(&mut self, path: &str) -> String {
        let ends = |at: char| matches!(at, '/' | '&' | '?' | '=');
        path.split_inclusive(ends)
            .map(|part| {
                let (name, end) = part.split_at(part.trim_end_matches(ends).len());
                if name.starts_with('@') { self.id(name) + end } else { part.to_owned() }
            })
            .collect()
    }
}

fn is_hashed_id(text: &str) -> bool {
    text.len() == 36 && text.as_bytes()[14] == b'8' && text.split('-').count() == 5
}

fn over_texts(value: &Value, change: &mut impl FnMut(&str) -> String) -> Value {
    match value {
        Value::String(text) => change(text).into(),
        Value::Array(items) => items.iter().map(|item| over_texts(item, change)).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), over_texts(value, change)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}
