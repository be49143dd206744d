//! The app in the browser: it starts here, and shows one of its few phases.
//!
//! From the bottom up: `driver` talks to the server and turns the replica's wheel, `store` is what screens read, and
//! the other modules are screens and their parts.

mod alone;
mod browser;
mod drawn;
mod driver;
mod format;
mod keyed;
mod op_words;
mod panic;
mod parts;
mod router;
mod session;
mod store;
mod unsent;
mod watched;

mod attention;
mod conflict_card;
mod contact_list;
mod contact_page;
mod contact_row;
mod deleted;
mod entry_form;
mod flash;
mod frame;
mod history;
mod keys;
mod ledger_rows;
mod long_list;
mod members;
mod person_form;
mod presence;
mod removed;
mod settings;
mod sheet;
mod small_forms;
mod sync_menu;
mod toast;
mod transaction_page;
mod transactions;
mod update;
mod welcome;
mod who_field;

use reactive_graph::owner::{Owner, expect_context, provide_context};
use wasm_bindgen::JsCast;
use web_sys::BeforeUnloadEvent;

use browser::{by_id, document, focus, listen, query, window};
use drawn::{Draw, Drawn, part, view};
use session::Start;
use store::{Phase, Store};
use watched::{effect, memo};

/// A third of the size of the usual one, and as fast.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Starts the app: finds out who is here, then takes the place of the static shell.
pub fn start() {
    panic::show_a_way_out();
    let invite = router::take_invite();
    driver::spawn(async {
        let start = session::start().await;
        mount(start, invite);
    });
}

fn mount(start: Start, invite: Option<String>) {
    let root = by_id("app").expect("the shell has a place for the app");
    root.set_inner_html("");
    // Fails only where it was done before.
    let _ = any_spawner::Executor::init_wasm_bindgen();
    let owner = Owner::new();
    owner.with(|| {
        let store = Store::new(Phase::SignedOut);
        store.invite.set(invite);
        provide_context(store);
        router::start(store);
        keys::start(store);
        flash::start(store);
        sheet::follow_width();
        listen_to_the_window(store);
        session::arrive(store, start);
        app().put_into(&root);
    });
    // The app lives as long as its page.
    std::mem::forget(owner);
}

fn app() -> Drawn {
    let store = expect_context::<Store>();
    let phase = memo(move || store.phase.get());
    let mut was_drawn = false;
    effect(move || {
        phase.track();
        if was_drawn {
            driver::after_ms(0, || focus(query("#first-book [data-first]").or_else(|| query(router::ARRIVAL))));
        }
        was_drawn = true;
    });
    view! {
        {part(move || match phase.get() {
            Phase::SignedOut => welcome::welcome().drawn(),
            Phase::Unreachable => welcome::unreachable().drawn(),
            Phase::FirstBook => welcome::first_book().drawn(),
            Phase::Open => frame::frame().drawn(),
            Phase::Removed => removed::removed().drawn(),
        })}
        <update::Banner/>
        <toast::Toast/>
    }
}

fn listen_to_the_window(store: Store) {
    listen(&window(), "online", move |_: web_sys::Event| store.connect_now());
    listen(&window(), "offline", move |_: web_sys::Event| {
        if let Some(driver) = store.driver() {
            driver.network_lost();
        }
    });
    listen(&document(), "visibilitychange", move |_: web_sys::Event| {
        store.look_at_the_day();
        if !document().hidden() {
            store.connect_now();
            // A tab that was frozen heard nothing.
            store.driver().into_iter().for_each(|driver| driver.catch_up());
        }
    });
    listen(&window(), "beforeunload", move |event: web_sys::Event| {
        if store.unsaved() > 0 {
            event.prevent_default();
            event.unchecked_into::<BeforeUnloadEvent>().set_return_value("unsent");
        }
    });
}
