//! A record as the list of all that was written to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) type Fields = BTreeMap<String, Value>;

const MONEY: [&str; 3] = ["amount", "currency", "direction"];
/// As many replaced amounts as a transaction is promised to remember.
const PAST_AMOUNTS: usize = 4;

/// Who writes entry `seq`, and what of the log they knew.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) seq: u64,
    pub(crate) base: u64,
    pub(crate) user: String,
    pub(crate) replica: String,
    /// Whether what the same replica wrote is never news to them.
    pub(crate) knows_own: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) seq: u64,
    pub(super) user: String,
    pub(super) replica: String,
    pub(super) creates: bool,
    pub(super) set: Fields,
}

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) kind: &'static str,
    /// Oldest first; the first one created it. Deleting is a write of `deleted`.
    pub(super) writes: Vec<Write>,
}

impl Write {
    pub(super) fn is_news_to(&self, me: &Writer) -> bool {
        let own = me.knows_own && self.replica == me.replica;
        self.seq > me.base && self.seq != me.seq && !own
    }

    pub(super) fn stands(&self, set: Fields) -> Value {
        json!({ "set": set, "by": self.user, "seq": self.seq })
    }
}

impl Record {
    /// What it was when the log stood there; none before it was created.
    pub(crate) fn values_at(&self, seq: u64) -> Option<Fields> {
        let writes = self.writes.iter().filter(|write| write.seq <= seq);
        (self.writes[0].seq <= seq).then(|| values_of(writes))
    }

    pub(crate) fn values(&self) -> Fields {
        values_of(&self.writes)
    }

    pub(crate) fn value(&self, field: &str) -> Value {
        self.values().remove(field).unwrap_or(Value::Null)
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.value("deleted") == true
    }

    /// What is compared and kept together, deletion too.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &'static str> {
        let named = fields(self.kind).iter().filter(|field| group_of(self.kind, field) == **field);
        named.copied().chain(["deleted"])
    }

    /// The seq of its last write.
    pub(crate) fn last_seq(&self) -> u64 {
        self.writes.last().map_or(0, |write| write.seq)
    }

    /// The last write of a group; its creation wrote them all.
    pub(super) fn last(&self, group: &str) -> &Write {
        let names = |write: &&Write| write.creates || write.set.keys().any(|field| group_of(self.kind, field) == group);
        self.writes.iter().rev().find(names).expect("a record was created")
    }

    /// The seq of a group's last write.
    pub(crate) fn last_seq_of(&self, group: &str) -> u64 {
        self.last(group).seq
    }

    /// What the fields of a group hold, by name; null where one is not there.
    pub(crate) fn group_values(&self, group: &str) -> Fields {
        fields_of(self.kind, group).into_iter().map(|field| (field.to_owned(), self.value(field))).collect()
    }

    /// What a field of the money was when the log stood at `base`, as far back as is remembered.
    pub(super) fn seen(&self, field: &str, base: u64) -> Value {
        let is_replaced = |write: &Write| !write.creates && MONEY.iter().any(|field| write.set.contains_key(*field));
        let replaced = (0..self.writes.len()).rev().filter(|at| is_replaced(&self.writes[*at])).take(PAST_AMOUNTS);
        let first_after = replaced.filter(|at| self.writes[*at].seq > base).last().unwrap_or(self.writes.len());
        values_of(&self.writes[..first_after]).remove(field).unwrap_or(Value::Null)
    }
}

fn values_of<'a>(writes: impl IntoIterator<Item = &'a Write>) -> Fields {
    let mut values = Fields::from([("deleted".to_owned(), json!(false))]);
    writes.into_iter().for_each(|write| values.extend(write.set.clone()));
    values.retain(|_, value| !value.is_null());
    values
}

pub(crate) fn group_of<'a>(kind: &str, field: &'a str) -> &'a str {
    if kind == "transaction" && MONEY.contains(&field) { "amount" } else { field }
}

pub(super) fn fields_of<'a>(kind: &str, group: &'a str) -> Vec<&'a str> {
    if kind == "transaction" && group == "amount" { MONEY.to_vec() } else { vec![group] }
}

pub(super) fn fields(kind: &str) -> &'static [&'static str] {
    match kind {
        "book" => &["name", "currency"],
        "contact" => &["name", "username", "phone", "email", "note"],
        _ => &["contact", "direction", "amount", "currency", "date", "due", "note"],
    }
}
