//! A replica of a checklist, and a server that is a person with a pencil.

use serde_json::{Value, json};
use tidebook_book::{
    BookId, ChainHash, Epoch, MutationId, MutationNumber, ReplicaId, Seq, Snapshot, UnixMillis, UserId,
};
use tidebook_replica::{
    BookCopy, Event, Keeps, Lacking, Monotonic, MutateError, NewMutation, Replica, ReplicaConfig, Seen,
};
use uuid::Uuid;

use crate::checklist::{Checklist, ListOp};
use crate::shelf::Shelf;

pub(crate) const BOOK: BookId = BookId(Uuid::from_u128(0xb));
pub(crate) const EPOCH: Epoch = Epoch(Uuid::from_u128(0xe));
pub(crate) const ME: ReplicaId = ReplicaId(Uuid::from_u128(0x1));
pub(crate) const OTHER: ReplicaId = ReplicaId(Uuid::from_u128(0x2));
pub(crate) const ANA: UserId = UserId(Uuid::from_u128(0xa));

pub(crate) fn id(number: u128) -> MutationId {
    MutationId(Uuid::from_u128(number))
}

pub(crate) struct Stage {
    pub(crate) replica: Replica<Checklist>,
    pub(crate) now: Monotonic,
}

impl Stage {
    /// A book is open, and no line has ever been.
    pub(crate) fn new() -> Self {
        Self::keeping(Keeps::InMemory)
    }

    /// The same over a store.
    pub(crate) fn kept() -> Self {
        Self::keeping(Keeps::InStore)
    }

    fn keeping(keeps: Keeps) -> Self {
        let (client, token) = ("test/1".into(), Some("secret".into()));
        let mut replica = Replica::new(ReplicaConfig { replica: ME, user: ANA, client, token, seed: 42, keeps });
        replica.open_book(BOOK);
        Self { replica, now: Monotonic(1_000_000) }
    }

    /// Connected and welcome, and the subscription asked for.
    pub(crate) fn welcome() -> Self {
        let mut stage = Self::new();
        stage.connect();
        stage.forget();
        stage
    }

    /// Subscribed to an empty book.
    pub(crate) fn live() -> Self {
        let mut stage = Self::welcome();
        stage.hear(subscribed(0, 0));
        stage.forget();
        stage
    }

    /// Opens a line and is made welcome there.
    pub(crate) fn connect(&mut self) {
        self.replica.connect_now(self.now);
        self.replica.handle_opened(self.now);
        self.hear(welcome());
    }

    pub(crate) fn hear(&mut self, frame: Value) {
        self.replica.handle_text(self.now, &frame.to_string());
    }

    pub(crate) fn hear_entries(&mut self, entries: &[Value]) {
        self.hear(json!({ "type": "entries", "book": BOOK, "entries": entries }));
    }

    /// Time passes; what is due then happens.
    pub(crate) fn wait_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        if self.replica.poll_timeout().is_some_and(|due| due <= self.now) {
            self.replica.handle_timeout(self.now);
        }
    }

    pub(crate) fn mutate(&mut self, id: u128, ops: &[ListOp]) -> Result<MutationNumber, MutateError> {
        let base = self.copy().seen();
        self.mutate_from(base, id, ops)
    }

    /// What a form asks for that was opened when this much had been seen.
    pub(crate) fn mutate_from(&mut self, base: Seen, id: u128, ops: &[ListOp]) -> Result<MutationNumber, MutateError> {
        let new = NewMutation { id: self::id(id), made_at: UnixMillis(5), base, ops: ops.to_vec(), undoes: None };
        self.replica.mutate(BOOK, new)
    }

    pub(crate) fn take(&mut self, snapshot: Snapshot<Checklist>) {
        self.replica.handle_snapshot(self.now, snapshot);
    }

    pub(crate) fn copy(&self) -> &BookCopy<Checklist> {
        self.replica.book(BOOK).expect("the book is open")
    }

    /// The frames sent since the last look.
    pub(crate) fn sent(&mut self) -> Vec<Value> {
        let parse = |text: String| serde_json::from_str(&text).expect("a frame is JSON");
        std::iter::from_fn(|| self.replica.poll_transmit(self.now)).map(parse).collect()
    }

    /// The numbers pushed since the last look, and nothing else was sent.
    pub(crate) fn pushed(&mut self) -> Vec<u64> {
        let frames = self.sent();
        let mutations = frames.iter().flat_map(|frame| {
            assert_eq!(frame["type"], "push", "{frame}");
            frame["mutations"].as_array().expect("a list")
        });
        mutations.map(|mutation| mutation["n"].as_u64().expect("a number")).collect()
    }

    /// What the replica said since the last look, but for changes of status.
    pub(crate) fn events(&mut self) -> Vec<Event<Checklist>> {
        let events = std::iter::from_fn(|| self.replica.poll_event());
        events.filter(|event| *event != Event::Status).collect()
    }

    /// Looks away from what was said and sent so far.
    pub(crate) fn forget(&mut self) {
        self.events();
        self.sent();
    }

    /// The view in words: each item, and a `+` where it is ticked.
    pub(crate) fn view(&self) -> String {
        let items = self.replica.view(BOOK).expect("the book is open").iter();
        let words = items.map(|(_, item)| format!("{}{}", item.text, if item.ticked.is_some() { "+" } else { "" }));
        words.collect::<Vec<_>>().join(" ")
    }

    /// The numbers in the outbox.
    pub(crate) fn pending(&self) -> Vec<u64> {
        self.copy().pending().map(|pending| pending.mutation.n.0).collect()
    }

    pub(crate) fn seq(&self) -> Seq {
        self.copy().seq()
    }

    pub(crate) fn hash(&self) -> ChainHash {
        self.copy().hash()
    }
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self::of(ME)
    }

    /// One transaction: reads what the replica lacks, then writes what the store lacks. What was read last.
    pub(crate) fn sync(&mut self, stage: &mut Stage) -> Option<Lacking> {
        let lacking = self.read(stage);
        self.read_confirmed(stage);
        if let Some(write) = stage.replica.take_write(BOOK) {
            self.put(write);
            stage.replica.handle_written(BOOK);
        }
        lacking
    }

    /// The first half of it.
    pub(crate) fn read(&self, stage: &mut Stage) -> Option<Lacking> {
        self.give(stage.now, &mut stage.replica, BOOK)
    }

    /// Where that is asked for.
    pub(crate) fn read_confirmed(&self, stage: &mut Stage) {
        self.give_confirmed(&mut stage.replica, BOOK);
    }
}

