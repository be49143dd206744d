//! What a book's log adds up to, worked out once more and apart: from entry lines as anyone may read them, by nothing of
//! ours. It shares no code with the engine or the ledger, so that a mistake there is not made here too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Sums per currency, in minor units; a currency whose sum is zero is left out.
pub type Sums = BTreeMap<String, i128>;

/// A book, entry by entry.
#[derive(Debug, Clone, Default)]
pub struct Fold {
    /// Of the last entry read.
    pub seq: u64,
    /// Roles by person.
    pub members: BTreeMap<String, String>,
    /// Name and currency.
    pub book: Fields,
    /// By id; deleted ones too.
    pub contacts: BTreeMap<String, Record>,
    /// By id; deleted ones too.
    pub transactions: BTreeMap<String, Record>,
    /// Ids of those that nobody has decided.
    pub conflicts: BTreeSet<String>,
}

/// Fields that are there, by name.
pub type Fields = BTreeMap<String, Value>;

/// A contact or a transaction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    pub fields: Fields,
    pub deleted: bool,
}

type Faults = Result<(), String>;

impl Fold {
    /// Reads the next line. An error says what in it cannot be.
    pub fn read_line(&mut self, line: &str) -> Faults {
        let entry: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        self.read(&entry)
    }

    /// Reads the next entry.
    pub fn read(&mut self, entry: &Value) -> Faults {
        let seq = entry["seq"].as_u64().ok_or("an entry has a seq")?;
        if seq != self.seq + 1 {
            return Err(format!("entry {seq} follows entry {}", self.seq));
        }
        self.seq = seq;
        let changes = entry["changes"].as_array().map_or(&[][..], Vec::as_slice);
        if !entry["rejected"].is_null() && !changes.is_empty() {
            return Err(format!("entry {seq} is rejected and changes something"));
        }
        changes.iter().try_for_each(|change| self.read_change(change).map_err(|fault| format!("entry {seq}: {fault}")))
    }

    fn read_change(&mut self, change: &Value) -> Faults {
        let kind = change["type"].as_str().unwrap_or_default();
        match kind.rsplit_once('_') {
            Some(("member", verb)) => self.read_member_change(verb, change),
            Some(("member_role", "changed")) => self.read_member_change("role_changed", change),
            Some(("conflict", verb)) => self.read_conflict_change(verb, change),
            Some(("book", "created")) => {
                self.book = fields_of(change, &["type"]);
                Ok(())
            }
            Some(("book", "updated")) => set_fields(&mut self.book, change),
            Some(("contact", verb)) => change_record(&mut self.contacts, verb, change),
            Some(("transaction", verb)) => self.read_transaction_change(verb, change),
            _ => Err(format!("no change is called {kind:?}")),
        }
    }

    fn read_member_change(&mut self, verb: &str, change: &Value) -> Faults {
        let user = text(&change["user"])?;
        let is_member = self.members.contains_key(user);
        match (verb, is_member) {
            ("added", false) | ("role_changed", true) => {
                self.members.insert(user.to_owned(), text(&change["role"])?.to_owned());
                Ok(())
            }
            ("removed", true) => {
                self.members.remove(user);
                Ok(())
            }
            _ => Err(format!("{user} is {verb}, where membership was {is_member}")),
        }
    }

    fn read_conflict_change(&mut self, verb: &str, change: &Value) -> Faults {
        let id = text(&change["id"])?;
        match verb {
            "raised" => {
                // The same id again says that something else stands now.
                self.conflicts.insert(id.to_owned());
                Ok(())
            }
            "resolved" if self.conflicts.remove(id) => Ok(()),
            _ => Err(format!("conflict {id} is {verb}, and is not open")),
        }
    }

    fn read_transaction_change(&mut self, verb: &str, change: &Value) -> Faults {
        change_record(&mut self.transactions, verb, change)?;
        let transaction = &self.transactions[text(&change["id"])?];
        let contact = text(&transaction.fields["contact"])?;
        if !self.contacts.contains_key(contact) {
            return Err(format!("a transaction is with {contact}, whom nobody knows"));
        }
        signed_amount(transaction).map(drop)
    }

    /// What a contact owes: Σ gave − Σ got of its standing transactions.
    #[must_use]
    pub fn balances_of(&self, contact: &str) -> Sums {
        let of_contact = |transaction: &&Record| transaction.fields["contact"] == contact;
        sum(self.standing().filter(of_contact))
    }

    /// What all standing contacts owe together.
    #[must_use]
    pub fn totals(&self) -> Sums {
        let stands = |contact: &Value| {
            contact.as_str().and_then(|id| self.contacts.get(id)).is_some_and(|contact| !contact.deleted)
        };
        sum(self.standing().filter(|transaction| stands(&transaction.fields["contact"])))
    }

    fn standing(&self) -> impl Iterator<Item = &Record> {
        self.transactions.values().filter(|transaction| !transaction.deleted)
    }
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}

/// All that is there but what is called so.
fn fields_of(object: &Value, but: &[&str]) -> Fields {
    let no_fields = Map::new();
    let fields = object.as_object().unwrap_or(&no_fields).iter();
    let named = fields.filter(|(name, value)| !but.contains(&name.as_str()) && !value.is_null());
    named.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn set_fields(fields: &mut Fields, change: &Value) -> Faults {
    let set = change["set"].as_object().ok_or("an update sets something")?;
    for (name, value) in set {
        match value {
            Value::Null => drop(fields.remove(name)),
            value => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    Ok(())
}

fn change_record(records: &mut BTreeMap<String, Record>, verb: &str, change: &Value) -> Faults {
    let id = text(&change["id"])?;
    match (verb, records.get_mut(id)) {
        ("created", None) => {
            let record = Record { fields: fields_of(change, &["type", "id"]), deleted: false };
            records.insert(id.to_owned(), record);
            Ok(())
        }
        ("updated", Some(record)) => set_fields(&mut record.fields, change),
        ("deleted", Some(record)) if !record.deleted => {
            record.deleted = true;
            Ok(())
        }
        ("restored", Some(record)) if record.deleted => {
            record.deleted = false;
            Ok(())
        }
        (_, record) => Err(format!("{id} is {verb}, and was {record:?}")),
    }
}

/// `gave` makes the contact owe more, `got` less.
fn signed_amount(transaction: &Record) -> Result<(String, i128), String> {
    let field = |name: &str| transaction.fields.get(name).unwrap_or(&Value::Null);
    let amount = field("amount").as_u64().filter(|amount| *amount > 0).ok_or("an amount is a whole number above 0")?;
    let currency = text(field("currency"))?.to_owned();
    match text(field("direction"))? {
        "gave" => Ok((currency, i128::from(amount))),
        "got" => Ok((currency, -i128::from(amount))),
        other => Err(format!("money goes neither way: {other}")),
    }
}

fn sum<'a>(transactions: impl Iterator<Item = &'a Record>) -> Sums {
    let mut sums = Sums::new();
    for (currency, amount) in transactions.filter_map(|transaction| signed_amount(transaction).ok()) {
        *sums.entry(currency).or_default() += amount;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}
