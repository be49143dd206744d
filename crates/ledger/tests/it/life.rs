//! Whatever people do, in whatever order it arrives: what holds after every entry.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use tidebook_book::{Change, Entry, Knows};
use tidebook_ledger::{
    Balances, ConflictId, ConflictKind, ContactId, LedgerBook, LedgerChange, LedgerOp, LedgerState, RecordRef,
    TransactionId,
};

use crate::deeds::{Deed, life, op, undo_of};
use crate::reference::{BOOK, Fields, Reference, Sums, Writer};
use crate::stage::{Stage, Who};

type Checked = Result<(), TestCaseError>;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A book, and the rules' plain reading of what happened in it.
struct Told {
    stage: Stage,
    reference: Reference,
}

impl Told {
    fn new() -> Self {
        let mut reference = Reference::default();
        reference.create_book(&writer(Who::Ana, 0, 1), "Flat", "EUR");
        Self { stage: Stage::new(), reference }
    }

    /// Has something said, and compares what came of it.
    fn say(&mut self, deed: &Deed) -> Checked {
        let (who, base, ops) = deed.in_book(&self.stage);
        let decided = self.stage.say_ops(who, base, &ops).map(drop).map_err(|rejected| (rejected.op, rejected.code));
        let expected = self.reference.mutate(&writer(who, base, self.stage.head), &as_sent(&ops));
        prop_assert_eq!(decided, expected, "{:?} from {}: {:?}", who, base, ops);
        check_same(&self.stage.book.domain, &self.reference)?;
        self.reference
            .take_names(self.stage.book.domain.conflicts_in_order().iter().map(|open| open.conflict.id.to_string()));
        Ok(())
    }
}

fn writer(who: Who, base: u64, seq: u64) -> Writer {
    let (user, replica) = (who.author().user.to_string(), who.author().replica.to_string());
    Writer { seq, base, user, replica, knows_own: who.knows() == Knows::Own }
}

fn as_sent(ops: &[LedgerOp]) -> Vec<Value> {
    ops.iter().map(|op| serde_json::to_value(op).expect("serialises")).collect()
}

