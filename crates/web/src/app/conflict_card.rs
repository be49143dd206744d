//! The card of a conflict: both values, both authors, and a choice. The app takes no side.

use tidebook_book::{Seq, UnixMillis, UserId, read_by_name};
use tidebook_ledger::{Conflict, ConflictId, ConflictKind, Currency, Field, FieldSet, LedgerOp, RecordRef};
use tidebook_replica::{Seen, SyncStatus};

use crate::app::browser::element;
use crate::app::drawn::{Draw, Drawn, Reactive, click, part_of, text, view, when};
use crate::app::driver::{Call, spawn};
use crate::app::format;
use crate::app::keyed::KeyedRows;
use crate::app::op_words::{field_word, set_words};
use crate::app::parts::{colour, icon};
use crate::app::router::keep_focus;
use crate::app::store::{Sheet, Store};
use crate::app::watched::{Derived, Watched, effect};
use crate::conflict::{Card, decided_by_edit, is_deletion};

/// The cards of some conflicts, each as long as it is open.
pub(crate) fn conflict_cards(store: Store, cards: Derived<Vec<Card>>) -> Drawn {
    let place = element("div", &[("class", "conflicts")]);
    let mut rows = KeyedRows::new(place.clone(), "div");
    let draw =
        move |_, card: Watched<Card>| part_of(move || card.get(), move |card| conflict_card(store, &card)).drawn();
    effect(move || {
        rows.show(cards.with(|cards| cards.iter().map(|card| (card.conflict.id.0, card.clone())).collect()), &draw);
    });
    Drawn::element(place)
}

/// From so many minor units on, two amounts do not stand beside each other on a phone.
const LONG_AMOUNT: i128 = 100_000_000;

/// One of the two values.
struct Side<'a> {
    set: &'a FieldSet,
    by: UserId,
    /// When it was made, where that is known here; else the entry that tells.
    at: Result<UnixMillis, Seq>,
    after: Option<(Currency, i128)>,
    /// What `apply` says to keep this one.
    apply: bool,
}

fn conflict_card(store: Store, card: &Card) -> Drawn {
    let conflict = &card.conflict;
    let (standing, offered) = (&conflict.standing, &conflict.offered);
    let [after_kept, after_taken] = card.after.map_or([None, None], |after| after.map(Some));
    let kept = Side { set: &standing.set, by: standing.by, at: Err(standing.seq), after: after_kept, apply: false };
    let taken = Side { set: &offered.set, by: offered.by, at: Ok(offered.made_at), after: after_taken, apply: true };
    // One's own comes first.
    let is_swapped = store.is_me(offered.by) && !store.is_me(standing.by);
    let (first, second) = if is_swapped { (taken, kept) } else { (kept, taken) };
    let base = store.seen();
    let (id, record) = (conflict.id, conflict.record);
    let is_editable = record != RecordRef::Book;
    let edit = move || store.sheet.set(Some(Sheet::Decide(id, record)));
    let title_id = format!("conflict-{}", conflict.id);
    let labelled_by = title_id.clone();
    let is_short = |set| Card::sum(set).is_some_and(|(amount, _)| amount.abs() < LONG_AMOUNT);
    let is_amounts = conflict.kind == ConflictKind::EditEdit && is_short(&standing.set) && is_short(&offered.set);
    let class = if is_amounts { "versions" } else { "versions is-text" };
    view! {
        <article class="conflict" data-conflict=conflict.id.to_string() aria-labelledby=labelled_by>
            <header class="conflict-head">
                {icon("fork")}
                <h3 id=title_id>{title(card)}</h3>
                <p class="small quiet">{what_met(store, card)}</p>
            </header>
            <div class=class>{version(store, card, &first, base)}{version(store, card, &second, base)}</div>
            {when(move || is_editable && store.may_write(), move || view! {
                <footer class="conflict-foot">
                    <button class="btn btn-quiet" type="button" data-edit on:click=click(edit)>
                        {icon("edit")}
                        "Edit instead"
                    </button>
                </footer>
            })}
        </article>
    }
}

impl Store {
    /// A conflict, for as long as it is open.
    pub(crate) fn conflict(self, id: Option<ConflictId>) -> Option<Conflict> {
        let is_it = |conflict: &&Conflict| Some(conflict.id) == id;
        self.conflicts.with_untracked(|cards| cards.iter().map(|card| &card.conflict).find(is_it).cloned())
    }

    /// Takes a form's ops, and decides the conflict it was opened for with them. Where somebody has decided it meanwhile
    /// there is only the edit.
    pub(crate) fn decide(self, base: Seen, conflict: Option<ConflictId>, edit: Vec<LedgerOp>) -> Result<(), String> {
        let decision = self.conflict(conflict).map(|conflict| decided_by_edit(&conflict));
        let ops: Vec<LedgerOp> = decision.into_iter().chain(edit).collect();
        if ops.is_empty() { Ok(()) } else { self.mutate(base, ops) }
    }
}

fn title(card: &Card) -> String {
    card.note.clone().filter(|note| !note.is_empty()).unwrap_or_else(|| card.with.clone())
}

