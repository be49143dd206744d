//! A book on a stage: two people's replicas and a session write in it, each from the base they say.

use serde_json::{Value, json};
use tidebook_book::{
    Author, Change, Decided, Draft, Entry, Knows, MemberChange, MutationId, MutationNumber, Rejected, ReplicaId, Role,
    Seq, StateUndo, UnixMillis, UserId,
};
use tidebook_ledger::{Ledger, LedgerBook, LedgerChange, LedgerOp};
use uuid::Uuid;

/// Who speaks: a replica of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Ana,
    Ben,
    /// Ben's second device.
    BenPhone,
    /// Ben over REST: a session, which knows nothing but its base.
    BenRest,
    /// Ana takes something back.
    AnaUndo,
}

impl Who {
    pub(crate) fn author(self) -> Author {
        let (user, replica) = match self {
            Self::Ana | Self::AnaUndo => (0xa, 0xa1),
            Self::Ben => (0xb, 0xb1),
            Self::BenPhone => (0xb, 0xb2),
            Self::BenRest => (0xb, 0xb3),
        };
        Author { user: UserId(Uuid::from_u128(user)), replica: ReplicaId(Uuid::from_u128(replica)) }
    }

    pub(crate) fn knows(self) -> Knows {
        match self {
            Self::BenRest | Self::AnaUndo => Knows::Nothing,
            _ => Knows::Own,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) book: LedgerBook,
    pub(crate) head: u64,
    pub(crate) log: Vec<Vec<LedgerChange>>,
    /// Each entry as JSON.
    pub(crate) lines: Vec<String>,
    /// What takes each entry's changes back.
    pub(crate) undos: Vec<Vec<StateUndo<Ledger>>>,
}

impl Stage {
    /// A book of Ana's in euros; entry 1.
    pub(crate) fn new() -> Self {
        let (book, log, lines, undos) = (LedgerBook::default(), Vec::new(), Vec::new(), Vec::new());
        let mut stage = Self { book, head: 1, log, lines, undos };
        let created = LedgerChange::BookCreated { name: "Flat".into(), currency: "EUR".parse().expect("a currency") };
        let added = MemberChange::Added { user: Who::Ana.author().user, role: Role::Owner };
        let changes = vec![Change::Domain(created), Change::Member(added)];
        let draft = stage.draft(Who::Ana, 0, 1);
        let undos = changes.iter().map(|change| stage.book.apply(change, &draft)).collect();
        stage.note(draft, Ok(Decided { changes, undos })).expect("nothing is rejected");
        stage
    }

    fn draft(&self, who: Who, base: u64, seq: u64) -> Draft {
        Draft {
            seq: Seq(seq),
            at: UnixMillis(1000 + seq as i64),
            author: who.author(),
            mutation: MutationId(Uuid::from_u128(0xe000 + u128::from(seq))),
            made_at: UnixMillis(seq as i64),
            base: Seq(base),
            knows: who.knows(),
            index: 0,
        }
    }

    /// Decides a mutation; an entry either way.
    pub(crate) fn say_ops(&mut self, who: Who, base: u64, ops: &[LedgerOp]) -> Result<Vec<LedgerChange>, Rejected> {
        let draft = self.draft(who, base, self.head + 1);
        self.head += 1;
        let decided = self.book.decide_and_apply(ops, draft);
        self.note(draft, decided)
    }

    /// Decides what would be the next entry, and leaves its changes applied without one.
    pub(crate) fn try_ops(
        &mut self,
        who: Who,
        base: u64,
        knows: Knows,
        ops: &[LedgerOp],
    ) -> Result<Decided<Ledger>, Rejected> {
        let draft = self.draft(who, base, self.head + 1);
        self.book.decide_and_apply(ops, Draft { knows, ..draft })
    }

    fn note(
        &mut self,
        draft: Draft,
        decided: Result<Decided<Ledger>, Rejected>,
    ) -> Result<Vec<LedgerChange>, Rejected> {
        let rejected = decided.as_ref().err().cloned();
        let Decided { changes, undos } = decided.unwrap_or(Decided { changes: Vec::new(), undos: Vec::new() });
        let Draft { seq, at, author, mutation, made_at, .. } = draft;
        let (by, replica, n) = (author.user, author.replica, MutationNumber(seq.0));
        let entry = Entry { seq, at, by, replica, n, id: mutation, made_at, undoes: None, rejected, changes };
        self.lines.push(serde_json::to_string(&entry).expect("serialises"));
        self.undos.push(undos);
        let changes: Vec<LedgerChange> = entry.changes.into_iter().filter_map(domain_change).collect();
        self.log.push(changes.clone());
        entry.rejected.map_or(Ok(changes), Err)
    }

    /// The same with ops in the short spelling of [`op`], and the answer in the short spelling of [`tell`].
    pub(crate) fn say(&mut self, who: Who, base: u64, ops: &str) -> String {
        let ops: Vec<LedgerOp> = ops.split("; ").map(|text| self.op(text)).collect();
        match self.say_ops(who, base, &ops) {
            Ok(changes) => changes.iter().map(tell).collect::<Vec<_>>().join("; "),
            Err(rejected) => format!("! {} {}", rejected.op, rejected.code),
        }
    }

