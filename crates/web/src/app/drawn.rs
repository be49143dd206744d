//! Parts of views, made of calls that are the same for all of them; `view!` writes the calls.
//!
//! A view is drawn once, into nodes. What changes later is kept up by effects of the owner it was drawn under, and goes
//! with that owner: so there is nothing to build again, to compare or to take down, and no code for it.

use std::cell::RefCell;
use std::collections::HashMap;

use reactive_graph::effect::RenderEffect;
use reactive_graph::graph::untrack;
use reactive_graph::owner::on_cleanup;
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;
use web_sys::{Comment, Element, Event, HtmlTemplateElement, MouseEvent, Node, Text};

use crate::app::browser::{document, event_target_value};
use crate::app::watched::memo;

pub(crate) use tidebook_view_macro::view;

pub(crate) type Reactive<T> = Box<dyn FnMut() -> T>;

/// A text that changes.
pub(crate) fn text(get: impl FnMut() -> String + 'static) -> Reactive<String> {
    Box::new(get)
}

/// The value of an attribute, or its absence.
pub(crate) fn attr(get: impl FnMut() -> Option<&'static str> + 'static) -> Reactive<Option<&'static str>> {
    Box::new(get)
}

/// An attribute or property that is there or not.
pub(crate) fn flag(get: impl FnMut() -> bool + 'static) -> Reactive<bool> {
    Box::new(get)
}

/// A part of a view that is drawn again when what it reads changes.
pub(crate) fn part<V: Draw>(mut draw: impl FnMut() -> V + 'static) -> Reactive<Drawn> {
    Box::new(move || draw().drawn())
}

/// A part of a view that is drawn from one value, and again when it is another.
pub(crate) fn part_of<T: Clone + PartialEq + Send + Sync + 'static, V: Draw>(
    get: impl Fn() -> T + Send + Sync + 'static,
    mut draw: impl FnMut(T) -> V + 'static,
) -> Reactive<Drawn> {
    let value = memo(get);
    Box::new(move || {
        let value = value.get();
        untrack(|| draw(value)).drawn()
    })
}

/// A part of a view that is there only sometimes. Drawn once each time it comes.
pub(crate) fn when<V: Draw>(
    is_there: impl Fn() -> bool + Send + Sync + 'static,
    mut draw: impl FnMut() -> V + 'static,
) -> Reactive<Drawn> {
    when_drawn(Box::new(is_there), Box::new(move || draw().drawn()))
}

fn when_drawn(is_there: Box<dyn Fn() -> bool + Send + Sync>, mut draw: Reactive<Drawn>) -> Reactive<Drawn> {
    let is_there = memo(is_there);
    Box::new(move || if is_there.get() { untrack(&mut draw) } else { several() })
}

/// What a click does.
pub(crate) fn click(mut act: impl FnMut() + 'static) -> Box<dyn FnMut(MouseEvent)> {
    Box::new(move |_| act())
}

/// What happens when a field's value becomes another.
pub(crate) fn value(mut take: impl FnMut(String) + 'static) -> Box<dyn FnMut(Event)> {
    Box::new(move |event| take(event_target_value(&event)))
}

/// Nodes that are made already and wait for their place: one, or several in a fragment. Once they are put somewhere,
/// they are there and not here.
pub(crate) struct Drawn(Node);

impl Drawn {
    /// An element made by hand.
    pub(crate) fn element(element: Element) -> Self {
        Self(element.into())
    }

    pub(crate) fn put_into(self, parent: &Node) {
        // Fails only where a node would hold itself.
        let _ = parent.append_child(&self.0);
    }

    /// Of what is one element.
    pub(crate) fn as_element(&self) -> &Element {
        self.0.unchecked_ref()
    }
}

/// An element from a text that is the same each time. It is read once, and copied from then on.
pub(crate) fn html(text: &'static str) -> Drawn {
    Drawn(copy_of(text, first_in(text)))
}

