//! The history of one transaction: who did what, before and after, and the way back from each.

use reactive_graph::graph::untrack;
use reactive_graph::owner::expect_context;
use reactive_graph::traits::Track;
use tidebook_book::Seq;
use tidebook_ledger::{Field, FieldSet, FieldValue, Transaction, TransactionId};
use tidebook_replica::SyncStatus;

use crate::app::browser::element;
use crate::app::drawn::{AllDrawn, Draw, Drawn, click, part_of, view, when};
use crate::app::driver::{BookEntry, earlier_entries, spawn};
use crate::app::format;
use crate::app::keyed::KeyedRows;
use crate::app::op_words::field_word;
use crate::app::parts::{avatar, colour, icon};
use crate::app::router::keep_focus;
use crate::app::store::Store;
use crate::app::watched::{Derived, Watched, effect};
use crate::conflict::Card;
use crate::history::{Line, What, put};

/// What is known of it so far.
#[derive(Clone, Copy)]
struct History {
    id: TransactionId,
    store: Store,
    lines: Watched<Vec<Line>>,
    /// Up to here what the device has was looked through.
    read_to: Watched<Seq>,
    /// After the one and up to the other, entries are not on this device.
    gap: Watched<Option<(Seq, Seq)>>,
    is_asking: Watched<bool>,
}

pub(crate) fn history(id: TransactionId, now: Derived<Option<Transaction>>) -> Drawn {
    let store = expect_context::<Store>();
    let made = untrack(|| now.with(|now| now.as_ref().map_or(Seq::ZERO, |now| now.created.seq)));
    let history = History {
        id,
        store,
        lines: Watched::new(Vec::new()),
        read_to: Watched::new(Seq(made.0.saturating_sub(1))),
        gap: Watched::new(None),
        is_asking: Watched::new(false),
    };
    effect(move || {
        store.changed.track();
        // What of one's own came into the book may have changed nothing that is shown.
        store.status.track();
        history.read_device();
    });
    let list = element("ol", &[("class", "history")]);
    let mut rows = KeyedRows::new(list.clone(), "li");
    let draw = move |_, told: Watched<Told>| part_of(move || told.get(), move |told| event(store, &told)).drawn();
    effect(move || {
        store.changed.track();
        store.status.track();
        let lines = history.lines.get();
        let told = now.with(|now| now.as_ref().map(|now| told(history, &lines, now)));
        rows.show(told.unwrap_or_default(), &draw);
    });
    view! {
        <section class="section" aria-labelledby="history">
            <h2 class="title-2" id="history">"History"</h2>
            {Drawn::element(list)}
            {when(move || history.gap.with(Option::is_some), move || earlier(history))}
        </section>
    }
}

impl History {
    /// Looks through what came since it last did.
    fn read_device(self) {
        let store = self.store;
        let (Some(book), Some(driver)) = (store.book.get_untracked(), store.driver()) else { return };
        let (after, up_to) = (self.read_to.get_untracked(), store.seq());
        if up_to <= after {
            return;
        }
        self.read_to.update_untracked(|read_to| *read_to = up_to);
        spawn(async move {
            let kept = driver.kept_entries(book, after, self.id.to_string()).await;
            self.take(kept.entries);
            if kept.from > after.next() {
                let up_to = Seq(kept.from.0 - 1);
                self.gap.update(|gap| *gap = Some((gap.map_or(after, |(after, _)| after), up_to)));
            }
        });
    }

    fn take(self, entries: Vec<BookEntry>) {
        self.lines.update(|lines| {
            entries.iter().filter_map(|entry| Line::of_entry(self.id, entry)).for_each(|line| put(lines, line));
        });
    }

    /// Asks the server for what is not on this device.
    fn ask(self) {
        let (Some(book), Some((after, up_to))) = (self.store.book.get_untracked(), self.gap.get_untracked()) else {
            return;
        };
        self.is_asking.set(true);
        spawn(async move {
            match earlier_entries(book, after, up_to, self.id.to_string()).await {
                Ok(entries) => {
                    self.take(entries);
                    self.gap
                        .update(|gap| *gap = gap.filter(|(_, until)| *until > up_to).map(|(_, until)| (up_to, until)));
                    keep_focus();
                }
                Err(error) => self.store.say(error.words()),
            }
            self.is_asking.update(|is_asking| *is_asking = false);
        });
    }
}

fn earlier(history: History) -> Drawn {
    let is_offline = move || matches!(history.store.status.get(), SyncStatus::Offline(_));
    part_of(is_offline, move |is_offline| {
        if is_offline {
            let words = "What was changed earlier is not on this device. It shows once there is a connection.";
            return view! { <p class="small quiet">{words}</p> };
        }
        view! {
            <button id="earlier" class="btn btn-line" type="button" on:click=click(move || history.ask())>
                {part_of(move || history.is_asking.get(), |is_asking| if is_asking {
                    "Looking…"
                } else {
                    "Show earlier changes"
                })}
            </button>
        }
    })
    .drawn()
}

/// A line, and what of it depends on how things stand now.
#[derive(Clone, PartialEq)]
struct Told {
    line: Line,
    can_be_undone: bool,
    /// The sum as it is, for the parts of it that a line does not name.
    now: FieldSet,
}

