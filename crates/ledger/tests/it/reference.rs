//! The ledger's rules once more, said as plainly as they can be: every write there ever was is kept in a list, and each
//! question is answered by looking through it. It shares no code with the ledger and reads ops as the wire has them, so that
//! a mistake there is not made here too.

mod record;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) use self::record::{Fields, Record, Writer, group_of};
use self::record::{Write, fields, fields_of};

/// Sums in minor units by currency, without those that are zero.
pub(crate) type Sums = BTreeMap<String, i128>;
type Code = String;

/// Under which id the book itself is kept.
pub(crate) const BOOK: &str = "book";
/// In the order in which the conflicts of one op are raised.
const GROUPS: [&str; 10] =
    ["name", "username", "phone", "email", "contact", "amount", "currency", "date", "due", "note"];

#[derive(Debug, Clone)]
struct Open {
    /// Given by the ledger: see [`Reference::take_names`].
    id: String,
    record: String,
    kind: &'static str,
    standing: Value,
    offered: Fields,
    user: String,
    replica: String,
    seq: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Reference {
    pub(crate) records: BTreeMap<String, Record>,
    /// In the order they were raised.
    open: Vec<Open>,
}

/// Whether a record is deleted, and whether the writer knew.
enum Deletion {
    None,
    News(Write),
    Known,
}

/// Whether a field can hold a value, of those that the tests come up with.
fn check_value(field: &str, value: &Value) -> Result<(), Code> {
    let is_valid = match (field, value) {
        ("amount", Value::Number(amount)) => amount.as_u64().is_some_and(|amount| (1..=1e15 as u64).contains(&amount)),
        (_, Value::Number(_) | Value::Bool(_)) | ("amount", Value::String(_)) => return Err("malformed".into()),
        ("note" | "due" | "username" | "phone" | "email", Value::Null) => true,
        (_, Value::Null) => false,
        (_, value) => {
            let text = value.as_str().expect("a text");
            match field {
                "name" => (1..=200).contains(&text.len()),
                "note" => text.len() <= 4000,
                "contact" => text.len() == 36,
                "currency" => ["EUR", "JPY"].contains(&text),
                "direction" => ["gave", "got"].contains(&text),
                "date" | "due" => text.starts_with("2026-"),
                _ => text.len() <= 320,
            }
        }
    };
    if is_valid { Ok(()) } else { Err("invalid_field".into()) }
}

impl Reference {
    /// The book's creation, by its owner.
    pub(crate) fn create_book(&mut self, me: &Writer, name: &str, currency: &str) {
        self.records.insert(BOOK.into(), Record { kind: BOOK, writes: Vec::new() });
        let set = Fields::from([("name".into(), json!(name)), ("currency".into(), json!(currency))]);
        self.push(me, BOOK, set, true);
    }

    /// All of a mutation or nothing: then which op was at fault, and its code.
    pub(crate) fn mutate(&mut self, me: &Writer, ops: &[Value]) -> Result<(), (usize, Code)> {
        let before = self.clone();
        for (index, op) in ops.iter().enumerate() {
            if let Err(code) = self.do_op(me, op) {
                *self = before;
                return Err((index, code));
            }
        }
        Ok(())
    }

    fn do_op(&mut self, me: &Writer, op: &Value) -> Result<(), Code> {
        let name = op["op"].as_str().expect("an op has a name");
        let (verb, kind) = name.split_once('_').expect("of two words");
        let id = op["id"].as_str().unwrap_or(BOOK);
        match verb {
            "create" => self.create(me, if kind == "contact" { "contact" } else { "transaction" }, id, op),
            "resolve" => self.resolve(me, id, op["apply"] == true),
            _ => {
                self.find(kind, id)?;
                match verb {
                    "update" => self.update(me, id, &fields_in(&op["set"])),
                    "delete" => self.delete(me, id),
                    _ => self.restore(me, id),
                }
            }
        }
    }

    fn find(&self, kind: &str, id: &str) -> Result<&Record, Code> {
        self.records.get(id).filter(|record| record.kind == kind).ok_or(format!("unknown_{kind}"))
    }

