//! What a ledger's log adds up to: the records, and the sums derived from them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tidebook_book::{Seq, SortedMap, read_by_name};

use crate::record::Record;
use crate::{
    BookRecord, CivilDate, ConflictId, Contact, ContactId, Currency, OpenConflict, RecordRef, Transaction,
    TransactionId,
};

/// Sums per currency in minor units; positive: they owe you. A currency whose sum is zero is left out.
pub type Balances = SortedMap<Currency, i128>;

/// The order of a contact's transactions: by date, then as they were made.
type Place = (CivilDate, Seq, usize, TransactionId);

/// A table by id. Its hashing is quick, for ids are looked up many times in each decision, and differs from one process to
/// the next, so that ids which fall together are not chosen beforehand.
type IdMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// A book's records and what follows from them.
///
/// Records enter and leave through the `put_…` functions alone, which keep the sums and indexes true.
#[derive(Debug, Clone, Default)]
pub struct LedgerState {
    book: Option<BookRecord>,
    contacts: IdMap<ContactId, ContactSlot>,
    /// Each on its own, so that one that is put away for an undo is not copied.
    transactions: IdMap<TransactionId, Box<Transaction>>,
    /// Those nobody has decided yet.
    conflicts: IdMap<ConflictId, OpenConflict>,
    conflicts_of: IdMap<RecordRef, SortedMap<ConflictId, ()>>,
    /// Over contacts and transactions that stand.
    totals: Balances,
    /// Amounts regardless of direction and of deletion, to bound every sum.
    gross: SortedMap<Currency, u128>,
}

#[derive(Debug, Clone, Default)]
struct ContactSlot {
    /// None where only transactions of it are known, as while a snapshot is being read.
    contact: Option<Contact>,
    balances: Balances,
    transactions: BTreeSet<Place>,
}

impl LedgerState {
    #[must_use]
    pub fn book(&self) -> Option<&BookRecord> {
        self.book.as_ref()
    }

    #[must_use]
    pub fn contact(&self, id: ContactId) -> Option<&Contact> {
        self.contacts.get(&id)?.contact.as_ref()
    }

    #[must_use]
    pub fn transaction(&self, id: TransactionId) -> Option<&Transaction> {
        self.transactions.get(&id).map(Box::as_ref)
    }

    #[must_use]
    pub fn conflict(&self, id: ConflictId) -> Option<&OpenConflict> {
        self.conflicts.get(&id)
    }

    /// Open conflicts, in no order.
    pub fn conflicts(&self) -> impl Iterator<Item = &OpenConflict> {
        self.conflicts.values()
    }

    /// A record's open conflicts.
    pub fn conflicts_of(&self, record: RecordRef) -> impl Iterator<Item = &OpenConflict> {
        let ids = self.conflicts_of.get(&record).into_iter().flat_map(SortedMap::keys);
        ids.filter_map(|id| self.conflicts.get(id))
    }

    pub(crate) fn record(&self, record: RecordRef) -> Option<&dyn Record> {
        match record {
            RecordRef::Book => self.book.as_ref().map(|book| book as &dyn Record),
            RecordRef::Contact(id) => self.contact(id).map(|contact| contact as &dyn Record),
            RecordRef::Transaction(id) => self.transaction(id).map(|transaction| transaction as &dyn Record),
        }
    }

