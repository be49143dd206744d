//! What planted bugs do to what passes by. Without a plant, everything passes as it is.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidebook_book::{Author, BookId, ChainHash, EncodedEntry, Role, Seq, UserId};
use tidebook_ledger::LedgerBook;
use tidebook_protocol::{RawMutation, Subscribe};

use crate::disk::{BookLog, Disk};
use crate::plant::Plant;
use crate::random::Random;

/// A state that was just loaded.
pub(super) fn loaded(plant: Option<Plant>, state: LedgerBook) -> LedgerBook {
    let edit: fn(&mut Value) = match plant {
        Some(Plant::ConflictDropped) => |state| state["conflicts"] = json!([]),
        Some(Plant::Resurrected) => |state| {
            for kind in ["contacts", "transactions"] {
                state[kind].as_array_mut().into_iter().flatten().for_each(|record| record["deleted"] = json!(false));
            }
        },
        _ => return state,
    };
    let mut value = serde_json::to_value(&state.domain).expect("a state serialises");
    edit(&mut value);
    LedgerBook { domain: serde_json::from_value(value).expect("a state reads back"), ..state }
}

/// A snapshot on its way to a device.
pub(super) fn snapshot(plant: Option<Plant>, text: String) -> String {
    let edit: fn(&mut Value) = match plant {
        Some(Plant::SnapshotWithoutConflicts) => |snapshot| snapshot["state"]["conflicts"] = json!([]),
        Some(Plant::SnapshotWithAllNumbers) => |snapshot| {
            let numbers = snapshot["replicas"].as_object_mut().into_iter().flat_map(|replicas| replicas.values_mut());
            numbers.for_each(|number| *number = json!(u32::MAX));
        },
        Some(Plant::SnapshotWithoutStamps) => |snapshot| {
            for kind in ["contacts", "transactions"] {
                let records = snapshot["state"][kind].as_array_mut().into_iter().flatten();
                records.filter_map(Value::as_object_mut).for_each(|record| drop(record.remove("changed")));
            }
        },
        _ => return text,
    };
    let mut value = serde_json::from_str(&text).expect("a snapshot reads back");
    edit(&mut value);
    value.to_string()
}

/// Who pushes.
pub(super) fn author(plant: Option<Plant>, author: Author, members: &BTreeMap<UserId, Role>) -> Author {
    let owner = members.iter().find(|(_, role)| **role == Role::Owner).map(|(user, _)| *user);
    match (plant, owner) {
        (Some(Plant::EveryoneOwner), Some(user)) => Author { user, ..author },
        _ => author,
    }
}

/// What is pushed.
pub(super) fn mutations(plant: Option<Plant>, head: Seq, mutations: &mut [RawMutation]) {
    for mutation in mutations {
        match plant {
            Some(Plant::BaseRaised) => mutation.envelope.base = head,
            Some(Plant::Emptied) if mutation.envelope.n.0.is_multiple_of(5) => mutation.envelope.ops.clear(),
            Some(Plant::UndoExempt) if mutation.envelope.undoes.is_some() => mutation.envelope.base = head,
            _ => {}
        }
    }
}

/// The role of somebody who has none.
pub(super) fn role_of_stranger(plant: Option<Plant>) -> Option<Role> {
    (plant == Some(Plant::StrangerServed)).then_some(Role::Viewer)
}

/// Where a subscription begins.
pub(super) fn cursor(
    plant: Option<Plant>,
    head: Seq,
    subscribe: &mut Subscribe,
    hash_there: &mut Option<ChainHash>,
    log: &BookLog,
) {
    if plant == Some(Plant::HashIgnored) && subscribe.after <= head {
        *hash_there = subscribe.hash;
    }
    let is_right = hash_there.is_some() && subscribe.after < head;
    if plant == Some(Plant::StaleCursor) && is_right {
        subscribe.after = subscribe.after.next();
        *hash_there = log.hash_at(subscribe.after);
        subscribe.hash = *hash_there;
    }
}

/// Entries on their way to a follower.
pub(super) fn entries(
    plant: Option<Plant>,
    mut entries: Vec<EncodedEntry>,
    book: BookId,
    disk: &Disk,
    random: &mut Random,
) -> Vec<EncodedEntry> {
    match plant {
        // The session itself notices where the first of several is missing.
        Some(Plant::SeqSkipped) if entries.len() > 2 => drop(entries.remove(1)),
        Some(Plant::WrongBookBroadcast) if random.one_in(50) => {
            let others = disk.logs().filter(|(other, _)| *other != book);
            let same_place = |log: &BookLog| entries.first().and_then(|first| log.entry(first.seq).cloned());
            if let Some(wrong) = others.filter_map(|(_, log)| same_place(log)).next() {
                return vec![wrong];
            }
        }
        Some(Plant::EncodedAnew) if entries.len() > 1 => entries.iter_mut().for_each(encode_anew),
        _ => {}
    }
    entries
}

fn encode_anew(entry: &mut EncodedEntry) {
    let value: Value = serde_json::from_slice(&entry.bytes).expect("an entry reads back");
    entry.bytes = value.to_string().into_bytes().into();
}