    fn create(&mut self, me: &Writer, kind: &'static str, id: &str, op: &Value) -> Result<(), Code> {
        if self.records.contains_key(id) {
            return Err("id_taken".into());
        }
        let mut set = fields_in(op);
        set.retain(|field, _| fields(kind).contains(&field.as_str()));
        let returning = self.check_target(me, &set)?;
        set.iter().try_for_each(|(field, value)| check_value(field, value))?;
        self.records.insert(id.into(), Record { kind, writes: Vec::new() });
        if let Err(code) = self.check_gross(id, &set) {
            self.records.remove(id);
            return Err(code);
        }
        returning.iter().for_each(|contact| self.push(me, contact, deleted(false), false));
        self.push(me, id, set, true);
        Ok(())
    }

    fn update(&mut self, me: &Writer, id: &str, set: &Fields) -> Result<(), Code> {
        let kind = self.records[id].kind;
        let deletion = self.deletion(me, id);
        if matches!(deletion, Deletion::Known) {
            return Err(format!("unknown_{kind}"));
        }
        // In this order: the first one at fault gives the code.
        let named = fields(kind).iter().filter_map(|field| Some((*field, set.get(*field)?)));
        named.into_iter().try_for_each(|(field, value)| check_value(field, value))?;
        let set = self.differing(id, set);
        let returning = self.check_target(me, &set)?;
        if set.is_empty() {
            return Ok(());
        }
        if let Deletion::News(deletion) = deletion {
            self.set_aside(me, id, "delete_edit", deletion.stands(deleted(true)), set);
            return Ok(());
        }

        let record = &self.records[id];
        let is_late = |group: &str| record.last(group).is_news_to(me);
        let (late, applying): (Fields, Fields) =
            set.into_iter().partition(|(field, _)| is_late(group_of(record.kind, field)));
        self.check_gross(id, &applying)?;
        let returning = returning.filter(|_| applying.contains_key("contact"));
        returning.iter().for_each(|contact| self.push(me, contact, deleted(false), false));
        self.write(me, id, applying);
        for group in GROUPS.into_iter().filter(|group| late.keys().any(|field| group_of(kind, field) == *group)) {
            let record = &self.records[id];
            let offered = fields_of(kind, group).into_iter().map(|field| {
                let value = late.get(field).cloned().unwrap_or_else(|| record.seen(field, me.base));
                (field.to_owned(), value)
            });
            let (standing, offered) = (record.last(group).stands(record.group_values(group)), offered.collect());
            self.set_aside(me, id, "edit_edit", standing, offered);
        }
        Ok(())
    }

    fn delete(&mut self, me: &Writer, id: &str) -> Result<(), Code> {
        self.check_contact_of(me, id)?;
        if self.records[id].is_deleted() {
            return Ok(());
        }
        match self.unseen_edit(me, id) {
            Some(edit) => self.set_aside(me, id, "edit_delete", edit, deleted(true)),
            None => self.write(me, id, deleted(true)),
        }
        Ok(())
    }

    fn restore(&mut self, me: &Writer, id: &str) -> Result<(), Code> {
        self.check_contact_of(me, id)?;
        let record = &self.records[id];
        let deletion = record.last("deleted");
        if record.is_deleted() && deletion.is_news_to(me) {
            let standing = deletion.stands(deleted(true));
            self.set_aside(me, id, "delete_edit", standing, deleted(false));
        } else if record.is_deleted() {
            self.bring_back(me, id, None);
        }
        Ok(())
    }

    fn resolve(&mut self, me: &Writer, id: &str, apply: bool) -> Result<(), Code> {
        let place = self.open.iter().position(|open| open.id == id).ok_or("conflict_closed")?;
        // Decided, unless something else turns out to stand in its way.
        let open = self.open.remove(place);
        let obstacle = if !apply {
            None
        } else if open.kind == "edit_delete" {
            self.apply_delete(me, &open.record)
        } else {
            self.apply_edit(me, &open)?
        };
        if let Some(standing) = obstacle {
            self.open.insert(place, Open { standing, ..open });
        }
        Ok(())
    }

    fn apply_delete(&mut self, me: &Writer, id: &str) -> Option<Value> {
        if self.records[id].is_deleted() {
            return None;
        }
        let edit = self.unseen_edit(me, id);
        if edit.is_none() {
            self.write(me, id, deleted(true));
        }
        edit
    }