    /// All contacts, deleted ones too, in no order.
    pub fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.values().filter_map(|slot| slot.contact.as_ref())
    }

    /// All transactions, deleted ones too, in no order.
    pub fn transactions(&self) -> impl Iterator<Item = &Transaction> {
        self.transactions.values().map(Box::as_ref)
    }

    /// A contact's transactions that stand, oldest first.
    pub fn transactions_of(&self, id: ContactId) -> impl DoubleEndedIterator<Item = &Transaction> {
        self.all_transactions_of(id).filter(|transaction| !transaction.deleted)
    }

    /// A contact's deleted transactions, oldest first.
    pub fn deleted_transactions_of(&self, id: ContactId) -> impl DoubleEndedIterator<Item = &Transaction> {
        self.all_transactions_of(id).filter(|transaction| transaction.deleted)
    }

    fn all_transactions_of(&self, id: ContactId) -> impl DoubleEndedIterator<Item = &Transaction> {
        let places = self.contacts.get(&id).map(|slot| &slot.transactions);
        places.into_iter().flatten().filter_map(|(.., id)| self.transaction(*id))
    }

    /// What a contact's standing transactions add up to.
    #[must_use]
    pub fn balances_of(&self, id: ContactId) -> Balances {
        self.contacts.get(&id).map(|slot| slot.balances.clone()).unwrap_or_default()
    }

    /// What all standing contacts owe together.
    #[must_use]
    pub fn totals(&self) -> &Balances {
        &self.totals
    }

    pub(crate) fn gross(&self, currency: Currency) -> u128 {
        self.gross.get(&currency).copied().unwrap_or(0)
    }

    pub(crate) fn put_book(&mut self, book: Option<BookRecord>) -> Option<BookRecord> {
        std::mem::replace(&mut self.book, book)
    }

    /// Puts a contact in its place, or takes it away; returns what stood there.
    pub(crate) fn put_contact(&mut self, id: ContactId, contact: Option<Contact>) -> Option<Contact> {
        let slot = self.contacts.entry(id).or_default();
        let balances = slot.balances.clone();
        let before = std::mem::replace(&mut slot.contact, contact);
        let stands = slot.contact.as_ref().is_some_and(|contact| !contact.deleted);
        let stood = before.as_ref().is_some_and(|contact| !contact.deleted);
        if slot.contact.is_none() && slot.transactions.is_empty() {
            self.contacts.remove(&id);
        }
        if stands != stood {
            let sign = if stands { 1 } else { -1 };
            balances.iter().for_each(|(currency, sum)| add(&mut self.totals, *currency, sign * sum));
        }
        before
    }

    /// Puts a transaction in its place, or takes it away; returns what stood there.
    pub(crate) fn put_transaction(
        &mut self,
        id: TransactionId,
        transaction: Option<Box<Transaction>>,
    ) -> Option<Box<Transaction>> {
        let place = transaction.as_deref().map(place_of);
        let share = transaction.as_deref().map(share_of);
        let before = match transaction {
            Some(transaction) => self.transactions.insert(id, transaction),
            None => self.transactions.remove(&id),
        };
        let (place_before, share_before) = (before.as_deref().map(place_of), before.as_deref().map(share_of));
        // Most edits leave it where it is, or what it adds to the sums.
        if share_before != share {
            // What comes first: a sum that is zero in between would be forgotten and made again.
            share.into_iter().for_each(|share| self.count(share, 1));
            share_before.into_iter().for_each(|share| self.count(share, -1));
        }
        if place_before != place {
            if let Some((contact, place)) = place_before {
                self.contacts.entry(contact).or_default().transactions.remove(&place);
            }
            if let Some((contact, place)) = place {
                self.contacts.entry(contact).or_default().transactions.insert(place);
            }
        }
        before
    }

    pub(crate) fn put_conflict(&mut self, id: ConflictId, conflict: Option<OpenConflict>) -> Option<OpenConflict> {
        let before = self.conflicts.remove(&id);
        if let Some(before) = &before {
            let record = before.conflict.record;
            let ids = self.conflicts_of.entry(record).or_default();
            ids.remove(&id);
            if ids.is_empty() {
                self.conflicts_of.remove(&record);
            }
        }
        if let Some(conflict) = conflict {
            self.conflicts_of.entry(conflict.conflict.record).or_default().insert(id, ());
            self.conflicts.insert(id, conflict);
        }
        before
    }

    /// Counts a transaction's share in, or with a negative sign out.
    fn count(&mut self, Share { contact, currency, amount, standing }: Share, sign: i128) {
        let gross = self.gross.or_insert(currency, 0);
        *gross = if sign > 0 { *gross + u128::from(amount) } else { *gross - u128::from(amount) };
        if *gross == 0 {
            self.gross.remove(&currency);
        }

        let slot = self.contacts.entry(contact).or_default();
        if let Some(amount) = standing {
            add(&mut slot.balances, currency, sign * amount);
            if slot.contact.as_ref().is_some_and(|contact| !contact.deleted) {
                add(&mut self.totals, currency, sign * amount);
            }
        }
    }
}

