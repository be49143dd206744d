//! A ledger as it may be two format versions from now: contacts have a tint, which is in its ops, its changes and its state.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::value::RawValue;
use tidebook_book::{Domain, Draft, Rejected};
use tidebook_ledger::{ContactId, Ledger, LedgerChange, LedgerOp, LedgerState, Touched, Undo};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum LaterLedger {}

const TINT: &str = "tint_contact";
const TINTED: &str = "contact_tinted";

/// Ledger state is in a place of its own here: the older form does not read as this one, nor the other way round.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct LaterState {
    pub(super) ledger: LedgerState,
    pub(super) tints: BTreeMap<ContactId, String>,
}

/// What is new, or what there was before.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Either<Old> {
    New(Tint),
    Old(Old),
}

/// As an op, and as a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tint {
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    id: ContactId,
    tint: String,
}

pub(super) type LaterOp = Either<LedgerOp>;

pub(super) fn tint(id: ContactId, tint: &str) -> LaterOp {
    Either::New(Tint { op: Some(TINT.into()), kind: None, id, tint: tint.into() })
}

impl<'de, Old: Deserialize<'de>> Deserialize<'de> for Either<Old> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let is_new = text.contains(TINT) || text.contains(TINTED);
        let read =
            if is_new { serde_json::from_str(text).map(Self::New) } else { serde_json::from_str(text).map(Self::Old) };
        read.map_err(D::Error::custom)
    }
}

#[derive(Debug)]
pub(super) enum LaterUndo {
    Tint(ContactId, Option<String>),
    Old(Undo),
}

impl Domain for LaterLedger {
    type State = LaterState;
    type Op = LaterOp;
    type Change = Either<LedgerChange>;
    type Undo = LaterUndo;
    type Touched = Touched;

    const STATE_VERSION: u32 = Ledger::STATE_VERSION + 2;
    const OP_NAMES: &'static [&'static str] = &{
        const KNOWN: usize = Ledger::OP_NAMES.len();
        let mut names = [TINT; KNOWN + 1];
        let mut at = 0;
        while at < KNOWN {
            names[at] = Ledger::OP_NAMES[at];
            at += 1;
        }
        names
    };

    fn decide(state: &LaterState, op: &LaterOp, draft: &Draft) -> Result<Vec<Self::Change>, Rejected> {
        match op {
            Either::Old(op) => {
                Ledger::decide(&state.ledger, op, draft).map(|changes| changes.into_iter().map(Either::Old).collect())
            }
            Either::New(tint) => Ok(vec![Either::New(Tint { op: None, kind: Some(TINTED.into()), ..tint.clone() })]),
        }
    }

    fn apply(state: &mut LaterState, change: &Self::Change, draft: &Draft) -> LaterUndo {
        match change {
            Either::Old(change) => LaterUndo::Old(Ledger::apply(&mut state.ledger, change, draft)),
            Either::New(Tint { id, tint, .. }) => LaterUndo::Tint(*id, state.tints.insert(*id, tint.clone())),
        }
    }

    fn revert(state: &mut LaterState, undo: LaterUndo) {
        match undo {
            LaterUndo::Old(undo) => Ledger::revert(&mut state.ledger, undo),
            LaterUndo::Tint(id, Some(before)) => drop(state.tints.insert(id, before)),
            LaterUndo::Tint(id, None) => drop(state.tints.remove(&id)),
        }
    }

    fn touches(change: &Self::Change, state: &LaterState) -> Vec<Touched> {
        match change {
            Either::Old(change) => Ledger::touches(change, &state.ledger),
            Either::New(Tint { id, .. }) => vec![Touched::Contact(*id)],
        }
    }
}
