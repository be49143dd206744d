//! A list of rows by key that touches as little of the page as it can.
//!
//! Leptos' own keyed list moves every row between the two places when one row moves; this one moves that row alone, and
//! tells a row about its new value only where it is another.

use std::any::Any;
use std::collections::HashMap;
use std::hash::Hash;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::app::browser::document;
use crate::moves::staying;

/// What of a row a list needs to keep.
struct Row<V: Send + Sync + 'static> {
    element: HtmlElement,
    value: ArcRwSignal<V>,
    /// Takes the row's reactive parts down when dropped.
    _mounted: Box<dyn Any>,
}

/// The children of an element, each drawn once per key.
pub(crate) struct KeyedRows<K, V: Send + Sync + 'static> {
    parent: Element,
    tag: &'static str,
    /// Who owns the rows: the component, not the effect that changes them.
    owner: Owner,
    rows: HashMap<K, Row<V>>,
    order: Vec<K>,
}

impl<K, V> KeyedRows<K, V>
where
    K: Copy + Eq + Hash + 'static,
    V: PartialEq + Send + Sync + 'static,
{
    /// `parent` must hold nothing else.
    pub(crate) fn new(parent: Element, tag: &'static str, owner: Owner) -> Self {
        Self { parent, tag, owner, rows: HashMap::new(), order: Vec::new() }
    }

    pub(crate) fn last(&self) -> Option<K> {
        self.order.last().copied()
    }

    /// Shows these rows, in this order. `draw` makes what is inside a row that was not there.
    pub(crate) fn show<N: IntoView + 'static>(
        &mut self,
        items: Vec<(K, V)>,
        draw: impl Fn(K, RwSignal<V>) -> N + Copy + 'static,
    ) {
        let places: HashMap<K, usize> = self.order.iter().enumerate().map(|(place, key)| (*key, place)).collect();
        let order: Vec<K> = items.iter().map(|(key, _)| *key).collect();
        let mut kept_places = Vec::new();
        for (key, value) in items {
            match self.rows.get(&key) {
                Some(row) if row.value.with_untracked(|old| *old == value) => {}
                Some(row) => row.value.set(value),
                None => self.add(key, value, draw),
            }
            kept_places.extend(places.get(&key));
        }
        self.remove_all_but(&order);
        self.arrange(&order, &places, &staying(&kept_places));
        self.order = order;
    }

    fn add<N: IntoView + 'static>(&mut self, key: K, value: V, draw: impl Fn(K, RwSignal<V>) -> N + 'static) {
        let element = document().create_element(self.tag).expect("the name of an element");
        let element: HtmlElement = element.unchecked_into();
        let value = ArcRwSignal::new(value);
        let inner = value.clone();
        let mounted =
            self.owner.with(|| leptos::mount::mount_to(element.clone(), move || draw(key, RwSignal::from(inner))));
        self.rows.insert(key, Row { element, value, _mounted: Box::new(mounted) });
    }

    fn remove_all_but(&mut self, order: &[K]) {
        if self.rows.len() == order.len() {
            return;
        }
        let kept: std::collections::HashSet<K> = order.iter().copied().collect();
        self.rows.retain(|key, row| {
            let stays = kept.contains(key);
            if !stays {
                row.element.remove();
            }
            stays
        });
    }

    /// From the last to the first, each before the one after it; those that stay are only stepped over.
    fn arrange(&self, order: &[K], places: &HashMap<K, usize>, stays: &[bool]) {
        let mut stays = stays.iter().rev();
        let mut next: Option<&HtmlElement> = None;
        for key in order.iter().rev() {
            let element = &self.rows[key].element;
            let is_in_place = places.contains_key(key) && stays.next().copied().unwrap_or(false);
            if !is_in_place {
                // Fails only where `next` is elsewhere; all rows are in `parent`.
                let _ = self.parent.insert_before(element, next.map(|next| next.as_ref()));
            }
            next = Some(element);
        }
    }
}
