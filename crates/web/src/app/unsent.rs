//! What a person wrote that is not in its book: in words, and as a file.

use reactive_graph::owner::expect_context;
use serde::Serialize;
use tidebook_book::{BookId, MutationId, read_by_name};
use tidebook_ledger::{Ledger, LedgerOp, cause_of};
use tidebook_replica::{BookCopy, Rejection, SyncStatus};
use wasm_bindgen::JsCast;
use web_sys::{Blob, HtmlAnchorElement, Url};

use crate::app::browser::element;
use crate::app::drawn::{Drawn, click, view};
use crate::app::driver::{after_ms, sentence, spawn};
use crate::app::op_words::op_words;
use crate::app::parts::icon;
use crate::app::store::{BookItem, Store};
use crate::unsent_file::{UnsentOf, file_text};

/// A book that the person is no longer in. Kept on the device until they have dealt with it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Lost {
    pub(crate) book: BookId,
    pub(crate) name: String,
    /// What they wrote that never came into it, in words.
    pub(crate) unsent: Vec<String>,
    /// The same as a file.
    pub(crate) file: String,
}

read_by_name!(Lost { book, name, unsent; file });

/// What a person has to decide on: a change the book did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedChange {
    pub(crate) mutation: MutationId,
    pub(crate) ops: Vec<String>,
    pub(crate) reason: String,
}

/// How many waiting changes a list names; beyond that only their number is told.
const NAMED_MAX: usize = 50;

/// How long the browser may take to begin to write a file.
const FILE_TAKEN_WITHIN_MS: i32 = 60_000;

impl Store {
    /// All that is not in its book, of all the person's books.
    pub(crate) async fn all_unsent(self) -> Vec<UnsentOf> {
        let mut all = Vec::new();
        let Some(driver) = self.driver() else { return all };
        for BookItem { id, name, .. } in self.books.get_untracked() {
            all.push(UnsentOf { book: id, name, unsent: driver.unsent_in(id).await });
        }
        all
    }

    /// Follows those books too that are not open and in which something waits: it is to be sent.
    pub(crate) async fn send_what_waits(self) {
        for UnsentOf { book, unsent, .. } in self.all_unsent().await {
            if let Some(driver) = self.driver().filter(|_| !unsent.is_empty()) {
                driver.open_book(book);
            }
        }
    }

    /// Gives the person a file of what is not in its book.
    pub(crate) fn save_unsent(self, text: &str) {
        let name = format!("tidebook-unsent-{}.json", self.today.get_untracked());
        if save_file(&name, text).is_none() {
            self.say("This browser does not save files");
        }
    }

    /// Whether something waits here that is to go elsewhere. What is on its way does not wait, and what is in a book without
    /// an account is where it belongs.
    pub(crate) fn waits_here(self) -> bool {
        matches!(self.status.get(), SyncStatus::Offline(1..) | SyncStatus::NeedsAttention(_)) && !self.is_alone()
    }

    /// What waits in the open book, in words, and how much more there is than that.
    pub(crate) fn waiting_words(self) -> (Vec<String>, usize) {
        if !self.waits_here() {
            return Default::default();
        }
        let words = |copy: &BookCopy<Ledger>| {
            let mut waiting = copy.pending().filter(|pending| !pending.is_withdrawn());
            let state = &copy.view().domain;
            let in_words = |ops: &[LedgerOp]| ops.iter().map(|op| op_words(op, state)).collect::<Vec<_>>().join("; ");
            let named = waiting.by_ref().take(NAMED_MAX).map(|pending| in_words(&pending.mutation.ops)).collect();
            (named, waiting.count())
        };
        self.copy(words).unwrap_or_default()
    }
}

/// The button that gives people what is not in its book as a file.
pub(crate) fn save_button() -> Drawn {
    let store = expect_context::<Store>();
    save_button_for(move || spawn(async move { store.save_unsent(&file_text(&store.all_unsent().await)) }))
}

/// The same button, for what `save` saves.
pub(crate) fn save_button_for(save: impl Fn() + 'static) -> Drawn {
    view! {
        <button class="btn btn-line" type="button" data-save-unsent on:click=click(save)>
            {icon("export")}
            "Save as a file"
        </button>
    }
}

/// Gives a text to the person as a file. None where the browser has no way to.
fn save_file(name: &str, text: &str) -> Option<()> {
    let blob = Blob::new_with_str_sequence(&js_sys::Array::of1(&text.into())).ok()?;
    let address = Url::create_object_url_with_blob(&blob).ok()?;
    let link: HtmlAnchorElement = element("a", &[("href", &address), ("download", name)]).dyn_into().ok()?;
    link.click();
    // It stands for the whole text: it goes once the browser has taken it.
    after_ms(FILE_TAKEN_WITHIN_MS, move || drop(Url::revoke_object_url(&address)));
    Some(())
}

/// What of a copy never came into its book.
pub(super) fn unsent_words(copy: &BookCopy<Ledger>) -> Vec<String> {
    let state = &copy.view().domain;
    let rejected = copy.rejections().iter().map(|rejection| &rejection.mutation.ops);
    let ops = rejected.chain(copy.pending().map(|pending| &pending.mutation.ops));
    ops.flatten().map(|op| op_words(op, state)).collect()
}

pub(super) fn rejected_changes(copy: &BookCopy<Ledger>) -> Vec<RejectedChange> {
    let all = copy.rejections();
    let words = |ops: &[LedgerOp]| -> Vec<String> { ops.iter().map(|op| op_words(op, &copy.view().domain)).collect() };
    let rejected = all.iter().map(|Rejection { mutation, rejected, .. }| {
        let cause = cause_of(rejected, &mutation.ops, all.iter().map(|other| &*other.mutation.ops));
        let mut reason = sentence(&rejected.detail);
        if let Some(cause) = cause {
            reason += &format!(" It needs “{}”, which was not accepted.", words(&all[cause].mutation.ops).join("; "));
        }
        RejectedChange { mutation: mutation.id, ops: words(&mutation.ops), reason }
    });
    rejected.collect()
}