/// What a transaction adds to which sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    contact: ContactId,
    currency: Currency,
    amount: u64,
    /// With its sign, where it counts towards what is owed.
    standing: Option<i128>,
}

fn share_of(transaction: &Transaction) -> Share {
    let Transaction { contact, currency, amount, deleted, .. } = *transaction;
    Share { contact, currency, amount, standing: (!deleted).then(|| transaction.signed_amount()) }
}

/// Whose it is, and where among theirs.
fn place_of(transaction: &Transaction) -> (ContactId, Place) {
    let Transaction { id, contact, date, created, .. } = transaction;
    (*contact, (*date, created.seq, created.index, *id))
}

fn add(balances: &mut Balances, currency: Currency, amount: i128) {
    let sum = balances.or_insert(currency, 0);
    *sum += amount;
    if *sum == 0 {
        balances.remove(&currency);
    }
}

impl LedgerState {
    /// Open conflicts in the order they were raised.
    #[must_use]
    pub fn conflicts_in_order(&self) -> Vec<&OpenConflict> {
        in_order(self.conflicts(), |open| (open.seq, open.index, open.conflict.id.0))
    }
}

/// The entry, the change within it, and, so that there is one order, the id.
type Origin = (Seq, usize, uuid::Uuid);

fn in_order<'a, T>(records: impl Iterator<Item = &'a T>, place: impl Fn(&T) -> Origin) -> Vec<&'a T> {
    let records: Vec<&T> = records.collect();
    let places = records.iter().map(|record| place(record));
    let mut order: Vec<(Origin, usize)> = places.enumerate().map(|(index, place)| (place, index)).collect();
    // One kind of list is sorted, whatever the records are: each kind has code of its own.
    order.sort_unstable();
    order.into_iter().map(|(_, index)| records[index]).collect()
}

// The state as a snapshot carries it: records in the order of their creation, nothing that can be derived.

impl Serialize for LedgerState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            book: Option<&'a BookRecord>,
            contacts: Vec<&'a Contact>,
            transactions: Vec<&'a Transaction>,
            conflicts: Vec<&'a OpenConflict>,
        }
        let contacts = in_order(self.contacts(), |contact| (contact.created.seq, contact.created.index, contact.id.0));
        let transactions = in_order(self.transactions(), |it| (it.created.seq, it.created.index, it.id.0));
        let conflicts = self.conflicts_in_order();
        Shape { book: self.book.as_ref(), contacts, transactions, conflicts }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LedgerState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape {
            book: Option<BookRecord>,
            contacts: Vec<Contact>,
            transactions: Placed,
            conflicts: Vec<OpenConflict>,
        }
        read_by_name!(Shape { contacts, transactions; book, conflicts });
        let Shape { book, contacts, transactions: Placed(mut state), conflicts } = Shape::deserialize(deserializer)?;
        state.book = book;
        contacts.into_iter().for_each(|contact| drop(state.put_contact(contact.id, Some(contact))));
        conflicts.into_iter().for_each(|open| drop(state.put_conflict(open.conflict.id, Some(open))));
        Ok(state)
    }
}

/// Transactions as they are read: each goes to its place at once, for there may be very many.
struct Placed(LedgerState);

impl<'de> Deserialize<'de> for Placed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PutEach;

        impl<'de> Visitor<'de> for PutEach {
            type Value = Placed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("transactions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut read: A) -> Result<Placed, A::Error> {
                let mut state = LedgerState::default();
                while let Some(transaction) = read.next_element::<Box<Transaction>>()? {
                    state.put_transaction(transaction.id, Some(transaction));
                }
                Ok(Placed(state))
            }
        }

        deserializer.deserialize_seq(PutEach)
    }
}
