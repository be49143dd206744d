//! A second domain on the same engine, a shared checklist: it proves that nothing of the ledger leaked into the engine.
//! The tests of the authority and of the replica include this file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidebook_book::{Domain, Draft, Knows, Rejected, ReplicaId, Seq, UserId};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renamed: Option<(Seq, ReplicaId)>,
    /// A text that came too late, until somebody renames the item who knows what stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) set_aside: Option<String>,
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
    Rename { id: ItemId, text: String },
    Remove { id: ItemId },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ListChange {
    ListCreated,
    ItemAdded { id: ItemId, text: String },
    // Says the item's text too, so that a reader of the log alone understands it.
    ItemTicked { id: ItemId, text: String },
    ItemRenamed { id: ItemId, text: String },
    TextSetAside { id: ItemId, text: String },
    ItemRemoved { id: ItemId },
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
    const OP_NAMES: &'static [&'static str] = &["add", "tick", "rename", "remove"];

    fn decide(items: &Items, op: &ListOp, draft: &Draft) -> Result<Vec<ListChange>, Rejected> {
        let (ListOp::Add { id, .. } | ListOp::Tick { id } | ListOp::Rename { id, .. } | ListOp::Remove { id }) = *op;
        Ok(match (op.clone(), items.get(&id)) {
            (ListOp::Add { .. }, Some(_)) => return Err(rejected("id_taken")),
            (ListOp::Add { text, .. }, None) => vec![ListChange::ItemAdded { id, text }],
            (_, None) => return Err(rejected("unknown_item")),
            (ListOp::Tick { .. }, Some(Item { ticked: Some(_), .. })) => Vec::new(),
            (ListOp::Tick { .. }, Some(Item { text, .. })) => vec![ListChange::ItemTicked { id, text: text.clone() }],
            (ListOp::Rename { text, .. }, Some(item)) if item.text == text => Vec::new(),
            (ListOp::Rename { text, .. }, Some(item)) if item.is_news_to(draft) => {
                vec![ListChange::TextSetAside { id, text }]
            }
            (ListOp::Rename { text, .. }, Some(_)) => vec![ListChange::ItemRenamed { id, text }],
            (ListOp::Remove { .. }, Some(item)) if item.is_news_to(draft) => Vec::new(),
            (ListOp::Remove { .. }, Some(_)) => vec![ListChange::ItemRemoved { id }],
        })
    }

    fn apply(items: &mut Items, change: &ListChange, draft: &Draft) -> Undo {
        let Some(id) = Self::touches(change, items).pop() else { return Undo(None) };
        let before = items.get(&id).cloned();
        let (seq, by, replica) = (draft.seq, draft.author.user, draft.author.replica);
        match (change.clone(), items.get_mut(&id)) {
            (ListChange::ItemAdded { text, .. }, _) => {
                items
                    .insert(id, Item { text, added: (seq, draft.index), ticked: None, renamed: None, set_aside: None });
            }
            (ListChange::ItemTicked { .. }, Some(item)) => item.ticked = Some(Tick { by, seq }),
            (ListChange::ItemRenamed { text, .. }, Some(item)) => {
                (item.text, item.renamed, item.set_aside) = (text, Some((seq, replica)), None);
            }
            (ListChange::TextSetAside { text, .. }, Some(item)) => item.set_aside = Some(text),
            (ListChange::ItemRemoved { .. }, _) => drop(items.remove(&id)),
            _ => {}
        }
        Undo(Some((id, before)))
    }

    fn revert(items: &mut Items, undo: Undo) {
        let Some((id, before)) = undo.0 else { return };
        items.remove(&id);
        items.extend(before.map(|item| (id, item)));
    }

    fn touches(change: &ListChange, _items: &Items) -> Vec<ItemId> {
        use ListChange::{ItemAdded, ItemRemoved, ItemRenamed, ItemTicked, ListCreated, TextSetAside};
        match change {
            ListCreated => Vec::new(),
            ItemAdded { id, .. } | ItemTicked { id, .. } | ItemRenamed { id, .. } | TextSetAside { id, .. } => {
                vec![*id]
            }
            ItemRemoved { id } => vec![*id],
        }
    }
}

impl Item {
    /// Whether it was renamed, and the author of a draft did not know.
    fn is_news_to(&self, draft: &Draft) -> bool {
        let later = self.renamed.filter(|(seq, _)| *seq > draft.base && *seq != draft.seq);
        let is_own = |replica| draft.knows == Knows::Own && replica == draft.author.replica;
        draft.knows != Knows::Everything && later.is_some_and(|(_, replica)| !is_own(replica))
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
