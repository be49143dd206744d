//! Washes the rows that somebody else just changed.

use tidebook_ledger::Touched;
use web_sys::HtmlElement;

use crate::app::browser::{query, set_class};
use crate::app::driver::after_ms;
use crate::app::store::Store;
use crate::app::watched::effect;

const FLASH_MS: i32 = 1_000;

/// When more rows change at once nothing stands out, and flashing would only flicker.
const ROWS_MAX: usize = 40;

pub(crate) fn start(store: Store) {
    effect(move || {
        let flash = store.flash.get();
        if flash.rows.len() > ROWS_MAX {
            return;
        }
        // The rows are drawn first.
        after_ms(0, move || flash.rows.iter().filter_map(row_of).for_each(wash));
    });
}

fn row_of(touched: &Touched) -> Option<HtmlElement> {
    match touched {
        Touched::Contact(id) => query(&format!("[data-contact='{id}']")),
        Touched::Transaction(id) => query(&format!("[data-transaction='{id}']")),
        Touched::Book | Touched::Conflict(_) => None,
    }
}

fn wash(row: HtmlElement) {
    set_class(&row, "row-flash", true);
    after_ms(FLASH_MS, move || set_class(&row, "row-flash", false));
}
