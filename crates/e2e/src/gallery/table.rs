//! Which screens there are in which states, and why some are not: the one place that says so.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use Cell::{In, Not};
use Part::{Before, Book, Large, Trouble};

/// A screen of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Screen {
    FirstRun,
    SignIn,
    Contacts,
    Contact,
    Transactions,
    Transaction,
    Entry,
    Attention,
    Members,
    Settings,
}

/// What a screen can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ordinary,
    Empty,
    Loading,
    Offline,
    Conflict,
    Failed,
    Large,
}

/// The walk in four, each with a server of its own, so that they can go at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Before a book is open.
    Before,
    /// A book that goes well.
    Book,
    /// Lines that are cut, answers that do not come, and what was not taken.
    Trouble,
    /// Hundreds of people, and names as long as they get.
    Large,
}

enum Cell {
    /// Looked at in this part of the walk.
    In(Part),
    /// There is no such thing, and why.
    Not(&'static str),
}

/// In the order of [`State::ALL`].
const TABLE: [(Screen, [Cell; 7]); 10] = [
    (
        Screen::FirstRun,
        [
            In(Before),
            Not("it is the app's own empty state"),
            In(Before),
            In(Before),
            Not("nothing is there yet that two could have written"),
            In(Before),
            Not("it is one form, however much there is elsewhere"),
        ],
    ),
    (
        Screen::SignIn,
        [
            In(Before),
            Not("its fields are empty in the ordinary state"),
            Not("it is drawn without asking anybody"),
            In(Before),
            Not("there is nothing on it that two could write"),
            In(Before),
            Not("it has four fields at most"),
        ],
    ),
    (Screen::Contacts, [In(Book), In(Book), In(Trouble), In(Trouble), In(Book), In(Trouble), In(Large)]),
    (Screen::Contact, [In(Book), In(Book), In(Trouble), In(Trouble), In(Book), In(Trouble), In(Large)]),
    (
        Screen::Transactions,
        [
            In(Book),
            In(Book),
            In(Trouble),
            In(Trouble),
            In(Book),
            Not("it shows what the device has, and asks nobody"),
            In(Large),
        ],
    ),
    (
        Screen::Transaction,
        [
            In(Book),
            Not("there is no transaction without an amount and a history"),
            In(Trouble),
            In(Trouble),
            In(Book),
            In(Trouble),
            In(Large),
        ],
    ),
    (
        Screen::Entry,
        [
            In(Book),
            In(Book),
            Not("it opens with what the device has"),
            In(Trouble),
            Not("a form that was open before a change raises the card on the contact's page"),
            In(Book),
            In(Large),
        ],
    ),
    (
        Screen::Attention,
        [
            Not("it is empty, or in conflict, or has something that failed"),
            In(Book),
            Not("what is to be decided is on the device"),
            In(Trouble),
            In(Book),
            In(Trouble),
            In(Large),
        ],
    ),
    (
        Screen::Members,
        [
            In(Book),
            In(Book),
            Not("the members come with the book"),
            In(Trouble),
            Not("the server takes one change after the other, and the last one stands"),
            In(Book),
            In(Large),
        ],
    ),
    (
        Screen::Settings,
        [
            In(Book),
            Not("there is always something to set"),
            Not("what it sets is the device's own"),
            In(Trouble),
            Not("what it sets is the device's own"),
            In(Trouble),
            Not("nothing on it grows but the members, who are a screen of this table"),
        ],
    ),
];

impl Screen {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::FirstRun => "first run",
            Self::SignIn => "sign in",
            Self::Contacts => "contacts",
            Self::Contact => "contact",
            Self::Transactions => "transactions",
            Self::Transaction => "transaction",
            Self::Entry => "entry",
            Self::Attention => "needs attention",
            Self::Members => "members",
            Self::Settings => "settings",
        }
    }
}

impl State {
    pub const ALL: [Self; 7] =
        [Self::Ordinary, Self::Empty, Self::Loading, Self::Offline, Self::Conflict, Self::Failed, Self::Large];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Empty => "empty",
            Self::Loading => "loading",
            Self::Offline => "offline",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
            Self::Large => "large",
        }
    }
}

impl Part {
    pub const ALL: [Self; 4] = [Before, Book, Trouble, Large];
}

pub(super) fn cells_of(part: Part) -> BTreeSet<(Screen, State)> {
    let cells = TABLE.iter().flat_map(|(screen, cells)| State::ALL.into_iter().zip(cells).map(|it| (*screen, it)));
    cells
        .filter(|(_, (_, cell))| matches!(cell, In(of) if *of == part))
        .map(|(screen, (state, _))| (screen, state))
        .collect()
}

/// The table as docs/gallery.md has it.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(
        "# Gallery\n\n\
         `cargo xtask gallery FOLDER` makes a picture of every screen in every state, at 390 and 1280 px, light and dark,\n\
         and writes this page. `cargo xtask test` goes the same way and has axe look at each of them.\n\n",
    );
    let states: Vec<&str> = State::ALL.map(State::word).into();
    // Writing to a text does not fail.
    let _ = writeln!(text, "| screen | {} |\n| --- |{}", states.join(" | "), " --- |".repeat(states.len()));
    for (screen, cells) in &TABLE {
        let marks = cells.each_ref().map(|cell| if matches!(cell, In(_)) { "yes" } else { "–" });
        let _ = writeln!(text, "| {} | {} |", screen.word(), marks.join(" | "));
    }
    text.push_str("\nWhere there is none:\n\n");
    for (screen, cells) in &TABLE {
        for (state, cell) in State::ALL.iter().zip(cells) {
            if let Not(reason) = cell {
                let _ = writeln!(text, "- {}, {}: {reason}.", screen.word(), state.word());
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_docs_is_this_table() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gallery.md");
        let there = std::fs::read_to_string(page).unwrap();
        assert_eq!(there, document(), "`cargo xtask gallery` writes docs/gallery.md");
    }

    #[test]
    fn each_cell_that_there_is_belongs_to_a_part() {
        let count = Part::ALL.map(|part| cells_of(part).len()).iter().sum::<usize>();
        let all = TABLE.iter().flat_map(|(_, cells)| cells).filter(|cell| matches!(cell, In(_))).count();
        assert_eq!(count, all);
    }
}
