//! Parts of views in one compiled form per kind.
//!
//! A closure in a view brings some four kilobytes of machinery along, made anew for its type, and a view that might be
//! drawn over another of its kind brings the code for that. Behind a box there is one type per kind, and the machinery
//! is downloaded once. So views here write `{text(move || …)}`, not `{move || …}`, and `.drawn()`, not `.drawn()`.

use leptos::prelude::*;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::no_attrs;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};
use send_wrapper::SendWrapper;
use web_sys::{Event, MouseEvent};

use crate::app::watched::memo;

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
pub(crate) fn part<V: IntoView + 'static>(mut draw: impl FnMut() -> V + Send + 'static) -> Reactive<Drawn> {
    Box::new(move || draw().drawn())
}

/// A part of a view that is drawn from one value, and again when it is another.
pub(crate) fn part_of<T: Clone + PartialEq + Send + Sync + 'static, V: IntoView + 'static>(
    get: impl Fn() -> T + Send + Sync + 'static,
    mut draw: impl FnMut(T) -> V + Send + 'static,
) -> Reactive<Drawn> {
    let value = memo(get);
    Box::new(move || {
        let value = value.get();
        untrack(|| draw(value)).drawn()
    })
}

/// A part of a view that is there only sometimes. Drawn once each time it comes.
pub(crate) fn when<V: IntoView + 'static>(
    is_there: impl Fn() -> bool + Send + Sync + 'static,
    mut draw: impl FnMut() -> V + Send + 'static,
) -> Reactive<Drawn> {
    let is_there = memo(is_there);
    Box::new(move || if is_there.get() { untrack(&mut draw).drawn() } else { ().drawn() })
}

/// What a click does.
pub(crate) fn click(mut act: impl FnMut() + 'static) -> Box<dyn FnMut(MouseEvent)> {
    Box::new(move |_| act())
}

/// What happens when a field's value becomes another.
pub(crate) fn value(mut take: impl FnMut(String) + 'static) -> Box<dyn FnMut(Event)> {
    Box::new(move |event| take(event_target_value(&event)))
}

/// A view whose elements are made already. When another comes in its place, it takes the place of all of it.
pub(crate) struct Drawn(SendWrapper<Box<dyn Mountable>>);

pub(crate) trait Draw {
    /// Makes the elements now.
    fn drawn(self) -> Drawn;
}

impl<V: IntoView + 'static> Draw for V {
    fn drawn(self) -> Drawn {
        Drawn(SendWrapper::new(Box::new(self.build())))
    }
}

impl Drawn {
    /// An element made by hand.
    pub(crate) fn element(element: web_sys::Element) -> Self {
        Self(SendWrapper::new(Box::new(element)))
    }
}

/// What a drawn view is while it is on the page.
pub(crate) struct OnPage(Box<dyn Mountable>);

impl Render for Drawn {
    type State = OnPage;

    fn build(self) -> OnPage {
        OnPage(self.0.take())
    }

    fn rebuild(self, state: &mut OnPage) {
        let mut new = self.0.take();
        state.0.insert_before_this(&mut *new);
        state.0.unmount();
        state.0 = new;
    }
}

impl Mountable for OnPage {
    fn unmount(&mut self) {
        self.0.unmount();
    }

    fn mount(&mut self, parent: &web_sys::Element, marker: Option<&web_sys::Node>) {
        self.0.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.0.insert_before_this(child)
    }

    fn elements(&self) -> Vec<web_sys::Element> {
        self.0.elements()
    }
}

no_attrs!(Drawn);

/// Asked for by views that could also be sent by a server; there is none that does.
impl RenderHtml for Drawn {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(self, _: &mut String, _: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {}

    fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> OnPage {
        self.build()
    }

    fn into_owned(self) -> Self {
        self
    }
}
