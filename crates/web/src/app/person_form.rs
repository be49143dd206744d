//! The form for a person: a name to begin with, and all that is known of them later.

use reactive_graph::owner::expect_context;
use tidebook_ledger::{ConflictId, Contact, ContactId, LedgerOp};
use web_sys::SubmitEvent;

use crate::app::drawn::{AllDrawn, Drawn, attr, click, text, value, view};
use crate::app::driver::new_id;
use crate::app::parts::{error_line, field_error};
use crate::app::router;
use crate::app::store::Store;
use crate::app::watched::{Watched, memo};
use crate::conflict::begin;
use crate::entry::name_fault;
use crate::person::{read_person, texts_of};
use crate::route::Route;

/// How a field beyond the name is written down.
struct Detail {
    id: &'static str,
    label: &'static str,
    kind: &'static str,
}

/// In the order of [`crate::person::FIELDS`], after the name.
const DETAILS: [Detail; 4] = [
    Detail { id: "person-username", label: "Username", kind: "text" },
    Detail { id: "person-phone", label: "Phone", kind: "tel" },
    Detail { id: "person-email", label: "E-mail", kind: "email" },
    Detail { id: "person-note", label: "Note", kind: "text" },
];

/// For somebody new, or for what is known of somebody; where that decides a conflict, it begins with what was offered.
pub(crate) fn person_form(edited: Option<ContactId>, conflict: Option<ConflictId>) -> Drawn {
    let store = expect_context::<Store>();
    let standing = edited.and_then(|id| store.view(|state| state.contact(id).cloned()).flatten());
    let (begun, before) = begin(store.conflict(conflict).as_ref(), standing, Contact::with);
    // What the form shows was read now, whatever comes while it is open.
    let base = store.seen();
    let texts = begun.as_ref().map(texts_of).unwrap_or_default().map(Watched::new);
    let name = texts[0];
    let fault = Watched::new(None);
    let general = Watched::new(None);
    let was_called = name.get_untracked();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let typed = texts.map(Watched::get_untracked);
        fault.set(name_fault(&typed[0]));
        if fault.with_untracked(Option::is_some) {
            return;
        }
        let op = read_person(&typed, before.as_ref(), ContactId(new_id()));
        match store.decide(base, conflict, op.into_iter().collect()) {
            Ok(()) => store.sheet.set(None),
            Err(words) => general.set(Some(words)),
        }
    };
    let details =
        edited.map(|_| DETAILS.into_iter().zip(&texts[1..]).map(|(it, content)| detail(it, *content)).all_drawn());
    let foot = match edited {
        None => view! { <button id="save" class="btn btn-solid" type="submit">"Add person"</button> },
        Some(id) => foot(conflict, move || {
            store.sheet.set(None);
            router::go(store, Route::Contacts);
            let (delete, undo) = (LedgerOp::DeleteContact { id }, LedgerOp::RestoreContact { id });
            store.delete(base, delete, undo, format!("{was_called} is deleted"));
        }),
    };
    view! {
        <form novalidate on:submit=submit>
            <div role="alert">{error_line(memo(move || general.get()))}</div>
            <div class="field">
                <label class="label" for="person-name">"Name"</label>
                <input
                    id="person-name"
                    data-first
                    autocomplete="off"
                    autocapitalize="words"
                    aria-describedby="person-name-error"
                    aria-invalid=attr(move || fault.with(|fault: &Option<String>| fault.is_some()).then_some("true"))
                    prop:value=text(move || name.get())
                    on:input=value(move |typed| name.set(typed))
                />
                {field_error("person-name-error", move || fault.get())}
                <p class="help">"Everyone in the book sees what is written here."</p>
            </div>
            {details}
            <div class="sheet-foot">{foot}</div>
        </form>
    }
}

fn detail(Detail { id, label, kind }: Detail, content: Watched<String>) -> Drawn {
    view! {
        <div class="field">
            <label class="label" for=id>{label}</label>
            <input
                id=id
                type=kind
                autocomplete="off"
                prop:value=text(move || content.get())
                on:input=value(move |typed| content.set(typed))
            />
        </div>
    }
}

/// The buttons of a form that edits something. What two people disagree about is not deleted by the way.
pub(crate) fn foot(conflict: Option<ConflictId>, delete: impl FnMut() + 'static) -> Drawn {
    let delete = conflict.is_none().then(|| {
        view! {
            <button id="delete" class="btn btn-line btn-danger" type="button" on:click=click(delete)>"Delete"</button>
        }
    });
    view! {
        {delete}
        <button id="save" class="btn btn-solid" type="submit">"Save"</button>
    }
}
