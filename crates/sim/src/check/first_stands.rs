//! First confirmed stands, checked on what entries say and not on how they were decided: an edit that did not know of
//! what stands must not have replaced it, and a delete that did not know of an edit must not have taken effect.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Checked, Invariant, Reading};

/// The last change of something: its seq and replica.
type Stamp = (u64, String);

#[derive(Debug, Default)]
pub(super) struct FirstStands {
    /// By record and field group.
    changed: BTreeMap<(String, &'static str), Stamp>,
    /// By transaction: whose it is, when it was made, and whether it is deleted.
    transactions: BTreeMap<String, Transaction>,
}

#[derive(Debug, Clone)]
struct Transaction {
    contact: String,
    created: Stamp,
    deleted: bool,
}

/// What amount, currency and direction are compared as.
const AMOUNT: &str = "amount";
const DELETED: &str = "deleted";

impl FirstStands {
    /// `reading` where the mutation's is known.
    pub(super) fn read(&mut self, entry: &Value, reading: Option<Reading>) -> Checked {
        let replica = entry["replica"].as_str().unwrap_or_default().to_owned();
        let stamp = (entry["seq"].as_u64().unwrap_or_default(), replica);
        for change in entry["changes"].as_array().into_iter().flatten() {
            if let Some(reading) = reading {
                self.check(change, &stamp, reading)?;
            }
            self.note(change, &stamp);
        }
        Ok(())
    }

    fn check(&self, change: &Value, now: &Stamp, reading: Reading) -> Checked {
        let record = record_of(change);
        match verb_of(change) {
            "updated" => groups(change).into_iter().try_for_each(|group| {
                let stood = self.changed.get(&(record.clone(), group));
                let unseen = stood.filter(|stood| is_news(stood, now, reading));
                Invariant::FirstStands.require(unseen.is_none(), || {
                    let base = reading.base;
                    format!("entry {} with base {base} replaces {group} of {record}, which {unseen:?} changed", now.0)
                })
            }),
            "deleted" => {
                let unseen = self.edits_of(&record).into_iter().find(|edit| is_news(edit, now, reading));
                Invariant::FirstStands.require(unseen.is_none(), || {
                    let base = reading.base;
                    format!("entry {} with base {base} deletes {record}, which {unseen:?} edited", now.0)
                })
            }
            _ => Ok(()),
        }
    }

    /// Edits that keep a record from being deleted: of its fields, and of a contact's standing transactions.
    fn edits_of<'a>(&'a self, record: &'a str) -> Vec<&'a Stamp> {
        let standing = self.transactions.iter().filter(|(_, found)| found.contact == record && !found.deleted);
        let with_contact = standing.flat_map(|(id, found)| self.changes_of(id).chain([&found.created]));
        self.changes_of(record).chain(with_contact).collect()
    }

    fn changes_of<'a>(&'a self, record: &'a str) -> impl Iterator<Item = &'a Stamp> {
        let from = self.changed.range((record.to_owned(), "")..);
        from.take_while(move |((other, _), _)| other == record).map(|(_, stamp)| stamp)
    }

    fn note(&mut self, change: &Value, stamp: &Stamp) {
        let record = record_of(change);
        let is_transaction = change["type"].as_str().unwrap_or_default().starts_with("transaction_");
        match verb_of(change) {
            "created" if is_transaction => {
                let contact = contact_key(&change["contact"]);
                let transaction = Transaction { contact, created: stamp.clone(), deleted: false };
                self.transactions.insert(record, transaction);
            }
            "updated" => {
                if let Some(found) = self.transactions.get_mut(&record).filter(|_| change["set"]["contact"].is_string())
                {
                    found.contact = contact_key(&change["set"]["contact"]);
                }
                for group in groups(change) {
                    self.changed.insert((record.clone(), group), stamp.clone());
                }
            }
            verb @ ("deleted" | "restored") => {
                if let Some(found) = self.transactions.get_mut(&record) {
                    found.deleted = verb == "deleted";
                }
                self.changed.insert((record, DELETED), stamp.clone());
            }
            _ => {}
        }
    }
}

/// Whether who read then did not know of it. What the same entry did is never news.
fn is_news(stood: &Stamp, now: &Stamp, reading: Reading) -> bool {
    let is_own = reading.knows_own && stood.1 == now.1;
    stood.0 > reading.base.0 && stood.0 != now.0 && !is_own
}

/// Contacts, transactions and the book have changes of these verbs; members and conflicts of others.
fn verb_of(change: &Value) -> &str {
    let kind = change["type"].as_str().unwrap_or_default();
    kind.rsplit('_').next().unwrap_or_default()
}

/// A contact and a transaction may have one id.
fn record_of(change: &Value) -> String {
    let kind = change["type"].as_str().unwrap_or_default();
    let (kind, _) = kind.rsplit_once('_').unwrap_or_default();
    format!("{kind} {}", change["id"].as_str().unwrap_or_default())
}

fn contact_key(id: &Value) -> String {
    format!("contact {}", id.as_str().unwrap_or_default())
}

fn groups(change: &Value) -> Vec<&'static str> {
    const FIELDS: [&str; 9] = ["name", "username", "phone", "email", "contact", "date", "due", "note", AMOUNT];
    let is_of_book = change["type"] == "book_updated";
    let names = change["set"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let group = |name: &str| match name {
        "currency" if is_of_book => Some("currency"),
        "currency" | "direction" => Some(AMOUNT),
        name => FIELDS.iter().copied().find(|field| *field == name),
    };
    let mut groups: Vec<&'static str> = names.filter_map(group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}
