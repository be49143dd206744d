//! A list of any length, of which only what is near the window is in the page.
//!
//! The rows flow as in any list; room before and after them stands for those that are not there, so that the scroll bar
//! tells the truth and a heading can stay in sight. Which rows there are, and how much room, [`crate::window`] decides.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use reactive_graph::owner::on_cleanup;
use reactive_graph::signal::Trigger;
use reactive_graph::traits::{Notify, Track};
use send_wrapper::SendWrapper;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement};

use crate::app::browser::{document, is_wide, set_class, window};
use crate::app::drawn::{Drawn, click, set_attribute, text, view, when};
use crate::app::keyed::KeyedRows;
use crate::app::parts::icon;
use crate::app::router;
use crate::app::watched::{Derived, Watched, effect};
use crate::window::{Column, Kind, Listing, Row};

/// How high a row is thought to be until one was drawn, in the narrow layout and in the wide one: the look's `--row`.
const LINE_HEIGHTS: [f64; 2] = [60.0, 48.0];
const HEADING_HEIGHT: f64 = 42.0;

/// How much of a narrow window lies below the app's bar.
const BAR_HEIGHT: f64 = 56.0;

/// Draws a list's rows into `list`, an empty `ul` that goes where this is put. `values` makes what the rows at these
/// places show, and `draw` what is inside a row that was not there. A row that `jump` is set to comes into sight.
pub(crate) fn long_list<V: PartialEq + Send + Sync + 'static>(
    list: Element,
    listing: Derived<Arc<Listing>>,
    values: impl Fn(&[usize]) -> Vec<(Uuid, V)> + 'static,
    draw: impl Fn(Uuid, Watched<V>) -> Drawn + 'static,
    jump: Watched<Option<usize>>,
) -> Drawn {
    let mut rows = KeyedRows::new(list.clone(), "li");
    let show = move |places: &[usize], keys: &[Uuid]| {
        rows.show(values(places), &draw);
        keys.iter().map(|key| rows.element(*key)).collect()
    };
    keep_drawn(list, listing, Box::new(show), jump)
}

/// Shows the rows at these places, with these keys, and returns their elements.
type Show = Box<dyn FnMut(&[usize], &[Uuid]) -> Vec<Option<Element>>>;

fn keep_drawn(list: Element, listing: Derived<Arc<Listing>>, mut show: Show, jump: Watched<Option<usize>>) -> Drawn {
    let moved = Trigger::new();
    let new_above = Watched::new(0);
    set_class(&list, "long", true);
    let long = Rc::new(LongList {
        list: list.clone(),
        column: RefCell::new(Column::new(LINE_HEIGHTS[usize::from(is_wide())], HEADING_HEIGHT)),
        view: RefCell::new(0.0..height_of_window()),
        is_in_sight: Cell::new(false),
        width: Cell::new(0.0),
        drawn: RefCell::default(),
        after: Cell::new(0.0),
        new_above,
    });
    let looking = long.clone();
    follow_the_window(move || {
        if looking.look() {
            moved.notify();
        }
    });
    let jumping = long.clone();
    effect(move || {
        moved.track();
        let shift = listing.with(|listing| long.arrange(listing));
        long.draw(shift, &mut show);
    });
    effect(move || jump.get().into_iter().for_each(|row| jumping.scroll_to(row)));
    let scrolled = list.clone();
    view! {
        {when(move || new_above.get() > 0, move || {
            let to_top = scrolled.clone();
            view! {
                <button
                    class="pill"
                    type="button"
                    on:click=click(move || {
                        scroller_of(&to_top).set_scroll_top(0);
                        router::keep_focus();
                    })
                >
                    {icon("up")}
                    {text(move || format!("{} new", new_above.get()))}
                </button>
            }
        })}
        {Drawn::element(list)}
    }
}

