//! A second domain on the same engine, a shared checklist: it proves that nothing of the ledger leaked into the engine.
//! The tests of the authority and of the replica include this file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidebook_book::{Domain, Draft, Rejected, Seq, UserId};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Checklist {}

/// Names an item, and gives its place on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ItemId(pub(crate) u32);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) text: String,
    /// The entry that added it, and which of its changes that was.
    added: (Seq, usize),
    pub(crate) ticked: Option<Tick>,
}

/// Who ticked an item, and when that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tick {
    by: UserId,
    pub(crate) seq: Seq,
}

pub(crate) type Items = BTreeMap<ItemId, Item>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum ListOp {
    Add { id: ItemId, text: String },
    Tick { id: ItemId },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ListChange {
    ListCreated,
    ItemAdded {
        id: ItemId,
        text: String,
    },
    /// Says the item's text too, so that a reader of the log alone understands it.
    ItemTicked {
        id: ItemId,
        text: String,
    },
}

/// The item that stood there before.
#[derive(Debug)]
pub(crate) struct Undo(Option<(ItemId, Option<Item>)>);

impl Domain for Checklist {
    type State = Items;
    type Op = ListOp;
    type Change = ListChange;
    type Undo = Undo;
    type Touched = ItemId;

    const STATE_VERSION: u32 = 1;
    const OP_NAMES: &'static [&'static str] = &["add", "tick"];

    fn decide(items: &Items, op: &ListOp, _draft: &Draft) -> Result<Vec<ListChange>, Rejected> {
        match op {
            ListOp::Add { id, .. } if items.contains_key(id) => Err(rejected("id_taken")),
            ListOp::Add { id, text } => Ok(vec![ListChange::ItemAdded { id: *id, text: text.clone() }]),
            ListOp::Tick { id } => match items.get(id) {
                None => Err(rejected("unknown_item")),
                Some(Item { ticked: Some(_), .. }) => Ok(Vec::new()),
                Some(Item { text, .. }) => Ok(vec![ListChange::ItemTicked { id: *id, text: text.clone() }]),
            },
        }
    }

    fn apply(items: &mut Items, change: &ListChange, draft: &Draft) -> Undo {
        match change {
            ListChange::ListCreated => Undo(None),
            ListChange::ItemAdded { id, text } => {
                let item = Item { text: text.clone(), added: (draft.seq, draft.index), ticked: None };
                Undo(Some((*id, items.insert(*id, item))))
            }
            ListChange::ItemTicked { id, .. } => {
                let before = items.get(id).cloned();
                if let Some(item) = items.get_mut(id) {
                    item.ticked = Some(Tick { by: draft.author.user, seq: draft.seq });
                }
                Undo(Some((*id, before)))
            }
        }
    }

    fn revert(items: &mut Items, undo: Undo) {
        match undo.0 {
            None => {}
            Some((id, Some(item))) => drop(items.insert(id, item)),
            Some((id, None)) => drop(items.remove(&id)),
        }
    }

    fn touches(change: &ListChange, _items: &Items) -> Vec<ItemId> {
        match change {
            ListChange::ListCreated => Vec::new(),
            ListChange::ItemAdded { id, .. } | ListChange::ItemTicked { id, .. } => vec![*id],
        }
    }
}

fn rejected(code: &str) -> Rejected {
    Rejected { code: code.into(), detail: "see the code".into(), op: 0, field: None }
}

pub(crate) fn add(id: u32, text: &str) -> ListOp {
    ListOp::Add { id: ItemId(id), text: text.into() }
}

pub(crate) fn tick(id: u32) -> ListOp {
    ListOp::Tick { id: ItemId(id) }
}
