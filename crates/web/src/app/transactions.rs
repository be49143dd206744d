//! All transactions of the book, by month, and the filters over them.

use crate::app::drawn::{Drawn, view};

pub(crate) fn transactions() -> Drawn {
    view! {
        <div class="page">
            <header class="page-head"><h1 class="title" tabindex="-1" data-arrival>"Transactions"</h1></header>
        </div>
    }
}