/// What this device alone knows of first, then what is in the book.
fn told(history: History, lines: &[Line], now: &Transaction) -> Vec<(uuid::Uuid, Told)> {
    let store = history.store;
    let me = store.driver().map(|driver| driver.user());
    let pending = store.copy(|copy| {
        let lines = copy.pending().rev().filter_map(|pending| Line::of_pending(history.id, me?, pending));
        lines.collect::<Vec<_>>()
    });
    let sum = [Field::Amount, Field::Currency, Field::Direction].map(|field| (field, now.value(field)));
    let sum: FieldSet = sum.into_iter().collect();
    let in_the_book = lines.iter().cloned();
    let all = pending.unwrap_or_default().into_iter().chain(in_the_book);
    let told = all.map(|line| {
        let can_be_undone = store.may_write() && line.can_be_undone(now);
        (line.key, Told { line, can_be_undone, now: sum.clone() })
    });
    told.collect()
}

fn event(store: Store, told: &Told) -> Drawn {
    let Told { line, can_be_undone, now } = told;
    let who = store.who(line.by, "You");
    let name = store.who(line.by, &store.me.with(|me| me.as_ref().map(|me| me.name.clone())).unwrap_or_default());
    let when = match line.seq {
        Some(_) => format::moment(line.at, store.today.get()),
        None => "On this device, not in the book yet".into(),
    };
    let (entry, undo) = (line.seq, line.undo.clone());
    let undo = move || {
        entry.into_iter().for_each(|entry| store.undo(entry, undo.clone()));
        keep_focus();
    };
    let word = match (line.is_undo, line.what) {
        (true, _) => "Redo",
        (false, What::Deleted) => "Restore",
        (false, _) => "Undo",
    };
    let label = format!("{word}: {who} {}", deed(line));
    let button = can_be_undone.then(|| {
        view! {
            <button class="btn btn-quiet undo-line" type="button" aria-label=label on:click=click(undo)>{word}</button>
        }
    });
    view! {
        <div class="event">
            {avatar(&name)}
            <div>
                <p><b>{who}</b>" "{deed(line)}</p>
                <p class="event-facts">{facts(store, line, now)}<span class="quiet">{when}</span></p>
            </div>
            {button}
        </div>
    }
}

/// "changed the amount and the note"
fn deed(line: &Line) -> String {
    let deed = match line.what {
        What::Created => "wrote it down",
        What::Deleted => "deleted it",
        What::Restored => "brought it back",
        What::Split if line.is_undo => "took back what was changed since",
        What::Split => "wrote something else meanwhile",
        What::Decided(true) => "chose the version that was set aside",
        What::Decided(false) => "kept the version in the book",
        What::Changed => {
            let fields: Vec<_> = changed(line).map(|field| format!("the {}", field_word(field))).collect();
            let fields = fields.join(" and ");
            return if line.is_undo { format!("set {fields} back") } else { format!("changed {fields}") };
        }
    };
    deed.into()
}

/// The fields that have another value; a sum as one.
fn changed(line: &Line) -> impl Iterator<Item = Field> {
    let kind = tidebook_ledger::RecordKind::Transaction;
    let fields = line.set.iter().filter(|(field, value)| line.was.get(*field) != Some(value));
    let mut fields: Vec<Field> = fields.map(|(field, _)| field.group(kind)).collect();
    fields.dedup();
    fields.into_iter()
}

fn facts(store: Store, line: &Line, now: &FieldSet) -> Drawn {
    if line.what == What::Created {
        let note = line.set.get(Field::Note).map(|_| value(store, &line.set, now, Field::Note));
        return view! { <span>{value(store, &line.set, now, Field::Amount)}</span> {note.map(|note| view! { <span>{note}</span> })} };
    }
    let pairs = changed(line).map(|field| {
        let is_known = line.was.get(field).is_some();
        let before = if is_known { value(store, &line.was, now, field) } else { "a long text".drawn() };
        view! {
            <span>
                <del>{before}</del>
                {icon("next")}
                <span class="unseen">" became "</span>
                <ins>{value(store, &line.set, now, field)}</ins>
            </span>
        }
    });
    let pairs = pairs.all_drawn();
    let aside = line.aside.iter().next().map(|(field, _)| {
        let what = if field == Field::Deleted {
            "a deletion".drawn()
        } else {
            value(store, &line.aside, now, field.group(tidebook_ledger::RecordKind::Transaction))
        };
        view! { <span>"Set aside: "{what}</span> }
    });
    view! { {pairs} {aside} }
}

/// A value in words. A sum is told whole: what a line does not name of it, `now` does.
fn value(store: Store, set: &FieldSet, now: &FieldSet, field: Field) -> Drawn {
    let text = set.get(field).and_then(FieldValue::as_text);
    let words = match (field, text) {
        (Field::Amount, _) => {
            let mut whole = now.clone();
            set.iter().for_each(|(field, value)| whole.insert(field, value.clone()));
            let Some((sum, currency)) = Card::sum(&whole) else { return "".drawn() };
            let text = format::money(sum, currency).signed();
            return view! { <span class=colour(sum)>{text}</span> };
        }
        (_, None) => format!("no {}", field_word(field)),
        (Field::Date | Field::Due, Some(date)) => date.parse().map_or_else(|_| date.to_owned(), format::full_day),
        (Field::Contact, Some(id)) => {
            let name = |id| store.view(|state| Some(state.contact(id)?.name.clone())).flatten();
            id.parse().ok().and_then(name).unwrap_or_default()
        }
        (_, Some(text)) => text.to_owned(),
    };
    words.drawn()
}