    /// An op from its short spelling: `+c1`, `+t1 c1 20 EUR`, `c1 name=Anna note=`, `-c1`, `~c1` (restore), `book name=X`,
    /// `apply 1`, `dismiss 1` (the oldest open conflict is 1).
    fn op(&self, text: &str) -> LedgerOp {
        let mut words = text.split(' ');
        let first = words.next().expect("an op has words");
        let rest: Vec<&str> = words.collect();
        let value = match first.split_at(1) {
            ("+", id) if id.starts_with('c') => json!({"op": "create_contact", "id": id_of(id), "name": id}),
            ("+", id) => json!({
                "op": "create_transaction", "id": id_of(id), "contact": id_of(rest[0]), "direction": "gave",
                "amount": rest[1].parse::<i64>().expect("an amount"), "currency": rest[2], "date": "2026-11-22",
            }),
            ("-", id) => json!({"op": format!("delete_{}", kind_of(id)), "id": id_of(id)}),
            ("~", id) => json!({"op": format!("restore_{}", kind_of(id)), "id": id_of(id)}),
            _ if ["apply", "dismiss"].contains(&first) => {
                let place: usize = rest[0].parse().expect("a conflict's place");
                json!({"op": "resolve_conflict", "id": self.conflict_id(place), "apply": first == "apply"})
            }
            _ if first == "book" => json!({"op": "update_book", "set": set_of(&rest)}),
            _ => json!({"op": format!("update_{}", kind_of(first)), "id": id_of(first), "set": set_of(&rest)}),
        };
        serde_json::from_value(value).expect(text)
    }

    fn conflict_id(&self, place: usize) -> String {
        let mut open: Vec<_> = self.book.domain.conflicts().collect();
        open.sort_by_key(|open| (open.seq, open.index));
        match open.get(place - 1) {
            Some(open) => open.conflict.id.to_string(),
            None => Uuid::from_u128(place as u128).to_string(),
        }
    }

    /// Every record and open conflict, in the short spelling.
    pub(crate) fn state(&self) -> String {
        let state = serde_json::to_value(&self.book.domain).expect("serialises");
        let mut lines = Vec::new();
        for contact in state["contacts"].as_array().expect("contacts") {
            lines.push(format!(
                "{}{}",
                short(&contact["id"]),
                if contact["deleted"] == true { " deleted" } else { "" }
            ));
        }
        for t in state["transactions"].as_array().expect("transactions") {
            let deleted = if t["deleted"] == true { " deleted" } else { "" };
            let (direction, currency) = (text(&t["direction"]), text(&t["currency"]));
            lines.push(format!(
                "{} {} {direction} {} {currency}{deleted}",
                short(&t["id"]),
                short(&t["contact"]),
                t["amount"]
            ));
        }
        lines.push(format!("{} open", state["conflicts"].as_array().expect("conflicts").len()));
        lines.join("; ")
    }
}

fn domain_change(change: Change<LedgerChange>) -> Option<LedgerChange> {
    match change {
        Change::Domain(change) => Some(change),
        Change::Member(_) => None,
    }
}

/// `c1` and `t1` as ids.
pub(crate) fn id_of(short: &str) -> Uuid {
    let number: u128 = short[1..].parse().expect("a number");
    Uuid::from_u128(if short.starts_with('c') { 0xc000 + number } else { 0xd000 + number })
}

fn kind_of(short: &str) -> &'static str {
    if short.starts_with('c') { "contact" } else { "transaction" }
}

fn set_of(words: &[&str]) -> Value {
    let pair = |word: &&str| {
        let (field, value) = word.split_once('=').expect("field=value");
        let value = match (field, value) {
            (_, "") => Value::Null,
            ("amount", digits) => json!(digits.parse::<i64>().expect("an amount")),
            ("contact", id) => json!(id_of(id)),
            (_, text) => json!(text),
        };
        (field.to_owned(), value)
    };
    words.iter().map(pair).collect::<serde_json::Map<_, _>>().into()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn short(id: &Value) -> String {
    let Ok(uuid) = text(id).parse::<Uuid>() else { return text(id).to_owned() };
    match uuid.as_u128() {
        n @ 0xc000..=0xcfff => format!("c{}", n - 0xc000),
        n @ 0xd000..=0xdfff => format!("t{}", n - 0xd000),
        n @ 0xa..=0xb => {
            if n == 0xa {
                "Ana".into()
            } else {
                "Ben".into()
            }
        }
        _ => "K".into(),
    }
}

fn tell_set(set: &Value) -> String {
    let fields = set.as_object().expect("a set").iter();
    let words: Vec<String> = fields
        .map(|(field, value)| match value {
            Value::Null => format!("{field}="),
            Value::String(_) => format!("{field}={}", short(value)),
            other => format!("{field}={other}"),
        })
        .collect();
    words.join(" ")
}

/// A change in the short spelling.
fn tell(change: &LedgerChange) -> String {
    let value = serde_json::to_value(change).expect("serialises");
    let kind = text(&value["type"]);
    let id = || short(&value["id"]);
    match kind.rsplit('_').next().expect("a verb") {
        "updated" => {
            let what = if kind == "book_updated" { "book".to_owned() } else { id() };
            format!("{what} {} was {}", tell_set(&value["set"]), tell_set(&value["was"]))
        }
        "created" => format!("+{}", id()),
        "deleted" => format!("-{}", id()),
        "restored" => format!("~{}", id()),
        "raised" => {
            let record = &value["record"];
            let record = if record["kind"] == "book" { "book".to_owned() } else { short(&record["id"]) };
            let (standing, offered) = (&value["standing"], &value["offered"]);
            format!(
                "{} {record}: [{}] {} {} / [{}] {}",
                text(&value["kind"]),
                tell_set(&standing["set"]),
                short(&standing["by"]),
                standing["seq"],
                tell_set(&offered["set"]),
                short(&offered["by"]),
            )
        }
        _ => {
            if value["applied"] == true {
                "applied".into()
            } else {
                "closed".into()
            }
        }
    }
}
