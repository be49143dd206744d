//! A list of rows by key that touches as little of the page as it can.
//!
//! Leptos' own keyed list moves every row between the two places when one row moves; this one moves that row alone, and
//! tells a row about its new value only where it is another.

use std::collections::{HashMap, HashSet};

use reactive_graph::owner::Owner;
use uuid::Uuid;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement};

use crate::app::browser::{document, element};
use crate::app::drawn::Drawn;
use crate::app::watched::Watched;
use crate::moves::staying;

/// The children of an element, each drawn once per key.
pub(crate) struct KeyedRows<V> {
    rows: Rows,
    values: HashMap<Uuid, Watched<V>>,
}

impl<V: PartialEq + Send + Sync + 'static> KeyedRows<V> {
    /// Rows of this kind of element within `parent`, which must hold nothing else. They belong to the component that
    /// makes this, not to the effect that changes them.
    pub(crate) fn new(parent: Element, tag: &'static str) -> Self {
        let owner = Owner::current().expect("a component has an owner");
        let rows = Rows { parent, tag, owner, rows: HashMap::new(), order: Vec::new() };
        Self { rows, values: HashMap::new() }
    }

    /// The element of a row that is shown.
    pub(crate) fn element(&self, key: Uuid) -> Option<Element> {
        self.rows.rows.get(&key).map(|row| row.element.clone())
    }

    /// Shows these rows, in this order. `draw` makes what is inside a row that was not there.
    pub(crate) fn show(&mut self, items: Vec<(Uuid, V)>, draw: &dyn Fn(Uuid, Watched<V>) -> Drawn) {
        let order: Vec<Uuid> = items.iter().map(|(key, _)| *key).collect();
        for (key, value) in items {
            if let Some(known) = self.values.get(&key) {
                known.put(value);
            } else {
                let value = self.rows.add(key, || {
                    let value = Watched::new(value);
                    (value, draw(key, value))
                });
                self.values.insert(key, value);
            }
        }
        for gone in self.rows.arrange(order) {
            self.values.remove(&gone);
        }
    }
}

/// The half that knows nothing of values.
struct Rows {
    parent: Element,
    tag: &'static str,
    owner: Owner,
    rows: HashMap<Uuid, Row>,
    order: Vec<Uuid>,
}

struct Row {
    element: Element,
    /// Takes the row's reactive parts down when dropped.
    _owner: Owner,
}

impl Rows {
    fn add<T>(&mut self, key: Uuid, draw: impl FnOnce() -> (T, Drawn)) -> T {
        let owner = self.owner.with(Owner::new);
        let (value, drawn) = owner.with(draw);
        self.insert(key, owner, drawn);
        value
    }

    fn insert(&mut self, key: Uuid, owner: Owner, drawn: Drawn) {
        let element = element(self.tag, &[]);
        drawn.put_into(&element);
        self.rows.insert(key, Row { element, _owner: owner });
    }

    /// Puts the rows in order, and takes away those that are not in it.
    fn arrange(&mut self, order: Vec<Uuid>) -> Vec<Uuid> {
        let places: HashMap<Uuid, usize> = self.order.iter().enumerate().map(|(place, key)| (*key, place)).collect();
        let gone = self.remove_all_but(&order);
        let kept_places: Vec<usize> = order.iter().filter_map(|key| places.get(key).copied()).collect();
        let stays = staying(&kept_places);
        let focused = document().active_element();
        // From the last to the first, each before the one after it; those that stay are only stepped over.
        let mut stays = stays.iter().rev();
        let mut next: Option<&Element> = None;
        for key in order.iter().rev() {
            let element = &self.rows[key].element;
            let is_in_place = places.contains_key(key) && stays.next().copied().unwrap_or(false);
            if !is_in_place {
                // Fails only where `next` is elsewhere; all rows are in `parent`.
                let _ = self.parent.insert_before(element, next.map(|next| next.as_ref()));
            }
            next = Some(element);
        }
        self.order = order;
        keep_focus(focused);
        gone
    }

    fn remove_all_but(&mut self, order: &[Uuid]) -> Vec<Uuid> {
        if self.rows.len() == order.len() {
            return Vec::new();
        }
        let kept: HashSet<Uuid> = order.iter().copied().collect();
        let gone: Vec<Uuid> = self.rows.keys().filter(|key| !kept.contains(key)).copied().collect();
        gone.iter().filter_map(|key| self.rows.remove(key)).for_each(|row| row.element.remove());
        gone
    }
}

/// What is put elsewhere in a page loses the focus on the way.
fn keep_focus(focused: Option<Element>) {
    let Some(focused) = focused.filter(|it| it.is_connected()) else { return };
    if document().active_element().as_ref() != Some(&focused) {
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        let focused: HtmlElement = focused.unchecked_into();
        // Fails for no element that is there.
        let _ = focused.focus_with_options(&options);
    }
}
