//! One book's log as it was committed, and what follows from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use tidebook_authority::{Batch, StagedEntry};
use tidebook_book::{
    BookChange, BookState, ChainHash, Change, EncodedEntry, Entry, MemberChange, MutationId, ReplicaId, Role, Seq,
    UserId,
};
use tidebook_ledger::{Ledger, LedgerBook, LedgerChange};

use super::first_stands::FirstStands;
use super::{Checked, Declared, Invariant, Reading};
use crate::disk::BookLog;
use crate::fold::Fold;
use crate::queue::Ms;

/// Entries between two states that are kept to start from.
const CHECKPOINT_EVERY: u64 = 32;

/// So long what was decided before a book was put away may take to be on disk.
const DECIDED_WITHIN_MS: Ms = 10_000;

#[derive(Debug)]
pub(crate) struct BookCheck {
    /// A text that everything of this book contains and nothing else does.
    pub(crate) canary: String,
    entries: Vec<Arc<[u8]>>,
    hashes: Vec<ChainHash>,
    /// Whether a device was told of it.
    acked: Vec<bool>,
    by_id: HashMap<MutationId, Seq>,
    numbers: BTreeMap<ReplicaId, u64>,
    state: LedgerBook,
    checkpoints: Vec<(Seq, LedgerBook)>,
    pub(crate) fold: Fold,
    first_stands: FirstStands,
    conflicts_raised: u64,
    rejections: u64,
    /// Entries that a restored server has lost: their places, the hashes there, and what the log has of their history.
    lost: HashMap<(Seq, ChainHash), Seq>,
    /// It was restored once without saying so.
    was_restored_silently: bool,
    /// Replicas that went on under another id, because of this book or of another, and what they went on under.
    renewed: BTreeSet<ReplicaId>,
    /// Replicas whose numbers several tabs give, of which one may start over from before what another has heard the fate of.
    shared: BTreeSet<ReplicaId>,
    /// Who was removed last when, and by which entry.
    left: BTreeMap<UserId, (Ms, Seq)>,
    /// When it was put away.
    archived_at: Option<Ms>,
}

impl BookCheck {
    pub(crate) fn new(canary: String) -> Self {
        Self {
            canary,
            entries: Vec::new(),
            hashes: Vec::new(),
            acked: Vec::new(),
            by_id: HashMap::new(),
            numbers: BTreeMap::new(),
            state: BookState::default(),
            checkpoints: vec![(Seq::ZERO, BookState::default())],
            fold: Fold::default(),
            first_stands: FirstStands::default(),
            conflicts_raised: 0,
            rejections: 0,
            lost: HashMap::new(),
            was_restored_silently: false,
            renewed: BTreeSet::new(),
            shared: BTreeSet::new(),
            left: BTreeMap::new(),
            archived_at: None,
        }
    }

    /// A backup is gone on from. What was lost is told from what stands by its hash.
    pub(super) fn restore(&mut self, until: Seq, declared: Declared) {
        let hides_another = self.hides_another(declared);
        self.lost.values_mut().for_each(|common| *common = if hides_another { until } else { until.min(*common) });
        let mut anew = Self::new(std::mem::take(&mut self.canary));
        for (seq, hash) in (1..).map(Seq).zip(std::mem::take(&mut self.hashes)) {
            if seq > until {
                self.lost.insert((seq, hash), until);
                continue;
            }
            let (bytes, entry) = (self.bytes(seq).expect("an entry of the log").clone(), self.read(seq));
            let value = serde_json::from_slice(&bytes).expect("an entry reads back");
            anew.fold.read(&value).expect("it was read before");
            anew.first_stands.read(&value, None).expect("without a reading nothing is checked");
            let (id, replica, n) = (entry.id, entry.replica, entry.n);
            anew.add(&StagedEntry { entry: EncodedEntry { seq, hash, bytes }, id, replica, n }, &entry);
        }
        anew.acked = self.acked.iter().copied().take(anew.entries.len()).collect();
        anew.lost = std::mem::take(&mut self.lost);
        (anew.conflicts_raised, anew.rejections) = (self.conflicts_raised, self.rejections);
        anew.renewed = std::mem::take(&mut self.renewed);
        anew.shared = std::mem::take(&mut self.shared);
        anew.was_restored_silently = self.was_restored_silently || declared == Declared::No;
        *self = anew;
    }

    pub(crate) fn archive(&mut self, now: Ms) {
        self.archived_at = Some(now);
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.archived_at.is_some()
    }

    /// It went on from a backup once.
    pub(crate) fn was_restored(&self) -> bool {
        !self.lost.is_empty()
    }

    pub(super) fn note_renewed(&mut self, replicas: [ReplicaId; 2]) {
        self.renewed.extend(replicas);
    }

    pub(super) fn note_shared(&mut self, replica: ReplicaId) {
        self.shared.insert(replica);
    }