fn read(line: &str) -> Entry<Change<LedgerChange>> {
    serde_json::from_str(line).expect("an entry reads back")
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn every_entry_is_what_the_rules_say(deeds in life(40)) {
        let mut told = Told::new();
        for deed in &deeds {
            let before = derived(&told.stage.book);
            told.say(deed)?;
            if told.stage.lines.last().is_some_and(|line| line.contains(r#""rejected""#)) {
                prop_assert_eq!(&derived(&told.stage.book), &before, "a rejection leaves no trace");
            }
            check_conflicts(&told.stage.book.domain)?;
        }
    }

    #[test]
    fn one_log_is_one_state_however_it_is_reached(deeds in life(40), cut in 0..40_usize, typed in op()) {
        let (mut stage, mut reader) = (Stage::new(), LedgerBook::default());
        reader.apply_entry(&read(&stage.lines[0]));
        let mut from_snapshot = None;
        for (place, deed) in deeds.iter().enumerate() {
            if place == cut {
                from_snapshot = Some(read_from_snapshot(&stage.book)?);
            }
            check_prediction(&mut stage, &typed)?;
            let (who, base, ops) = deed.in_book(&stage);
            let _either_way = stage.say_ops(who, base, &ops);
            let entry = read(stage.lines.last().expect("an entry"));
            reader.apply_entry(&entry);
            // The bytes alone carry the state: whoever only reads computes the same.
            prop_assert_eq!(reader.hash(), stage.book.hash(), "{:?}", entry);
            from_snapshot.iter_mut().for_each(|book| book.apply_entry(&entry));
        }
        prop_assert_eq!(&derived(&reader), &derived(&stage.book));
        if let Some(book) = from_snapshot {
            prop_assert_eq!(&derived(&book), &derived(&stage.book));
        }
    }

    #[test]
    fn what_was_done_is_taken_back_step_by_step(deeds in life(40)) {
        let mut stage = Stage::new();
        let mut before = Vec::new();
        for deed in &deeds {
            before.push(derived(&stage.book));
            let (who, base, ops) = deed.in_book(&stage);
            let _either_way = stage.say_ops(who, base, &ops);
        }
        let undos = stage.undos.split_off(1);
        for (undos, before) in undos.into_iter().zip(before).rev() {
            stage.book.revert_all(undos);
            prop_assert_eq!(derived(&stage.book), before);
        }
    }
}

proptest! {
    // Each entry of each life is taken back twice.
    #![proptest_config(config(80))]

    #[test]
    fn any_entry_is_taken_back_but_for_what_was_changed_since(deeds in life(30)) {
        let mut told = Told::new();
        for deed in &deeds {
            told.say(deed)?;
            let head = told.stage.head;
            check_undo(&mut told, head)?;
        }
        (2..told.stage.head).try_for_each(|entry| check_undo(&mut told, entry))?;
    }
}

/// The state, and all that follows from it and is not part of its hash.
type Derived =
    (String, Balances, BTreeMap<ContactId, (Balances, Vec<TransactionId>)>, BTreeSet<(RecordRef, ConflictId)>);

fn derived(book: &LedgerBook) -> Derived {
    let state = &book.domain;
    let contacts = state.contacts().map(|contact| {
        let transactions = state.transactions_of(contact.id).chain(state.deleted_transactions_of(contact.id));
        (contact.id, (state.balances_of(contact.id), transactions.map(|found| found.id).collect()))
    });
    let records = state.contacts().map(|contact| RecordRef::Contact(contact.id));
    let records = records.chain(state.transactions().map(|found| RecordRef::Transaction(found.id)));
    let conflicts = records
        .chain([RecordRef::Book])
        .flat_map(|record| state.conflicts_of(record).map(move |open| (record, open.conflict.id)));
    (book.hash().to_string(), state.totals().clone(), contacts.collect(), conflicts.collect())
}

/// Records, open conflicts and sums are those of the reference.
fn check_same(state: &LedgerState, reference: &Reference) -> Checked {
    let (records, open) = reference.picture();
    let (found_records, found_open) = picture(state);
    prop_assert_eq!(found_records, records);
    prop_assert_eq!(found_open, open);
    prop_assert_eq!(sums(state.totals()), reference.sums(None));
    for contact in state.contacts() {
        prop_assert_eq!(sums(&state.balances_of(contact.id)), reference.sums(Some(&contact.id.to_string())));
        let listed: Vec<_> = state.transactions_of(contact.id).map(|found| (found.date, found.created.seq)).collect();
        prop_assert!(listed.is_sorted(), "{:?}", listed);
        let own = state.transactions().filter(|found| found.contact == contact.id && !found.deleted);
        prop_assert_eq!(listed.len(), own.count());
    }
    Ok(())
}

fn sums(balances: &Balances) -> Sums {
    balances.iter().map(|(currency, sum)| (currency.code().to_owned(), *sum)).collect()
}

/// A state as [`Reference::picture`] shows its own.
fn picture(state: &LedgerState) -> (BTreeMap<String, Fields>, Vec<Value>) {
    let state = serde_json::to_value(state).expect("serialises");
    let listed = ["contacts", "transactions"].into_iter().flat_map(|kind| state[kind].as_array().expect("a list"));
    let fields = |record: &Value| -> Fields {
        let fields = record.as_object().expect("an object").iter();
        let kept = ["id", "seq", "created", "changed", "past_amounts"];
        fields
            .filter(|(name, _)| !kept.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let mut records: BTreeMap<String, Fields> =
        listed.map(|record| (record["id"].as_str().expect("an id").to_owned(), fields(record))).collect();
    let mut book = fields(&state["book"]);
    book.insert("deleted".into(), json!(false));
    records.insert(BOOK.into(), book);
    let open = state["conflicts"].as_array().expect("a list").iter().map(|open| {
        let record = open["record"]["id"].as_str().unwrap_or(BOOK);
        json!({
            "record": record, "kind": open["kind"], "standing": open["standing"], "replica": open["replica"],
            "offered": open["offered"]["set"], "by": open["offered"]["by"], "seq": open["seq"],
        })
    });
    (records, open.collect())
}

/// Takes an entry back as an app does it, looks at what came of that, and reverts it.
fn check_undo(told: &mut Told, entry: u64) -> Checked {
    let ops = undo_of(&told.stage, entry);
    let sent = as_sent(&ops);
    let before = told.stage.book.hash();
    let (mut after, head) = (told.reference.clone(), told.stage.head);
    let expected = after.mutate(&writer(Who::AnaUndo, entry, head + 1), &sent);
    match told.stage.try_ops(Who::AnaUndo, entry, Knows::Nothing, &ops) {
        Ok(decided) => {
            prop_assert_eq!(&expected, &Ok(()), "the undo of entry {}: {:?}", entry, ops);
            check_same(&told.stage.book.domain, &after)?;
            check_taken_back(&told.reference, &after, entry)?;
            if entry == head {
                let [before, after] = [&told.reference, &after].map(|reference| reference.picture().1.len());
                prop_assert!(after <= before, "nothing was changed since that could be in conflict");
            }
            told.stage.book.revert_all(decided.undos);
        }
        Err(rejected) => {
            let is_gone = names_what_was_gone(&told.reference, entry, &sent[rejected.op]);
            // Or there is no room any more for what was.
            prop_assert!(rejected.code == "total_too_large" || is_gone, "{:?}", rejected);
            prop_assert_eq!(expected, Err((rejected.op, rejected.code)));
        }
    }
    prop_assert_eq!(told.stage.book.hash(), before);
    Ok(())
}

/// Whether an op is about a transaction whose contact was deleted before the entry, or moves one back to such a contact: the
/// entry changed what its author could not see, and to take that back is to name what is not there.
fn names_what_was_gone(reference: &Reference, entry: u64, op: &Value) -> bool {
    let with = op["id"].as_str().map(|id| reference.records[id].value("contact"));
    let contacts = with.iter().chain([&op["set"]["contact"]]).filter_map(Value::as_str);
    let mut contacts = contacts.map(|contact| &reference.records[contact]);
    contacts.any(|contact| contact.is_deleted() && contact.last_seq_of("deleted") <= entry)
}

/// What the entry changed and nobody has touched since is as it was before; everything else is as it is.
fn check_taken_back(before: &Reference, after: &Reference, entry: u64) -> Checked {
    for (id, record) in &before.records {
        let now = &after.records[id];
        for group in record.groups().filter(|group| record.last_seq_of(group) != entry) {
            // A contact comes back with what is restored to it.
            if record.kind != "contact" || group != "deleted" || now.is_deleted() {
                prop_assert_eq!(record.group_values(group), now.group_values(group), "{} of {}", group, id);
            }
        }
        if before.is_touched_since(id, entry) {
            continue;
        }
        match record.values_at(entry - 1) {
            Some(was) => prop_assert_eq!(now.values(), was, "{}", id),
            None => prop_assert!(now.is_deleted(), "{} was not there", id),
        }
    }
    Ok(())
}

/// On a client that predicts, nothing stands in the way of what was typed, and nothing is left of it once it is taken off.
fn check_prediction(stage: &mut Stage, typed: &LedgerOp) -> Checked {
    let before = stage.book.hash();
    let typed = [typed.clone()];
    if let Ok(decided) = stage.try_ops(Who::BenPhone, 0, Knows::Everything, &typed) {
        let stands_in_the_way = decided.changes.iter().any(|change| match change {
            Change::Domain(LedgerChange::ConflictRaised(conflict)) => conflict.kind != ConflictKind::DeleteEdit,
            _ => false,
        });
        prop_assert!(!stands_in_the_way, "{:?}", decided.changes);
        stage.book.revert_all(decided.undos);
    }
    prop_assert_eq!(stage.book.hash(), before);
    Ok(())
}

/// At most one open edit per record, group and replica, and one open deletion per record and replica; each with sides that
/// differ.
fn check_conflicts(state: &LedgerState) -> Checked {
    let mut seen = BTreeSet::new();
    for open in state.conflicts() {
        let conflict = &open.conflict;
        let kind = conflict.record.kind();
        let group = conflict.offered.set.iter().next().map(|(field, _)| field.group(kind));
        if conflict.kind != ConflictKind::DeleteEdit {
            prop_assert!(seen.insert((conflict.record, group, open.replica)), "twice: {:?}", conflict);
        }
        prop_assert_ne!(&conflict.standing.set, &conflict.offered.set);
    }
    Ok(())
}

/// A state read back from its serialised form, which is the same.
fn read_from_snapshot(book: &LedgerBook) -> Result<LedgerBook, TestCaseError> {
    let text = serde_json::to_string(&book.domain).expect("serialises");
    let domain: LedgerState = serde_json::from_str(&text).expect("reads back");
    let again = LedgerBook { members: book.members.clone(), domain };
    prop_assert_eq!(&derived(&again), &derived(book));
    Ok(again)
}
