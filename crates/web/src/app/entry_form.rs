//! The form for a transaction, new or not: four fields, and the rest under More.

use reactive_graph::graph::untrack;
use reactive_graph::owner::expect_context;
use tidebook_ledger::{
    AmountInputError, ConflictId, ContactId, Currency, Direction, LedgerOp, Transaction, TransactionId, parse_amount,
};
use tidebook_replica::Seen;
use web_sys::SubmitEvent;

use crate::app::browser::{self, query};
use crate::app::drawn::{Drawn, attr, click, flag, part, text, value, view};
use crate::app::driver::new_id;
use crate::app::format;
use crate::app::parts::{currency_select, field_error, icon};
use crate::app::person_form::foot;
use crate::app::store::Store;
use crate::app::watched::{Derived, Watched, effect, memo};
use crate::app::who_field::who_field;
use crate::conflict::begin;
use crate::entry::{self, EntryFaults, NewIds, Who, amount_fault, read_edit, read_entry};

/// What is in the form.
#[derive(Clone, Copy)]
struct Fields {
    who: Watched<Who>,
    amount: Watched<String>,
    direction: Watched<Direction>,
    currency: Watched<Currency>,
    note: Watched<String>,
    date: Watched<String>,
    due: Watched<String>,
    /// What was wrong when the person last tried to save.
    faults: Watched<EntryFaults>,
    /// The transaction it changes.
    edited: Option<TransactionId>,
}

impl Fields {
    fn new(form: entry::EntryForm, edited: Option<TransactionId>) -> Self {
        Self {
            who: Watched::new(form.who),
            amount: Watched::new(form.amount),
            direction: Watched::new(form.direction),
            currency: Watched::new(form.currency),
            note: Watched::new(form.note),
            date: Watched::new(form.date),
            due: Watched::new(form.due),
            faults: Watched::new(EntryFaults::default()),
            edited,
        }
    }

    fn fault(self, of: fn(&EntryFaults) -> &Option<String>) -> Derived<Option<String>> {
        memo(move || self.faults.with(|faults| of(faults).clone()))
    }

    fn read(self) -> entry::EntryForm {
        entry::EntryForm {
            who: self.who.get_untracked(),
            amount: self.amount.get_untracked(),
            direction: self.direction.get_untracked(),
            currency: self.currency.get_untracked(),
            note: self.note.get_untracked(),
            date: self.date.get_untracked(),
            due: self.due.get_untracked(),
        }
    }

    fn parsed(self) -> Result<u64, AmountInputError> {
        parse_amount(&self.amount.get(), self.currency.get().minor_digits())
    }

    /// Ready for the next: who, when and which way stay.
    fn clear(self) {
        self.amount.set(String::new());
        self.note.set(String::new());
        self.faults.set(EntryFaults::default());
    }
}

fn empty_form(store: Store, contact: Option<ContactId>, got: bool) -> entry::EntryForm {
    entry::EntryForm {
        who: contact.map_or_else(|| Who::New(String::new()), Who::Known),
        amount: String::new(),
        direction: if got { Direction::Got } else { Direction::Gave },
        currency: untrack(|| store.currency()).unwrap_or_else(format::home_currency),
        note: String::new(),
        date: store.today.get_untracked().to_string(),
        due: String::new(),
    }
}

/// The form while it is open.
#[derive(Clone, Copy)]
struct Form {
    store: Store,
    fields: Fields,
    /// What its changes are told from.
    before: Watched<Option<Transaction>>,
    /// What the form shows was read when it opened, whatever comes meanwhile.
    base: Seen,
    /// What it decides.
    conflict: Option<ConflictId>,
}

impl Form {
    /// Whether it could be saved; if not, the person has been told why.
    fn save(self) -> bool {
        let ids = NewIds { contact: ContactId(new_id()), transaction: TransactionId(new_id()) };
        let ops = match self.ops(ids) {
            Ok(ops) => ops,
            Err(faults) => {
                self.fields.faults.set(faults);
                focus_first_fault();
                return false;
            }
        };
        // Somebody just made is known to the form from now on.
        let made = (ops.len() > 1).then_some(ids.contact);
        match self.store.decide(self.base, self.conflict, ops) {
            Ok(()) => {
                made.into_iter().for_each(|id| self.fields.who.set(Who::Known(id)));
                true
            }
            Err(words) => {
                self.store.say(words);
                false
            }
        }
    }