    /// A number of this replica may be used up by what stands under another.
    pub(crate) fn may_use_up_numbers(&self, replica: ReplicaId) -> bool {
        self.was_restored() || self.renewed.contains(&replica)
    }

    /// The same, also where several tabs give the numbers: some ids may be offered under two of them, of which the later
    /// changes nothing.
    pub(super) fn may_use_up_numbers_of(&self, replica: ReplicaId) -> bool {
        self.may_use_up_numbers(replica) || self.shared.contains(&replica)
    }

    /// Whether a copy that has got there is in a history that is gone.
    pub(crate) fn is_lost(&self, seq: Seq, hash: ChainHash) -> bool {
        self.lost.contains_key(&(seq, hash))
    }

    /// What somebody had seen of this log, going by a copy that they saw up to a seq.
    pub(crate) fn seen(&self, base: Seq, copy: (Seq, ChainHash)) -> Seq {
        self.lost.get(&copy).map_or(base, |common| base.min(*common))
    }

    /// When somebody was removed last, and the first entry that they may not have for it.
    pub(super) fn left(&self, user: UserId) -> Option<(Ms, Seq)> {
        self.left.get(&user).copied()
    }

    /// It was restored once without saying so.
    pub(super) fn was_restored_silently(&self) -> bool {
        self.was_restored_silently
    }

    /// Two restores, the second declared: who had not heard of the first is told where the second began, and no more.
    pub(super) fn hides_another(&self, restore: Declared) -> bool {
        restore == Declared::Yes && self.was_restored_silently
    }

    /// The last entry that says who is in the book.
    pub(crate) fn last_change_of_members(&self) -> Seq {
        let is_about_members = |seq: &Seq| matches!(&*self.read(*seq).changes, [Change::Member(_)]);
        (1..=self.head().0).rev().map(Seq).find(is_about_members).unwrap_or(Seq(1))
    }

    pub(crate) fn head(&self) -> Seq {
        Seq(self.entries.len() as u64)
    }

    /// What the log adds up to.
    pub(crate) fn state(&self) -> &LedgerBook {
        &self.state
    }

    pub(crate) fn role_of(&self, user: UserId) -> Option<Role> {
        self.state.role_of(user)
    }

    pub(crate) fn place_of(&self, id: MutationId) -> Option<Seq> {
        self.by_id.get(&id).copied()
    }

    /// How often a conflict was raised.
    pub(crate) fn conflicts_raised(&self) -> u64 {
        self.conflicts_raised
    }

    /// How many entries reject their mutation.
    pub(crate) fn rejections(&self) -> u64 {
        self.rejections
    }

    pub(crate) fn last_number(&self, replica: ReplicaId) -> u64 {
        self.numbers.get(&replica).copied().unwrap_or(0)
    }

    pub(crate) fn bytes(&self, seq: Seq) -> Option<&Arc<[u8]>> {
        self.entries.get(usize::try_from(seq.0.checked_sub(1)?).ok()?)
    }

    pub(crate) fn hash_at(&self, seq: Seq) -> Option<ChainHash> {
        match seq.0.checked_sub(1) {
            None => Some(ChainHash::ZERO),
            Some(index) => self.hashes.get(usize::try_from(index).ok()?).copied(),
        }
    }

    pub(crate) fn read(&self, seq: Seq) -> Entry<BookChange<Ledger>> {
        serde_json::from_slice(self.bytes(seq).expect("an entry of the log")).expect("an entry reads back")
    }

    /// A device was told of these.
    pub(crate) fn note_acked(&mut self, seqs: &[Seq]) {
        for seq in seqs {
            let index = usize::try_from(seq.0 - 1).expect("a log fits in memory");
            self.acked[index] = true;
        }
    }

    /// The state at a seq.
    pub(crate) fn state_at(&self, seq: Seq) -> LedgerBook {
        if seq == self.head() {
            return self.state.clone();
        }
        let before = self.checkpoints.iter().rev().find(|(kept, _)| *kept <= seq);
        let (kept, mut state) = before.cloned().expect("one is kept at 0");
        (kept.0 + 1..=seq.0).for_each(|seq| state.apply_entry(&self.read(Seq(seq))));
        state
    }

    pub(super) fn handle_commit(
        &mut self,
        now: Ms,
        batch: &Batch,
        owners: &BTreeMap<ReplicaId, UserId>,
        reading: impl Fn(MutationId) -> Option<Reading>,
    ) -> Checked {
        Invariant::GaplessOrder.require(batch.expected_head == self.head(), || {
            format!("a batch decided on head {} meets head {}", batch.expected_head, self.head())
        })?;
        self.check_archived(now, batch)?;
        batch.entries.iter().try_for_each(|staged| self.handle_entry(staged, owners, reading(staged.id)))?;
        let removed = batch.members.iter().filter(|row| row.role.is_none());
        self.left.extend(removed.map(|row| (row.user, (now, batch.expected_head.next()))));
        batch.numbers.iter().try_for_each(|row| {
            let entered = self.last_number(row.replica);
            let is_used_up = self.may_use_up_numbers_of(row.replica) && row.n.0 > entered;
            Invariant::ExactlyOnce.require(row.n.0 == entered || is_used_up, || {
                format!("a replica's line is said to end at {}, and {entered} was its last to enter", row.n)
            })
        })
    }