struct LongList {
    list: Element,
    column: RefCell<Column>,
    /// The part of the list that is in the window; where the list is out of sight, the part that was.
    view: RefCell<Range<f64>>,
    is_in_sight: Cell<bool>,
    width: Cell<f64>,
    /// The rows in the page, as they were set last.
    drawn: RefCell<Vec<Set>>,
    /// The room after them.
    after: Cell<f64>,
    /// How many lines came in above what is read.
    new_above: Watched<usize>,
}

/// How a row in the page is set.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Set {
    row: Row,
    /// The room before it.
    gap: f64,
    /// Which row it is, and of how many, where not all are in the page.
    number: Option<(usize, usize)>,
}

impl LongList {
    /// Sees which part is in the window. Returns whether something is to be drawn for it.
    fn look(&self) -> bool {
        let place = self.list.get_bounding_client_rect();
        self.is_in_sight.set(place.width() > 0.0);
        if !self.is_in_sight.get() {
            return false;
        }
        let mut column = self.column.borrow_mut();
        let is_wider = self.width.replace(place.width()) != place.width();
        if is_wider {
            column.forget_heights();
        }
        self.view.replace(-place.top()..height_of_window() - place.top());
        if self.read().is_none() {
            self.new_above.put(0);
        }
        let wanted = self.wanted(&column);
        let drawn = self.drawn.borrow();
        is_wider
            || wanted.len() != drawn.len()
            || wanted.iter().zip(&*drawn).any(|(at, set)| column.rows()[*at] != set.row)
    }

    /// What somebody reads who has scrolled. Who is at the top sees what comes in there; and what a phone shows beside the
    /// list is not moved for it.
    fn read(&self) -> Option<Range<f64>> {
        Some(self.view.borrow().clone()).filter(|view| view.start > 0.0 && self.is_in_sight.get())
    }

    fn wanted(&self, column: &Column) -> Vec<usize> {
        column.drawn(self.view.borrow().clone(), self.focused(column))
    }

    /// The row that the focus is in.
    fn focused(&self, column: &Column) -> Option<usize> {
        let focused = document().active_element().filter(|it| self.list.contains(Some(it)))?;
        let items = self.list.children();
        let place = (0..items.length()).find(|at| items.item(*at).is_some_and(|item| item.contains(Some(&focused))))?;
        let row = self.drawn.borrow().get(place as usize)?.row;
        column.rows().iter().position(|it| *it == row)
    }

    /// Brings a row to the top of what is in sight.
    fn scroll_to(&self, row: usize) {
        let scroller = scroller_of(&self.list);
        let covered = if is_wide() { scroller.get_bounding_client_rect().top() } else { BAR_HEIGHT };
        let by = self.list.get_bounding_client_rect().top() + self.column.borrow().top(row) - covered;
        scroller.scroll_by_with_x_and_y(0.0, by);
    }

    /// Takes in a newer list. Returns by how much what is read moved.
    fn arrange(&self, listing: &Arc<Listing>) -> f64 {
        self.look();
        let mut column = self.column.borrow_mut();
        if column.holds(listing) {
            return 0.0;
        }
        let shift = column.arrange(listing.clone(), self.read());
        let view = self.view.borrow().clone();
        self.view.replace(view.start + shift.by..view.end + shift.by);
        self.new_above.put(self.new_above.get_untracked() + shift.new_above);
        shift.by
    }

    /// Draws what is in view, and scrolls so that what is read stays where it is.
    fn draw(&self, shift: f64, show: &mut Show) {
        let places = self.wanted(&self.column.borrow());
        let keys: Vec<Uuid> = places.iter().map(|place| self.column.borrow().rows()[*place].key).collect();
        let elements = places.iter().copied().zip(show(&places, &keys));
        let rows: Vec<(usize, Element)> = elements.filter_map(|(place, element)| Some((place, element?))).collect();
        self.set(&rows);
        let shift = shift + self.measure(&rows);
        self.set(&rows);
        if shift != 0.0 {
            scroller_of(&self.list).scroll_by_with_x_and_y(0.0, shift);
        }
    }