    fn ops(self, ids: NewIds) -> Result<Vec<LedgerOp>, EntryFaults> {
        let form = self.fields.read();
        self.before.with_untracked(|before| match before {
            Some(before) => read_edit(&form, before, ids.contact),
            None => read_entry(&form, ids),
        })
    }

    fn save_and_close(self) {
        if self.save() {
            self.store.sheet.set(None);
        }
    }

    fn save_and_begin_another(self) {
        if self.save() {
            self.fields.clear();
            browser::focus(browser::by_id("amount"));
        }
    }

    fn delete(self, id: TransactionId) {
        self.store.sheet.set(None);
        let (delete, undo) = (LedgerOp::DeleteTransaction { id }, LedgerOp::RestoreTransaction { id });
        self.store.delete(self.base, delete, undo, "The transaction is deleted".into());
    }
}

/// For something new with this contact, or for the transaction that is edited; where that decides a conflict, it begins
/// with what was offered.
pub(crate) fn entry_form(
    contact: Option<ContactId>,
    got: bool,
    edited: Option<TransactionId>,
    conflict: Option<ConflictId>,
) -> Drawn {
    let store = expect_context::<Store>();
    let standing = edited.and_then(|id| store.view(|state| state.transaction(id).cloned()).flatten());
    let (begun, before) = begin(store.conflict(conflict).as_ref(), standing, Transaction::with);
    let begun = begun.as_ref().map_or_else(|| empty_form(store, contact, got), entry::EntryForm::of);
    let fields = Fields::new(begun, edited);
    let form = Form { store, fields, before: Watched::new(before), base: store.seen(), conflict };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        form.save_and_close();
    };
    view! {
        <form novalidate on:submit=submit>
            <DirectionChoice direction=fields.direction/>
            <AmountField fields/>
            <Echo fields/>
            <WhoField who=fields.who fault=fields.fault(|faults| &faults.who)/>
            {plain_field("note", "note-error", "Note", "text", fields.note, fields.fault(|faults| &faults.note))}
            <More fields/>
            <div class="sheet-foot"><Buttons form/></div>
        </form>
    }
}

fn buttons(form: Form) -> Drawn {
    match form.fields.edited {
        None => view! {
            <button
                id="save-another"
                class="btn btn-line"
                type="button"
                on:click=click(move || form.save_and_begin_another())
            >
                "Save, add another"
            </button>
            <button id="save" class="btn btn-solid" type="submit">"Save"</button>
        },
        Some(id) => foot(form.conflict, move || form.delete(id)),
    }
}

fn direction_choice(direction: Watched<Direction>) -> Drawn {
    let choice = move |choice: Direction, class: &'static str, words: &'static str, symbol: &'static str| {
        view! {
            <label class=class>
                <input
                    type="radio"
                    name="direction"
                    value=choice.to_string()
                    prop:checked=flag(move || direction.get() == choice)
                    on:change=value(move |_| direction.set(choice))
                />
                {icon(symbol)}
                {words}
            </label>
        }
    };
    view! {
        <fieldset class="choice">
            <legend class="unseen">"Direction"</legend>
            {choice(Direction::Gave, "is-owed", "I gave", "gave")}
            {choice(Direction::Got, "is-owing", "I got", "got")}
        </fieldset>
    }
}

fn amount_field(fields: Fields) -> Drawn {
    let was_left = Watched::new(false);
    // While somebody types, half an amount is no fault; once they have left the field it is.
    let fault = memo(move || {
        let wrong = fields.parsed().err().filter(|error| *error != AmountInputError::Empty && was_left.get());
        wrong
            .map(|error| amount_fault(&error, fields.currency.get()))
            .or_else(|| fields.faults.with(|faults| faults.amount.clone()).filter(|_| fields.parsed().is_err()))
    });
    view! {
        <div class="field sum">
            <label class="label" for="amount">"Amount"</label>
            <CurrencySelect id="currency" value=fields.currency named=false/>
            <input
                id="amount"
                data-first
                inputmode="decimal"
                autocomplete="off"
                enterkeyhint="done"
                aria-describedby="amount-echo amount-error"
                aria-invalid=attr(move || fault.with(Option::is_some).then_some("true"))
                prop:value=text(move || fields.amount.get())
                on:input=value(move |typed| {
                    was_left.set(false);
                    fields.amount.set(typed);
                })
                on:blur=move |_| was_left.set(true)
            />
            {field_error("amount-error", move || fault.get())}
        </div>
    }
}

