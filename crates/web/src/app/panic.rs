//! When the app breaks: a panel that says so, with the way out.

use std::cell::Cell;

use crate::app::browser::{document, window};

thread_local! {
    static IS_SHOWN: Cell<bool> = const { Cell::new(false) };
}

/// From now on a panic shows a panel. It is made of plain markup and a plain link, for nothing of the app can be
/// relied on once it is there.
pub(crate) fn show_a_way_out() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
        if !IS_SHOWN.replace(true) {
            show();
        }
    }));
}

fn show() {
    let Ok(panel) = document().create_element("div") else { return };
    panel.set_inner_html(
        "<div class=\"banner broken\" data-kind=\"failed\" role=\"alert\">\
         <svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-alert\"></use></svg>\
         <div><strong>Something broke.</strong> Reload: what was synced is safe.</div>\
         <a class=\"btn btn-quiet\" target=\"_self\">Reload</a></div>",
    );
    if let (Ok(Some(link)), Ok(here)) = (panel.query_selector("a"), window().location().pathname()) {
        // Fails only for names that attributes cannot have.
        let _ = link.set_attribute("href", &here);
    }
    if let Some(body) = document().body() {
        let _ = body.append_child(&panel);
    }
}
