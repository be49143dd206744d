//! A device: a replica that somebody types into, and what is around it.

use tidebook_book::{MutationId, ReplicaId, UnixMillis};
use tidebook_ledger::{ContactId, Ledger, LedgerOp};
use tidebook_protocol::{FRAME_UP_BYTES_MAX, Up};
use tidebook_replica::{BookCopy, Event, Keeps, Monotonic, NewMutation, Replica, ReplicaConfig};
use uuid::Uuid;

use crate::book::{AUTHORS, BOOK};

/// A replica that goes from one event to the next more often than this goes round in circles.
const EVENTS_MAX: usize = 1_000;

/// Longer than any wait of a replica's that is not the server's wish.
const WAIT_MS: u64 = 120_000;

pub(crate) struct Device {
    pub(crate) replica: Replica<Ledger>,
    now: Monotonic,
    typed: Vec<MutationId>,
    replicas: u128,
}

impl Device {
    /// With a line on which nothing was said yet.
    pub(crate) fn new(keeps: Keeps) -> Self {
        let (client, token) = ("fuzz/1".into(), None);
        let (user, replica) = (AUTHORS[0].user, AUTHORS[0].replica);
        let mut replica = Replica::new(ReplicaConfig { replica, user, client, token, seed: 7, keeps });
        replica.open_book(BOOK);
        let mut device = Self { replica, now: Monotonic(0), typed: Vec::new(), replicas: 0x100 };
        device.wait();
        device
    }

    pub(crate) fn copy(&self) -> &BookCopy<Ledger> {
        self.replica.book(BOOK).expect("the book stays open")
    }

    pub(crate) fn hear(&mut self, frame: &str) {
        self.replica.handle_text(self.now, frame);
        self.settle();
    }

    pub(crate) fn take_snapshot(&mut self, text: &str) {
        self.replica.handle_snapshot_text(self.now, BOOK, text);
        self.settle();
    }

    /// Somebody adds a contact.
    pub(crate) fn type_something(&mut self) {
        let number = 0xface_0000 + self.typed.len() as u128;
        let (id, contact) = (MutationId(Uuid::from_u128(number)), ContactId(Uuid::from_u128(number)));
        let ops = vec![LedgerOp::create_contact(contact, "Ana")];
        let new = NewMutation { id, made_at: UnixMillis(5), base: self.copy().seen(), ops, undoes: None };
        if self.replica.mutate(BOOK, new).is_ok() {
            self.typed.push(id);
        }
        self.settle();
    }

    /// Time passes, and what is due then happens.
    pub(crate) fn wait(&mut self) {
        self.now = self.now.plus_ms(WAIT_MS);
        if self.replica.poll_timeout().is_some_and(|due| due <= self.now) {
            self.replica.handle_timeout(self.now);
        }
        self.settle();
    }

    /// The line is cut.
    pub(crate) fn cut(&mut self) {
        self.replica.handle_closed(self.now, None);
        self.settle();
    }

    /// Does what the replica asks for.
    fn settle(&mut self) {
        for _ in 0..EVENTS_MAX {
            while let Some(frame) = self.replica.poll_transmit(self.now) {
                assert!(frame.len() <= FRAME_UP_BYTES_MAX);
                Up::parse(&frame).expect("a replica says what can be read");
            }
            match self.replica.poll_event() {
                None => return,
                Some(Event::Connect) => self.replica.handle_opened(self.now),
                Some(Event::Disconnect { .. }) => self.replica.handle_closed(self.now, None),
                Some(Event::NewReplicaNeeded) => {
                    self.replicas += 1;
                    self.replica.handle_new_replica(self.now, ReplicaId(Uuid::from_u128(self.replicas)));
                }
                Some(_) => {}
            }
        }
        panic!("a replica that never comes to rest");
    }

    /// No two in the outbox have one number, and they are in its order.
    pub(crate) fn check_numbers(&self) {
        let numbers: Vec<u64> = self.copy().pending().map(|pending| pending.mutation.n.0).collect();
        // A server that has used up all there are gives way to a new replica id.
        let are_used_up = |n: u64| n == u64::MAX >> 1;
        assert!(numbers.is_sorted_by(|one, next| one < next || are_used_up(*one)), "{numbers:?}");
    }

    /// All that was typed and that nothing in the input names is in the outbox.
    pub(crate) fn check_nothing_is_lost(&self, input: &[u8]) {
        let copy = self.copy();
        let input = String::from_utf8_lossy(input);
        // Whatever is spelled with escapes may name anything.
        let is_named = |id: &MutationId| input.contains("\\u") || input.contains(&id.to_string());
        for id in self.typed.iter().filter(|id| !is_named(id)) {
            assert!(copy.pending().any(|pending| pending.mutation.id == *id), "{id} is lost");
        }
    }
}