/// The same for what is inside of an `svg`.
pub(crate) fn drawing(text: &'static str) -> Drawn {
    Drawn(copy_of(text, || {
        let svg = first_in(&format!("<svg>{text}</svg>"))();
        svg.first_child().expect("the text of an element")
    }))
}

thread_local! {
    static READ: RefCell<HashMap<(usize, usize), Node>> = RefCell::default();
}

fn copy_of(text: &'static str, read: impl FnOnce() -> Node) -> Node {
    // Texts that stand in the same place are the same.
    let place = (text.as_ptr() as usize, text.len());
    let original = READ.with_borrow_mut(|read_before| read_before.entry(place).or_insert_with(read).clone());
    original.clone_node_with_deep(true).expect("an element can be copied")
}

fn first_in(text: &str) -> impl FnOnce() -> Node {
    move || {
        let template = document().create_element("template").expect("the name of an element");
        template.set_inner_html(text);
        let content = template.unchecked_into::<HtmlTemplateElement>().content();
        content.first_child().expect("the text of an element")
    }
}

/// Room for any number of nodes, of which there are none yet.
pub(crate) fn several() -> Drawn {
    Drawn(document().create_document_fragment().into())
}

pub(crate) fn put(parent: &Drawn, child: Drawn) {
    child.put_into(&parent.0);
}

/// Listens for as long as the owner lives.
pub(crate) fn on<E: JsCast + 'static>(element: &Drawn, event: &'static str, mut handle: impl FnMut(E) + 'static) {
    listen(element, event, Box::new(move |event| handle(event.unchecked_into())));
}

fn listen(element: &Drawn, event: &'static str, handle: Box<dyn FnMut(Event)>) {
    let listener = SendWrapper::new((element.0.clone(), Closure::wrap(handle)));
    // Neither fails: the arguments are of the right kinds.
    let _ = listener.0.add_event_listener_with_callback(event, listener.1.as_ref().unchecked_ref());
    on_cleanup(move || {
        let (node, handle) = listener.take();
        let _ = node.remove_event_listener_with_callback(event, handle.as_ref().unchecked_ref());
    });
}

/// Runs now, and again when what it reads changes, for as long as the owner lives.
fn keep_up(mut run: Box<dyn FnMut()>) {
    let effect = SendWrapper::new(RenderEffect::new(move |_| run()));
    on_cleanup(move || drop(effect));
}

/// What an attribute or a property can be.
pub(crate) trait Value: 'static {
    /// Absent where it is none.
    fn words(self) -> Option<String>;
    fn js(self) -> JsValue;
}

impl Value for String {
    fn words(self) -> Option<String> {
        Some(self)
    }

    fn js(self) -> JsValue {
        self.into()
    }
}

impl Value for &'static str {
    fn words(self) -> Option<String> {
        Some(self.to_owned())
    }

    fn js(self) -> JsValue {
        self.into()
    }
}

impl Value for bool {
    fn words(self) -> Option<String> {
        self.then(String::new)
    }

    fn js(self) -> JsValue {
        self.into()
    }
}

impl<T: Value> Value for Option<T> {
    fn words(self) -> Option<String> {
        self.and_then(T::words)
    }

    fn js(self) -> JsValue {
        self.map_or(JsValue::NULL, T::js)
    }
}