/// "Two amounts for 14 Nov 2026, with Ana", "Ben deleted this while you changed it, 14 Nov 2026, with Ana"
fn what_met(store: Store, card: &Card) -> String {
    let conflict = &card.conflict;
    let (edited_by, deleted_by) = match conflict.kind {
        ConflictKind::EditEdit => {
            let first = conflict.offered.set.iter().next();
            let two = first.map_or("versions", |(field, _)| plural(field.group(conflict.record.kind())));
            return format!("Two {two}{}", about(card, " for"));
        }
        ConflictKind::EditDelete => (conflict.standing.by, conflict.offered.by),
        ConflictKind::DeleteEdit => (conflict.offered.by, conflict.standing.by),
    };
    let (edited, deleted) = (store.who(edited_by, "you"), store.who(deleted_by, "You"));
    format!("{deleted} deleted this while {edited} changed it{}", about(card, ","))
}

fn about(card: &Card, before: &str) -> String {
    match card.date {
        Some(date) => format!("{before} {}, with {}", format::full_day(date), card.with),
        None => String::new(),
    }
}

fn plural(field: Field) -> &'static str {
    match field {
        Field::Amount => "amounts",
        Field::Note => "notes",
        Field::Date => "days",
        Field::Due => "due days",
        Field::Contact => "people",
        Field::Name => "names",
        Field::Username => "usernames",
        Field::Phone => "phone numbers",
        Field::Email => "e-mail addresses",
        _ => "versions",
    }
}

fn version(store: Store, card: &Card, side: &Side<'_>, base: Seen) -> Drawn {
    let (id, apply) = (card.conflict.id, side.apply);
    let is_mine = store.is_me(side.by);
    let label = match (is_mine, apply) {
        (true, _) => "Yours",
        (false, false) => "In the book",
        (false, true) => "Set aside",
    };
    let after = side.after.map(|(currency, sum)| {
        let words = match sum {
            0 => format!("Even with {}", card.with),
            1.. => format!("{} owes you", card.with),
            _ => format!("You owe {}", card.with),
        };
        view! {
            <p class="version-after">
                {words}<br/>
                <b class=colour(sum)>{format::money(sum, currency).signed()}</b>
            </p>
        }
    });
    let choose = move || {
        store.act(base, LedgerOp::ResolveConflict { id, apply });
        keep_focus();
    };
    let choice = choice(store, card, side);
    let button = move || {
        view! {
            <button class="btn btn-line" type="button" data-apply=apply.to_string() on:click=click(choose)>{choice}</button>
        }
    };
    view! {
        <section class="version">
            <h4 class="label">{label}</h4>
            {value(store, card, side.set)}
            <p class="small quiet">{store.who(side.by, "You")}<br/>{moment(store, side.at)}</p>
            {after}
            {when(move || store.may_write(), button)}
        </section>
    }
}

/// The words on the button that keeps a side.
fn choice(store: Store, card: &Card, side: &Side<'_>) -> &'static str {
    let conflict = &card.conflict;
    let is_between_people = store.is_me(conflict.standing.by) != store.is_me(conflict.offered.by);
    match (conflict.kind, side.apply) {
        (ConflictKind::EditDelete, true) => "Delete it",
        (ConflictKind::EditDelete, false) => "Keep it",
        (ConflictKind::DeleteEdit, true) => "Bring it back",
        (ConflictKind::DeleteEdit, false) => "Leave it deleted",
        (ConflictKind::EditEdit, _) if !is_between_people => "Keep this",
        (ConflictKind::EditEdit, _) if store.is_me(side.by) => "Keep mine",
        (ConflictKind::EditEdit, _) => "Keep theirs",
    }
}

fn value(store: Store, card: &Card, set: &FieldSet) -> Drawn {
    if is_deletion(set) {
        return view! { <p class="version-text"><del>{title(card)}</del></p> };
    }
    if card.conflict.kind != ConflictKind::EditEdit {
        let words = if set.is_empty() { "Something new was written".to_owned() } else { set_words(set) };
        return view! { <p class="version-text">{words}</p> };
    }
    if let Some((sum, currency)) = Card::sum(set) {
        return view! { <p class="version-value amt">{format::money(sum, currency).signed()}</p> };
    }
    let words = set.iter().next().map(|(field, value)| match (field, value.as_text()) {
        (_, None) => format!("No {}", field_word(field)),
        (Field::Date | Field::Due, Some(date)) => date.parse().map_or_else(|_| date.to_owned(), format::full_day),
        (Field::Contact, Some(id)) => {
            let name =
                id.parse().ok().and_then(|id| store.view(|state| Some(state.contact(id)?.name.clone())).flatten());
            name.unwrap_or_default()
        }
        (_, Some(text)) => text.to_owned(),
    });
    view! { <p class="version-text">{words}</p> }
}

/// When a side was made. Of what stands only its entry tells, which is asked for.
fn moment(store: Store, at: Result<UnixMillis, Seq>) -> Reactive<String> {
    struct Entries {
        entries: Vec<Entry>,
    }

    read_by_name!(Entries { entries });
    struct Entry {
        at: UnixMillis,
    }

    read_by_name!(Entry { at });
    let known = Watched::new(at.ok());
    let is_online = !matches!(store.status.get_untracked(), SyncStatus::Offline(_));
    if let (Err(seq), Some(book), true) = (at, store.book.get_untracked(), is_online) {
        spawn(async move {
            let path = format!("/books/{book}/entries?after={}&limit=1", seq.0.saturating_sub(1));
            if let Ok(Entries { entries }) = Call::get(&path).json::<Entries>().await {
                known.set(entries.first().map(|entry| entry.at));
            }
        });
    }
    text(move || known.get().map(|at| format::moment(at, store.today.get())).unwrap_or_default())
}