pub(crate) fn welcome() -> Value {
    let limits = json!({ "frame_up_bytes": 1, "frame_down_bytes": 1, "mutation_bytes": 1, "mutation_ops": 1 });
    json!({ "type": "welcome", "protocol": 1, "server_at": 0, "user": { "id": ANA, "name": "Ana" }, "limits": limits })
}

pub(crate) fn subscribed(head: u64, accepted: u64) -> Value {
    let head_hash = ChainHash::ZERO;
    json!({
        "type": "subscribed", "book": BOOK, "epoch": EPOCH, "role": "editor", "head": head, "head_hash": head_hash,
        "accepted": accepted,
    })
}

/// The same where the book's log has this hash at its head.
pub(crate) fn subscribed_at(head: u64, head_hash: ChainHash, accepted: u64) -> Value {
    let mut frame = subscribed(head, accepted);
    frame["head_hash"] = json!(head_hash);
    frame
}

pub(crate) fn required(seq: u64) -> Value {
    json!({ "type": "snapshot_required", "book": BOOK, "epoch": EPOCH, "from_seq": null, "seq": seq })
}

/// Of the history there is, as far as the server can tell from that seq on.
pub(crate) fn required_from(from_seq: u64, seq: u64) -> Value {
    let mut frame = required(seq);
    frame["from_seq"] = json!(from_seq);
    frame
}

/// Items by their ids, each added by some entry.
pub(crate) fn snapshot(seq: u64, items: &[(u32, &str)]) -> Snapshot<Checklist> {
    let item = |text: &str| json!({ "text": text, "added": [1, 0], "ticked": null });
    let state: serde_json::Map<_, _> = items.iter().map(|(id, text)| (id.to_string(), item(text))).collect();
    let mut snapshot: Snapshot<Checklist> = serde_json::from_value(json!({
        "book": BOOK, "epoch": EPOCH, "seq": seq, "hash": hash_of_snapshot(seq), "state_version": 1,
        "state_hash": ChainHash::ZERO, "replicas": {}, "people": [], "state": state,
    }))
    .expect("a snapshot");
    snapshot.state_hash = snapshot.clone().into_state().hash();
    snapshot
}

pub(crate) fn hash_of_snapshot(seq: u64) -> ChainHash {
    ChainHash::of(&seq.to_be_bytes())
}

pub(crate) fn refused(n: u64, code: &str) -> Value {
    json!({ "type": "refused", "book": BOOK, "id": id(n.into()), "n": n, "code": code, "detail": "because" })
}

/// An entry of this mutation.
pub(crate) fn entry(seq: u64, replica: ReplicaId, n: u64, id: u128, changes: &[Value]) -> Value {
    json!({
        "seq": seq, "at": 9, "by": ANA, "replica": replica, "n": n, "id": self::id(id), "made_at": 5,
        "changes": changes,
    })
}

/// An entry of another replica, which needs no id that anyone knows.
pub(crate) fn others(seq: u64, changes: &[Value]) -> Value {
    entry(seq, OTHER, seq, 0xff00 + u128::from(seq), changes)
}

pub(crate) fn rejecting(seq: u64, n: u64, id: u128, code: &str) -> Value {
    let mut entry = entry(seq, ME, n, id, &[]);
    entry["rejected"] = json!({ "code": code, "detail": "because", "op": 0 });
    entry
}

pub(crate) fn added(id: u32, text: &str) -> Value {
    json!({ "type": "item_added", "id": id, "text": text })
}

pub(crate) fn ticked(id: u32, text: &str) -> Value {
    json!({ "type": "item_ticked", "id": id, "text": text })
}

/// The hash of a log of these entries.
pub(crate) fn chain(entries: &[Value]) -> ChainHash {
    entries.iter().fold(ChainHash::ZERO, |hash, entry| hash.followed_by(entry.to_string().as_bytes()))
}
