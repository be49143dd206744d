//! Virtual time: what is to happen, in the order of when.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Virtual milliseconds since the run began.
pub(crate) type Ms = u64;

/// Gives out what was put in by time, and what is due at the same time in the order it was put in.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    heap: BinaryHeap<Reverse<Due<E>>>,
    put_in: u64,
}

#[derive(Debug)]
struct Due<E> {
    at: Ms,
    order: u64,
    event: E,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), put_in: 0 }
    }

    pub(crate) fn put(&mut self, at: Ms, event: E) {
        self.put_in += 1;
        self.heap.push(Reverse(Due { at, order: self.put_in, event }));
    }

    pub(crate) fn pop(&mut self) -> Option<(Ms, E)> {
        self.heap.pop().map(|Reverse(due)| (due.at, due.event))
    }
}

impl<E> Ord for Due<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl<E> PartialOrd for Due<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Due<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Due<E> {}