    fn apply_edit(&mut self, me: &Writer, open: &Open) -> Result<Option<Value>, Code> {
        let id = &open.record;
        let set = self.differing(id, &open.offered);
        let record = &self.records[id];
        let mut groups: Vec<&str> = set.keys().map(|field| group_of(record.kind, field)).collect();
        groups.retain(|group| record.last(group).is_news_to(me));
        if let Some(latest) = groups.iter().map(|group| record.last(group)).max_by_key(|write| write.seq) {
            let standing = groups.iter().flat_map(|group| record.group_values(group)).collect();
            return Ok(Some(latest.stands(standing)));
        }
        let deletion = record.last("deleted");
        if record.is_deleted() && open.kind == "delete_edit" && deletion.is_news_to(me) {
            return Ok(Some(deletion.stands(deleted(true))));
        }
        self.check_gross(id, &set)?;
        self.bring_back(me, id, set.get("contact").cloned());
        self.write(me, id, set);
        Ok(None)
    }

    /// A write that applies, and what it closes.
    fn write(&mut self, me: &Writer, id: &str, set: Fields) {
        if set.is_empty() {
            return;
        }
        self.close_own(me, id, &set);
        self.push(me, id, set, false);
    }

    fn push(&mut self, me: &Writer, id: &str, set: Fields, creates: bool) {
        let record = self.records.get_mut(id).expect("it is there");
        record.writes.push(Write { seq: me.seq, user: me.user.clone(), replica: me.replica.clone(), creates, set });
    }

    fn set_aside(&mut self, me: &Writer, id: &str, kind: &'static str, standing: Value, offered: Fields) {
        self.close_own(me, id, &offered);
        let (user, replica, seq) = (me.user.clone(), me.replica.clone(), me.seq);
        self.open.push(Open { id: String::new(), record: id.into(), kind, standing, offered, user, replica, seq });
    }

    /// A replica's next offer or write takes the place of its last one there.
    fn close_own(&mut self, me: &Writer, id: &str, set: &Fields) {
        let kind = self.records[id].kind;
        let group = |open: &Open| open.offered.keys().next().map(|field| group_of(kind, field).to_owned());
        self.open.retain(|open| {
            let meets = match open.kind {
                "edit_edit" => set.keys().any(|field| group(open).as_deref() == Some(group_of(kind, field))),
                "edit_delete" => true,
                _ => false,
            };
            !(meets && open.record == id && open.replica == me.replica)
        });
    }

    /// The record comes back, and with it the contact it is with, or is moved to.
    fn bring_back(&mut self, me: &Writer, id: &str, moved_to: Option<Value>) {
        let contact = moved_to.unwrap_or_else(|| self.records[id].value("contact"));
        for id in contact.as_str().into_iter().chain([id]) {
            if self.records[id].is_deleted() {
                self.push(me, id, deleted(false), false);
            }
        }
    }

    fn own_deletion(&self, me: &Writer, id: &str) -> Deletion {
        let record = &self.records[id];
        let last = record.last("deleted");
        match record.is_deleted() {
            false => Deletion::None,
            true if last.is_news_to(me) => Deletion::News(last.clone()),
            true => Deletion::Known,
        }
    }

    /// Of the record or of its contact; the contact's comes first.
    fn deletion(&self, me: &Writer, id: &str) -> Deletion {
        let own = self.own_deletion(me, id);
        match self.records[id].value("contact").as_str().map(|contact| self.own_deletion(me, contact)) {
            Some(Deletion::Known) => Deletion::Known,
            Some(news @ Deletion::News(_)) if !matches!(own, Deletion::Known) => news,
            _ => own,
        }
    }

    fn check_contact_of(&self, me: &Writer, id: &str) -> Result<(), Code> {
        let record = &self.records[id];
        match record.value("contact").as_str().map(|contact| self.own_deletion(me, contact)) {
            Some(Deletion::Known) => Err(format!("unknown_{}", record.kind)),
            _ => Ok(()),
        }
    }

    /// The contact that a transaction is to be with has to be there; it comes back where its deletion was news.
    fn check_target(&self, me: &Writer, set: &Fields) -> Result<Option<String>, Code> {
        let Some(contact) = set.get("contact").and_then(Value::as_str) else { return Ok(None) };
        self.find("contact", contact)?;
        match self.own_deletion(me, contact) {
            Deletion::None => Ok(None),
            Deletion::News(_) => Ok(Some(contact.to_owned())),
            Deletion::Known => Err("unknown_contact".into()),
        }
    }