/// An attribute, as it is or as it changes.
pub(crate) trait Attribute {
    fn set(self, element: &Drawn, name: &'static str);
}

impl<T: Value> Attribute for T {
    fn set(self, element: &Drawn, name: &'static str) {
        set_attribute(element.as_element(), name, self.words());
    }
}

impl<T: Value> Attribute for Reactive<T> {
    fn set(mut self, element: &Drawn, name: &'static str) {
        let element = element.as_element().clone();
        keep_up(Box::new(move || set_attribute(&element, name, self().words())));
    }
}

pub(crate) fn set_attribute(element: &Element, name: &str, value: Option<String>) {
    // Neither fails for names that attributes can have. What is as it was is left alone: a page that is looked at by a
    // reader or an observer stands still.
    let _ = match value {
        Some(value) if element.get_attribute(name).as_ref() == Some(&value) => Ok(()),
        Some(value) => element.set_attribute(name, &value),
        None => element.remove_attribute(name),
    };
}

/// A property, as it is or as it changes.
pub(crate) trait Property {
    fn set(self, element: &Drawn, name: &'static str);
}

impl<T: Value> Property for T {
    fn set(self, element: &Drawn, name: &'static str) {
        set_property(element.as_element(), name, &self.js());
    }
}

impl<T: Value> Property for Reactive<T> {
    fn set(mut self, element: &Drawn, name: &'static str) {
        let element = element.as_element().clone();
        keep_up(Box::new(move || set_property(&element, name, &self().js())));
    }
}

fn set_property(element: &Element, name: &str, value: &JsValue) {
    let name = name.into();
    // What is written is left alone where it is the same, and the place in it where somebody types.
    if js_sys::Reflect::get(element, &name).as_ref() != Ok(value) {
        // Fails only on frozen objects.
        let _ = js_sys::Reflect::set(element, &name, value);
    }
}

/// What can stand in a view.
pub(crate) trait Draw {
    /// Makes the nodes now.
    fn drawn(self) -> Drawn;
}

impl Draw for Drawn {
    fn drawn(self) -> Drawn {
        self
    }
}

impl Draw for &str {
    fn drawn(self) -> Drawn {
        Drawn(document().create_text_node(self).into())
    }
}

impl Draw for String {
    fn drawn(self) -> Drawn {
        self.as_str().drawn()
    }
}

impl Draw for () {
    fn drawn(self) -> Drawn {
        several()
    }
}

impl<T: Draw> Draw for Option<T> {
    fn drawn(self) -> Drawn {
        self.map_or_else(several, T::drawn)
    }
}

impl<T: Draw> Draw for Vec<T> {
    fn drawn(self) -> Drawn {
        self.into_iter().all_drawn()
    }
}

impl<T: Draw, const N: usize> Draw for [T; N] {
    fn drawn(self) -> Drawn {
        self.into_iter().all_drawn()
    }
}

impl Draw for Reactive<String> {
    fn drawn(mut self) -> Drawn {
        let node: Text = document().create_text_node("");
        let shown = node.clone();
        keep_up(Box::new(move || {
            let text = self();
            if shown.data() != text {
                shown.set_data(&text);
            }
        }));
        Drawn(node.into())
    }
}

impl Draw for Reactive<Drawn> {
    fn drawn(mut self) -> Drawn {
        let all = several();
        let [start, end] = [(), ()].map(|()| {
            let mark: Comment = document().create_comment("");
            put(&all, Drawn(mark.clone().into()));
            mark
        });
        keep_up(Box::new(move || {
            let new = self();
            replace_between(&start, &end, new);
        }));
        all
    }
}

/// Puts nodes in the place of all that stands between two others.
fn replace_between(start: &Node, end: &Node, new: Drawn) {
    // The two always have the same parent: what holds a part is put elsewhere as a whole.
    let Some(parent) = end.parent_node() else { return };
    while let Some(old) = start.next_sibling().filter(|old| old != end) {
        // Fails for no child that is there.
        let _ = parent.remove_child(&old);
    }
    let _ = parent.insert_before(&new.0, Some(end));
}

/// Draws one after the other.
pub(crate) trait AllDrawn: Iterator {
    fn all_drawn(self) -> Drawn;
}

impl<T: Draw, I: Iterator<Item = T>> AllDrawn for I {
    fn all_drawn(self) -> Drawn {
        let all = several();
        self.for_each(|one| put(&all, one.drawn()));
        all
    }
}