/// Says back what was understood, and where it leads.
fn echo(fields: Fields) -> Drawn {
    let store = expect_context::<Store>();
    let understood = memo(move || {
        let amount = fields.parsed().ok()?;
        let (direction, currency) = (fields.direction.get(), fields.currency.get());
        let (name, before) = match fields.who.get() {
            Who::New(name) => (name.trim().to_owned(), 0),
            Who::Known(id) => {
                store.track_contact(id);
                let read = |state: &tidebook_ledger::LedgerState| {
                    let balance = state.balances_of(id).get(&currency).copied().unwrap_or(0);
                    // What is edited takes the place of what it was.
                    let own = fields.edited.and_then(|id| state.transaction(id)).filter(|it| !it.deleted);
                    let own = own.filter(|own| own.contact == id && own.currency == currency);
                    let others = balance - own.map_or(0, Transaction::signed_amount);
                    Some((state.contact(id)?.name.clone(), others))
                };
                store.view(read).flatten()?
            }
        };
        Some((name, direction, amount, currency, before + direction.signed(amount)))
    });
    let direction = text(move || fields.direction.get().to_string());
    let hidden = flag(move || understood.with(Option::is_none));
    view! {
        <output id="amount-echo" class="echo" for="amount" data-direction=direction hidden=hidden>
            {part(move || understood.get().map(|(name, direction, amount, currency, then)| {
                let sum = format::money(i128::from(amount), currency).unsigned();
                let typed = fields.amount.get();
                view! {
                    <span>{sentence(&name, direction)}<b class="amt">{sum}</b></span>
                    {typed.contains('+').then(|| view! { <span class="amt quiet">{spaced(&typed)}</span> })}
                    <span class="then">
                        "Then "
                        <b class="amt">{format::money(then, currency).signed()}</b>
                        " in all"
                    </span>
                }
            }))}
        </output>
    }
}

/// What stands before the amount: "Ana owes you €20.50", "You owe Ana €20.50".
fn sentence(name: &str, direction: Direction) -> String {
    match (direction, name) {
        (Direction::Gave, "") => "You are owed ".into(),
        (Direction::Got, "") => "You owe ".into(),
        (Direction::Gave, name) => format!("{name} owes you "),
        (Direction::Got, name) => format!("You owe {name} "),
    }
}

/// "12 + 8.50"
fn spaced(typed: &str) -> String {
    typed.split('+').map(str::trim).collect::<Vec<_>>().join(" + ")
}

/// A field with nothing special about it.
fn plain_field(
    id: &'static str,
    error_id: &'static str,
    label: &'static str,
    kind: &'static str,
    content: Watched<String>,
    fault: Derived<Option<String>>,
) -> Drawn {
    view! {
        <div class="field">
            <label class="label" for=id>{label}</label>
            <input
                id=id
                type=kind
                autocomplete="off"
                prop:value=text(move || content.get())
                on:input=value(move |typed| content.set(typed))
                aria-describedby=error_id
                aria-invalid=attr(move || fault.with(Option::is_some).then_some("true"))
            />
            {field_error(error_id, move || fault.get())}
        </div>
    }
}

fn more(fields: Fields) -> Drawn {
    // A fault in a field that nobody sees would be no help.
    effect(move || {
        let is_hidden_fault = fields.faults.with(|faults| faults.date.is_some() || faults.due.is_some());
        if let Some(more) = query("#sheet details").filter(|_| is_hidden_fault) {
            // Fails only for names that attributes cannot have.
            let _ = more.set_attribute("open", "");
        }
    });
    view! {
        <details class="more">
            <summary id="more">{icon("down")}"More: date, due"</summary>
            <div class="field-row">
                {plain_field("date", "date-error", "Date", "date", fields.date, fields.fault(|faults| &faults.date))}
                {plain_field("due", "due-error", "Due", "date", fields.due, fields.fault(|faults| &faults.due))}
            </div>
        </details>
    }
}

/// Once the faults are drawn, the person is at the first of them.
fn focus_first_fault() {
    crate::app::driver::after_ms(0, || {
        browser::focus(query("#sheet .field:has(.error) input"));
    });
}