    fn handle_entry(
        &mut self,
        staged: &StagedEntry,
        owners: &BTreeMap<ReplicaId, UserId>,
        reading: Option<Reading>,
    ) -> Checked {
        let bytes = &staged.entry.bytes;
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| Invariant::Honest.broken(error.to_string()))?;
        let entry: Entry<BookChange<Ledger>> =
            serde_json::from_slice(bytes).map_err(|error| Invariant::Honest.broken(error.to_string()))?;
        self.check_place(staged, &entry)?;
        self.check_once(&entry)?;
        self.check_standing(&entry, owners)?;
        self.fold.read(&value).map_err(|fault| Invariant::Balances.broken(fault))?;
        self.first_stands.read(&value, reading)?;
        self.add(staged, &entry);
        self.compare()
    }

    fn add(&mut self, staged: &StagedEntry, entry: &Entry<BookChange<Ledger>>) {
        self.entries.push(staged.entry.bytes.clone());
        self.hashes.push(staged.entry.hash);
        self.acked.push(false);
        self.by_id.insert(entry.id, entry.seq);
        self.numbers.insert(entry.replica, entry.n.0);
        self.state.apply_entry(entry);
        let is_raised =
            |change: &&BookChange<Ledger>| matches!(change, Change::Domain(LedgerChange::ConflictRaised(_)));
        self.conflicts_raised += entry.changes.iter().filter(is_raised).count() as u64;
        self.rejections += u64::from(entry.rejected.is_some());
        if self.head().0.is_multiple_of(CHECKPOINT_EVERY) {
            self.checkpoints.push((self.head(), self.state.clone()));
        }
    }

    fn check_place(&self, staged: &StagedEntry, entry: &Entry<BookChange<Ledger>>) -> Checked {
        let due = self.head().next();
        Invariant::GaplessOrder
            .require(entry.seq == due, || format!("entry {} comes where {due} is due", entry.seq))?;
        let says_so =
            (staged.entry.seq, staged.id, staged.replica, staged.n) == (entry.seq, entry.id, entry.replica, entry.n);
        Invariant::GaplessOrder.require(says_so, || format!("entry {due} is kept under what it does not say"))?;
        let before = self.hash_at(self.head()).expect("the head has a hash");
        let link = blake3::hash(&[before.0, *blake3::hash(&staged.entry.bytes).as_bytes()].concat());
        Invariant::GaplessOrder
            .require(*link.as_bytes() == staged.entry.hash.0, || format!("the chain is broken at entry {due}"))
    }

    fn check_once(&self, entry: &Entry<BookChange<Ledger>>) -> Checked {
        let before = self.place_of(entry.id);
        Invariant::ExactlyOnce.require(before.is_none(), || {
            format!("{} is entry {before:?} and enters again as {}", entry.id, entry.seq)
        })?;
        let last = self.last_number(entry.replica);
        let is_next = entry.n.0 == last + 1 || (self.may_use_up_numbers_of(entry.replica) && entry.n.0 > last);
        Invariant::ExactlyOnce.require(is_next, || {
            format!("number {} of {} enters after number {last}, as entry {}", entry.n, entry.replica, entry.seq)
        })
    }

    /// Whether whoever wrote may, with the roles before the entry.
    fn check_standing(&self, entry: &Entry<BookChange<Ledger>>, owners: &BTreeMap<ReplicaId, UserId>) -> Checked {
        let owner = owners.get(&entry.replica);
        Invariant::Standing.require(owner == Some(&entry.by), || {
            format!("entry {} is by {}, from a replica of {owner:?}", entry.seq, entry.by)
        })?;
        let role = self.role_of(entry.by);
        let may = entry.seq == Seq(1)
            || match &*entry.changes {
                [Change::Member(MemberChange::Added { user, .. })] => role.is_none() || user != &entry.by,
                [Change::Member(MemberChange::Removed { user })] => role == Some(Role::Owner) || user == &entry.by,
                [Change::Member(MemberChange::RoleChanged { .. })] => role == Some(Role::Owner),
                _ => role.is_some_and(Role::may_write),
            };
        Invariant::Standing.require(may, || format!("entry {} is by {}, who was {role:?}", entry.seq, entry.by))
    }

    /// What is put away takes no more, but for who comes and goes.
    fn check_archived(&self, now: Ms, batch: &Batch) -> Checked {
        let is_closed = self.archived_at.is_some_and(|at| now > at + DECIDED_WITHIN_MS);
        let is_of_members = |staged: &StagedEntry| {
            let entry: Entry<BookChange<Ledger>> = serde_json::from_slice(&staged.entry.bytes).expect("an entry reads");
            matches!(&*entry.changes, [Change::Member(_)])
        };
        Invariant::Standing.require(!is_closed || batch.entries.iter().all(is_of_members), || {
            format!("an archived book is written in after {}", batch.expected_head)
        })
    }

    /// Whether the independent reader finds the same.
    pub(super) fn compare(&self) -> Checked {
        let faults = difference(&self.fold, &self.state);
        Invariant::Balances.require(faults.is_none(), || format!("at {}: {}", self.head(), faults.unwrap_or_default()))
    }

    /// Whether the disk has all that was committed; what devices were told of first.
    pub(super) fn check_disk(&self, log: Option<&BookLog>) -> Checked {
        let log = log.expect("the disk has the book");
        let on_disk = |seq: Seq| log.entry(seq).is_some_and(|entry| Some(&entry.bytes) == self.bytes(seq));
        let seqs = || (1..=self.head().0).map(Seq);
        let lost = seqs().zip(&self.acked).find(|(seq, acked)| **acked && !on_disk(*seq)).map(|(seq, _)| seq);
        Invariant::AckedSurvives.require(lost.is_none(), || format!("entry {lost:?} was told of, and is gone"))?;
        let lost = seqs().find(|seq| !on_disk(*seq));
        Invariant::AckedSurvives.require(lost.is_none(), || format!("entry {lost:?} was committed, and is gone"))?;
        Invariant::GaplessOrder.require(log.head() == self.head(), || "the disk has more than was committed".into())
    }
}

