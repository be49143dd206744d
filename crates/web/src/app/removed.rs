//! No longer in a book: nothing of it is left to see, and what was not sent yet is handed back.

use reactive_graph::owner::expect_context;
use tidebook_book::BookId;

use crate::app::browser::copy;
use crate::app::drawn::{AllDrawn, Draw, Drawn, click, view};
use crate::app::driver::{self, LOST};
use crate::app::parts::icon;
use crate::app::store::{Phase, Store, json};
use crate::app::unsent::{Lost, save_button_for, unsent_words};
use crate::unsent_file::{UnsentOf, file_text};

impl Store {
    /// The person is no longer in the open book: nothing of it stays on the screen, and what of theirs never came into
    /// it is kept apart.
    pub(crate) fn lose(self, book: BookId) {
        let name = self.book_name();
        let unsent = self.copy(unsent_words).unwrap_or_default();
        let of_copy = self.copy(|copy| copy.unsent()).unwrap_or_default();
        let file = file_text(&[UnsentOf { book, name: name.clone(), unsent: of_copy }]);
        self.show_lost(Lost { book, name, unsent, file });
        self.books.update(|books| books.retain(|item| item.id != book));
        self.keep_books();
        if let Some(driver) = self.driver() {
            driver::spawn(driver.keep_only(book, json(&self.lost.get_untracked())));
        }
    }

    /// Tells of a book that the person is no longer in.
    pub(crate) fn show_lost(self, lost: Lost) {
        self.lost.set(Some(lost));
        self.sheet.set(None);
        self.toast.set(None);
        Self::forget_last_book();
        // The screens go before what they show.
        self.phase.set(Phase::Removed);
        self.book.set(None);
        self.look_at_all();
    }

    /// Lets go of a lost book and what was written for it, and goes to the next one. Where somebody let them in again
    /// meanwhile, as another tab may know, it is that book, with what they wrote since.
    pub(crate) fn leave_lost_book(self) {
        let (Some(lost), Some(driver)) = (self.lost.get_untracked(), self.driver()) else { return };
        driver::spawn(async move {
            if let Some(books) = driver.kept_books().await {
                self.books.put(books);
            }
            let back = Some(lost.book).filter(|book| self.is_in(*book));
            if back.is_none() {
                driver.let_go_of(lost.book);
            }
            // First on the device: nobody is to be told of it again.
            driver.keep_fact(LOST, json(&None::<Lost>)).await;
            self.lost.set(None);
            match back.or_else(|| self.first_book()) {
                Some(book) => self.open_book(book),
                None => self.phase.set(Phase::FirstBook),
            }
        });
    }
}

pub(crate) fn removed() -> Drawn {
    let store = expect_context::<Store>();
    let Some(lost) = store.lost.get_untracked() else { return ().drawn() };
    let leave = move || store.leave_lost_book();
    let unsent = lost.unsent.clone();
    let text = unsent.join("\n");
    let kept = match unsent.len() {
        0 => "Nothing of yours was on its way.".into(),
        1 => "One change of yours never came into it. It is kept here, on this device.".into(),
        count => format!("{count} changes of yours never came into it. They are kept here, on this device."),
    };
    let copy_all = move || {
        copy(&text);
        store.say("Copied");
    };
    let rows = unsent.iter().map(|words| {
        view! { <li><div class="row">{icon("wait")}<span class="row-main">{words.clone()}</span></div></li> }
    });
    let rows = rows.all_drawn();
    // An earlier version of the app kept the words alone.
    let save = match lost.file.is_empty() {
        true => ().drawn(),
        false => save_button_for(move || store.save_unsent(&lost.file)),
    };
    let buttons = if unsent.is_empty() {
        view! { <button id="go-on" class="btn btn-solid" type="button" on:click=click(leave)>"Go on"</button> }
    } else {
        view! {
            <button id="copy-unsent" class="btn btn-solid" type="button" on:click=click(copy_all)>"Copy as text"</button>
            {save}
            <button id="discard-unsent" class="btn btn-line btn-danger" type="button" on:click=click(leave)>
                "Discard and go on"
            </button>
        }
    };
    view! {
        <main id="main" class="page narrow removed">
            <p class="brand">{icon("mark")}"Tidebook"</p>
            <h1 class="title" tabindex="-1" data-arrival>{format!("You are no longer in “{}”", lost.name)}</h1>
            <p class="lead">"An owner took you out of this book, or you left it. What is in it is not shown here any more."</p>
            <p>{kept}</p>
            <ul id="unsent" class="rows">{rows}</ul>
            <div class="btn-row">{buttons}</div>
        </main>
    }
}