    /// Returns by how much what is read is elsewhere than it was thought to be.
    fn measure(&self, rows: &[(usize, Element)]) -> f64 {
        let heights = rows.iter().map(|(place, element)| (*place, element.get_bounding_client_rect().height()));
        // A list that is out of sight has no heights.
        let heights: Vec<(usize, f64)> = heights.filter(|(_, height)| *height > 0.0).collect();
        let mut column = self.column.borrow_mut();
        let first = self.read().map_or(0, |read| column.row_at(read.start));
        let was_at = column.top(first);
        column.measure(&heights);
        column.top(first) - was_at
    }

    /// Gives each row its room, and tells which it is of how many. What is set already is left alone.
    fn set(&self, rows: &[(usize, Element)]) {
        let column = self.column.borrow();
        let places: Vec<usize> = rows.iter().map(|(place, _)| *place).collect();
        let setting = column.setting(&places);
        let all = column.rows().len();
        let old = self.drawn.take();
        let set = |((place, element), gap): (&(usize, Element), f64)| {
            let row = column.rows()[*place];
            let set = Set { row, gap, number: (places.len() < all).then_some((place + 1, all)) };
            apply(element, old.iter().find(|old| old.row == row), set);
            set
        };
        self.drawn.replace(rows.iter().zip(setting.gaps).map(set).collect());
        if self.after.replace(setting.after) != setting.after {
            make_room(&self.list, "padding-bottom", setting.after);
        }
    }
}

fn apply(element: &Element, old: Option<&Set>, set: Set) {
    if old.is_none() && set.row.kind == Kind::Heading {
        element.set_class_name("month");
    }
    if old.map_or(0.0, |old| old.gap) != set.gap {
        make_room(element, "margin-top", set.gap);
    }
    if old.and_then(|old| old.number) != set.number {
        let (number, of) = set.number.unzip();
        set_attribute(element, "aria-posinset", number.map(|it| it.to_string()));
        set_attribute(element, "aria-setsize", of.map(|it| it.to_string()));
    }
}

fn make_room(element: &Element, property: &str, pixels: f64) {
    // By hand: the library's printing of fractions is large, and browsers know sixty-fourths at most.
    let hundredths = (pixels * 100.0) as u64;
    let style = element.unchecked_ref::<HtmlElement>().style();
    // Fails for no element that is there.
    let _ = style.set_property(property, &format!("{}.{:02}px", hundredths / 100, hundredths % 100));
}

/// What moves when this is scrolled: a pane in a wide window, all of the page in a narrow one.
fn scroller_of(list: &Element) -> Element {
    let mut above = list.parent_element();
    while let Some(element) = above {
        let style = window().get_computed_style(&element).ok().flatten();
        let overflow = style.and_then(|style| style.get_property_value("overflow-y").ok());
        if matches!(overflow.as_deref(), Some("auto" | "scroll")) {
            return element;
        }
        above = element.parent_element();
    }
    document().scrolling_element().expect("a page that is shown scrolls")
}

fn height_of_window() -> f64 {
    window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default()
}

/// Hears of everything that scrolls, whichever element it is, and of the window's size, for as long as the owner lives.
fn follow_the_window(look: impl FnMut() + 'static) {
    let look = Closure::<dyn FnMut()>::new(look);
    let listener = SendWrapper::new(look);
    for event in ["scroll", "resize"] {
        // Elements tell of their own scrolling on the way down only. Fails only with wrong arguments.
        let _ = window().add_event_listener_with_callback_and_bool(event, listener.as_ref().unchecked_ref(), true);
    }
    on_cleanup(move || {
        for event in ["scroll", "resize"] {
            let look = listener.as_ref().unchecked_ref();
            let _ = window().remove_event_listener_with_callback_and_bool(event, look, true);
        }
    });
}
