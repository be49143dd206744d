//! Values whose readers hear of changes, in one compiled form for all types.
//!
//! The library's own signals and memos bring three kilobytes along for each type they hold. These hold any type behind one
//! pointer and leave the rest to one trigger and one memo; they are used the same way, and are `Copy` as well.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use reactive_graph::computed::Memo;
use reactive_graph::effect::Effect;
use reactive_graph::owner::StoredValue;
use reactive_graph::signal::ArcTrigger;
use reactive_graph::traits::{Get, GetValue, Notify, Track};

type Anything = Arc<dyn Any + Send + Sync>;

/// A value that can be set. It goes when its owner does.
pub(crate) struct Watched<T> {
    held: StoredValue<Held>,
    of: PhantomData<fn() -> T>,
}

#[derive(Clone)]
struct Held {
    /// An `RwLock<T>`.
    value: Anything,
    changed: ArcTrigger,
}

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Watched<T> {}

impl<T: Send + Sync + 'static> Watched<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { held: hold(Arc::new(RwLock::new(value))), of: PhantomData }
    }

    pub(crate) fn track(self) {
        self.held.get_value().changed.track();
    }

    pub(crate) fn with<R>(self, read: impl FnOnce(&T) -> R) -> R {
        self.track();
        self.with_untracked(read)
    }

    pub(crate) fn with_untracked<R>(self, read: impl FnOnce(&T) -> R) -> R {
        let held = held_by(self.held);
        read(&reading::<T>(&held))
    }

    /// Sets the value, whatever it was. Does nothing once the owner is gone.
    pub(crate) fn set(self, value: T) {
        self.update(|old| *old = value);
    }

    pub(crate) fn update(self, change: impl FnOnce(&mut T)) {
        if let Some(held) = self.change(change) {
            held.changed.notify();
        }
    }

    /// Changes the value, and tells nobody.
    pub(crate) fn update_untracked(self, change: impl FnOnce(&mut T)) {
        self.change(change);
    }

    fn change(self, change: impl FnOnce(&mut T)) -> Option<Held> {
        let held = self.held.try_get_value()?;
        change(&mut writing::<T>(&held));
        Some(held)
    }
}

impl<T: Clone + Send + Sync + 'static> Watched<T> {
    pub(crate) fn get(self) -> T {
        self.with(T::clone)
    }

    pub(crate) fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }
}

impl<T: PartialEq + Send + Sync + 'static> Watched<T> {
    /// Sets the value where it is another, so that nothing is drawn again for nothing.
    pub(crate) fn put(self, value: T) {
        if self.with_untracked(|old| *old != value) {
            self.set(value);
        }
    }
}

fn hold(value: Anything) -> StoredValue<Held> {
    StoredValue::new(Held { value, changed: ArcTrigger::new() })
}

#[inline(never)]
fn held_by(held: StoredValue<Held>) -> Held {
    held.get_value()
}

#[inline(never)]
fn reading<T: 'static>(held: &Held) -> RwLockReadGuard<'_, T> {
    as_made::<RwLock<T>>(&held.value).read().unwrap_or_else(PoisonError::into_inner)
}

#[inline(never)]
fn writing<T: 'static>(held: &Held) -> RwLockWriteGuard<'_, T> {
    as_made::<RwLock<T>>(&held.value).write().unwrap_or_else(PoisonError::into_inner)
}

/// What follows from other values; those who read it hear only of real changes.
pub(crate) struct Derived<T> {
    memo: Memo<Shared>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Derived<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Derived<T> {}

/// The same where it is the same thing: an equal new value is thrown away for the old one.
#[derive(Clone)]
struct Shared(Anything);

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

pub(crate) fn memo<T: PartialEq + Send + Sync + 'static>(get: impl Fn() -> T + Send + Sync + 'static) -> Derived<T> {
    Derived { memo: boxed_memo(Box::new(move |old| newest(old, get()))), of: PhantomData }
}

/// One for each type of value, not for each way to get one.
#[inline(never)]
fn newest<T: PartialEq + Send + Sync + 'static>(old: Option<&Shared>, new: T) -> Shared {
    match old {
        Some(old) if old.0.downcast_ref() == Some(&new) => old.clone(),
        _ => Shared(Arc::new(new)),
    }
}

type Compute = Box<dyn Fn(Option<&Shared>) -> Shared + Send + Sync>;

fn boxed_memo(compute: Compute) -> Memo<Shared> {
    Memo::new(compute)
}

impl<T: 'static> Derived<T> {
    pub(crate) fn track(self) {
        self.memo.track();
    }

    pub(crate) fn with<R>(self, read: impl FnOnce(&T) -> R) -> R {
        read(as_made(&now(self.memo)))
    }
}

#[inline(never)]
fn now(memo: Memo<Shared>) -> Anything {
    memo.get().0
}

#[inline(never)]
fn as_made<T: 'static>(value: &Anything) -> &T {
    value.downcast_ref().expect("made of this type")
}

impl<T: Clone + 'static> Derived<T> {
    pub(crate) fn get(self) -> T {
        self.with(T::clone)
    }
}

/// Runs soon, and again when what it reads changes.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    boxed_effect(Box::new(run));
}

fn boxed_effect(run: Box<dyn FnMut()>) {
    Effect::new(run);
}
