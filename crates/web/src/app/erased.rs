//! Reactive things in one compiled form per kind.
//!
//! A closure in a view brings some four kilobytes of machinery along, made anew for its type. Behind a box there is one
//! type per kind, and the machinery is downloaded once. So views here write `{text(move || …)}`, not `{move || …}`.

use leptos::prelude::*;
use web_sys::{Event, MouseEvent};

pub(crate) type Reactive<T> = Box<dyn FnMut() -> T + Send>;

/// A text that changes.
pub(crate) fn text(get: impl FnMut() -> String + Send + 'static) -> Reactive<String> {
    Box::new(get)
}

/// The value of an attribute, or its absence.
pub(crate) fn attr(get: impl FnMut() -> Option<&'static str> + Send + 'static) -> Reactive<Option<&'static str>> {
    Box::new(get)
}

/// An attribute or property that is there or not.
pub(crate) fn flag(get: impl FnMut() -> bool + Send + 'static) -> Reactive<bool> {
    Box::new(get)
}

/// A part of a view that is drawn again when what it reads changes.
pub(crate) fn part<V: IntoAny>(mut draw: impl FnMut() -> V + Send + 'static) -> Reactive<AnyView> {
    Box::new(move || draw().into_any())
}

/// A part of a view that is there only sometimes. Drawn once each time it comes.
pub(crate) fn when<V: IntoAny>(
    is_there: impl Fn() -> bool + Send + Sync + 'static,
    mut draw: impl FnMut() -> V + Send + 'static,
) -> Reactive<AnyView> {
    let is_there = memo(is_there);
    Box::new(move || if is_there.get() { untrack(&mut draw).into_any() } else { ().into_any() })
}

/// What follows from other values; those who read it hear only of real changes.
pub(crate) fn memo<T: PartialEq + Send + Sync + 'static>(get: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    boxed_memo(Box::new(get))
}

fn boxed_memo<T: PartialEq + Send + Sync + 'static>(get: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T> {
    Memo::new(move |_| get())
}

/// Runs now, and again when what it reads changes.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    boxed_effect(Box::new(run));
}

fn boxed_effect(run: Box<dyn FnMut()>) {
    Effect::new(run);
}

/// What a click does.
pub(crate) fn click(mut act: impl FnMut() + 'static) -> Box<dyn FnMut(MouseEvent)> {
    Box::new(move |_| act())
}

/// What happens when a field's value becomes another.
pub(crate) fn value(mut take: impl FnMut(String) + 'static) -> Box<dyn FnMut(Event)> {
    Box::new(move |event| take(event_target_value(&event)))
}