/// Where the fold and a state say different things.
fn difference(fold: &Fold, state: &LedgerBook) -> Option<String> {
    let value = serde_json::to_value(&state.domain).expect("a state serialises");
    let differs = |what: &str, ours: String, theirs: String| {
        (ours != theirs).then(|| format!("{what}: the log says {ours}, the state {theirs}"))
    };
    let records = |kind: &str| value[kind].as_array().map_or(&[][..], Vec::as_slice).iter();
    let conflicts: Vec<&Value> = records("conflicts").map(|open| &open["id"]).collect();
    let mut open: Vec<String> = conflicts.iter().filter_map(|id| Some(id.as_str()?.to_owned())).collect();
    open.sort();
    let roles = serde_json::to_value(&state.members).expect("members serialise");
    let contacts = records_of(records("contacts"));
    let transactions = records_of(records("transactions"));
    let book = fields_of(&value["book"]);
    let totals = in_words(state.domain.totals());
    let balances = || {
        fold.contacts.keys().find_map(|id| {
            let theirs = in_words(&state.domain.balances_of(id.parse().ok()?));
            differs("a balance", format!("{:?}", fold.balances_of(id)), theirs)
        })
    };
    differs("members", format!("{:?}", serde_json::to_value(&fold.members).ok()), format!("{:?}", Some(roles)))
        .or_else(|| {
            differs("open conflicts", format!("{:?}", fold.conflicts.iter().collect::<Vec<_>>()), format!("{open:?}"))
        })
        .or_else(|| differs("the book", format!("{:?}", Some(&fold.book)), format!("{book:?}")))
        .or_else(|| differs("contacts", format!("{:?}", fold.contacts), format!("{contacts:?}")))
        .or_else(|| differs("transactions", format!("{:?}", fold.transactions), format!("{transactions:?}")))
        .or_else(|| differs("totals", format!("{:?}", fold.totals()), totals))
        .or_else(balances)
}

fn in_words(balances: &tidebook_ledger::Balances) -> String {
    let by_code: crate::fold::Sums = balances.iter().map(|(currency, sum)| (currency.to_string(), *sum)).collect();
    format!("{by_code:?}")
}

/// Records of a state as the fold has them.
fn records_of<'a>(records: impl Iterator<Item = &'a Value>) -> BTreeMap<String, crate::fold::Record> {
    let record = |value: &Value| {
        let deleted = value["deleted"] == true;
        Some((value["id"].as_str()?.to_owned(), crate::fold::Record { fields: fields_of(value)?, deleted }))
    };
    records.filter_map(record).collect()
}

/// What a person can write of a record.
fn fields_of(record: &Value) -> Option<crate::fold::Fields> {
    const NOT_FIELDS: [&str; 6] = ["id", "deleted", "seq", "created", "changed", "past_amounts"];
    let fields = record.as_object()?.iter().filter(|(name, _)| !NOT_FIELDS.contains(&name.as_str()));
    Some(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}