    /// Amounts regardless of direction and deletion, with these values in place of those that stand.
    fn check_gross(&self, id: &str, set: &Fields) -> Result<(), Code> {
        if self.records[id].kind != "transaction" || !set.contains_key("amount") && !set.contains_key("currency") {
            return Ok(());
        }
        let mut after = self.records[id].values();
        after.extend(set.clone());
        let others = self.records.iter().filter(|(other, record)| *other != id && record.kind == "transaction");
        let all = others.map(|(_, record)| record.values()).chain([after.clone()]);
        let same = all.filter(|values| values["currency"] == after["currency"]);
        let gross: i128 = same.map(|values| i128::from(values["amount"].as_i64().expect("an amount"))).sum();
        if gross < 1 << 53 { Ok(()) } else { Err("total_too_large".into()) }
    }

    /// The groups of a set in which something differs from what stands.
    fn differing(&self, id: &str, set: &Fields) -> Fields {
        let record = &self.records[id];
        let kind = record.kind;
        let is_there = |field: &str| fields(kind).contains(&field);
        let differs = |(field, value): (&String, &Value)| is_there(field) && record.value(field) != *value;
        let groups: Vec<&str> =
            set.iter().filter(|pair| differs(*pair)).map(|(field, _)| group_of(kind, field)).collect();
        let mut set = set.clone();
        set.retain(|field, _| is_there(field) && groups.contains(&group_of(kind, field)));
        set
    }

    /// What outlives a delete whose author did not know of it: edits of the record, or of a contact's standing transactions.
    fn unseen_edit(&self, me: &Writer, id: &str) -> Option<Value> {
        let record = &self.records[id];
        let is_unseen = |group: &&str| !record.last(group).creates && record.last(group).is_news_to(me);
        let groups: Vec<&str> = record.groups().filter(is_unseen).collect();
        if let Some(latest) = groups.iter().map(|group| record.last(group)).max_by_key(|write| write.seq) {
            return Some(latest.stands(groups.iter().flat_map(|group| record.group_values(group)).collect()));
        }
        let theirs = self.records.values().filter(|other| other.value("contact") == id && !other.is_deleted());
        let writes = theirs.flat_map(|transaction| {
            let groups = transaction.groups().map(|group| transaction.last(group));
            groups.chain(&transaction.writes[..1]).filter(|write| write.is_news_to(me))
        });
        writes.max_by_key(|write| write.seq).map(|latest| latest.stands(Fields::new()))
    }

    /// Takes over what the ledger calls the open conflicts, which were found to be these.
    pub(crate) fn take_names(&mut self, ids: impl Iterator<Item = String>) {
        self.open.iter_mut().zip(ids).for_each(|(open, id)| open.id = id);
    }

    /// Every record and open conflict, to be compared.
    pub(crate) fn picture(&self) -> (BTreeMap<String, Fields>, Vec<Value>) {
        let records = self.records.iter().map(|(id, record)| (id.clone(), record.values())).collect();
        let open = self.open.iter().map(|open| {
            json!({
                "record": open.record, "kind": open.kind, "standing": open.standing, "replica": open.replica,
                "offered": open.offered, "by": open.user, "seq": open.seq,
            })
        });
        (records, open.collect())
    }

    /// Whether a later entry than this one wrote to a record, or to what keeps it or hides it: to the contact of a transaction,
    /// or to a transaction of the contact.
    pub(crate) fn is_touched_since(&self, id: &str, entry: u64) -> bool {
        let contact = self.records[id].value("contact");
        let is_related =
            |other: &str, record: &Record| other == id || contact == other || record.value("contact") == id;
        self.records.iter().any(|(other, record)| is_related(other, record) && record.last_seq() > entry)
    }

    /// What the transactions of a contact that stand add up to; of all standing contacts where none is named.
    pub(crate) fn sums(&self, of: Option<&str>) -> Sums {
        let mut sums = Sums::new();
        for values in self.records.values().filter(|record| record.kind == "transaction").map(Record::values) {
            let contact = values["contact"].as_str().expect("a contact");
            let counts = of.map_or_else(|| !self.records[contact].is_deleted(), |of| of == contact);
            if counts && values["deleted"] == false {
                let amount = i128::from(values["amount"].as_i64().expect("an amount"));
                let sum = sums.entry(values["currency"].as_str().expect("a currency").into()).or_default();
                *sum += if values["direction"] == "gave" { amount } else { -amount };
            }
        }
        sums.retain(|_, sum| *sum != 0);
        sums
    }
}

fn fields_in(object: &Value) -> Fields {
    object.as_object().into_iter().flatten().map(|(field, value)| (field.clone(), value.clone())).collect()
}

fn deleted(deleted: bool) -> Fields {
    Fields::from([("deleted".into(), json!(deleted))])
}
