//! Settings: how it looks, who is signed in, and the way out.

use reactive_graph::owner::expect_context;

use crate::app::browser::{document, event_target_checked, forget, remember, remembered};
use crate::app::drawn::{Drawn, click, part, text, value, view, when};
use crate::app::driver::spawn;
use crate::app::members::members_section;
use crate::app::parts::{avatar, icon};
use crate::app::store::{Phase, Store};
use crate::app::unsent::save_button;
use crate::app::watched::Watched;
use crate::app::{keys, session};
use crate::unsent_file::{count, sign_out_words};

/// Also read by theme.js, before the first paint.
const THEME: &str = "tidebook-theme";

const THEMES: [(&str, &str, &str); 3] =
    [("system", "System", "auto"), ("light", "Light", "sun"), ("dark", "Dark", "moon")];

pub(crate) fn settings() -> Drawn {
    let store = expect_context::<Store>();
    view! {
        <div class="page narrow">
            <header class="page-head"><h1 class="title" tabindex="-1" data-arrival>"Settings"</h1></header>
            <section class="set" aria-labelledby="set-look">
                <h2 class="label" id="set-look">"Look and keys"</h2>
                <div>
                    <div class="set-row"><span class="row-main"><span>"Theme"</span></span><ThemeChoice/></div>
                    <KeysSwitch/>
                </div>
            </section>
            {part(move || if store.is_alone() { no_account(store) } else { with_account() })}
            <section class="set" aria-labelledby="set-about">
                <h2 class="label" id="set-about">"About"</h2>
                <div>
                    <div class="set-row">
                        {icon("mark")}
                        <span class="row-main">
                            <span>"Tidebook "{env!("CARGO_PKG_VERSION")}</span>
                            <span class="small">"A shared ledger of who owes whom"</span>
                        </span>
                    </div>
                </div>
            </section>
        </div>
    }
}

fn with_account() -> Drawn {
    view! {
        <MembersSection/>
        <section class="set" aria-labelledby="set-account">
            <h2 class="label" id="set-account">"Account"</h2>
            <Account/>
        </section>
    }
}

/// A book that is on this device alone, and the way out of that.
fn no_account(store: Store) -> Drawn {
    view! {
        <section class="set" aria-labelledby="set-account">
            <h2 class="label" id="set-account">{text(move || store.book_name())}</h2>
            <div class="set-row">
                {icon("device")}
                <span class="row-main">
                    <span>"On this device alone"</span>
                    <span class="small">"With an account it is on your other devices too, and others can write in it."</span>
                </span>
                <button
                    id="get-account"
                    class="btn btn-line"
                    type="button"
                    on:click=click(move || store.phase.set(Phase::SignedOut))
                >
                    "Account"
                </button>
            </div>
        </section>
    }
}

fn theme_choice() -> Drawn {
    let chosen = remembered(THEME).unwrap_or_else(|| "system".into());
    let choices = THEMES.map(|(theme, words, symbol)| {
        view! {
            <label>
                <input
                    type="radio"
                    name="theme"
                    value=theme
                    checked=chosen == theme
                    on:change=value(move |_| wear(theme))
                />
                {icon(symbol)}
                {words}
            </label>
        }
    });
    view! { <fieldset class="choice"><legend class="unseen">"Theme"</legend>{choices}</fieldset> }
}

fn wear(theme: &str) {
    let Some(page) = document().document_element() else { return };
    // Neither fails: the names are good ones.
    if theme == "system" {
        forget(THEME);
        let _ = page.remove_attribute("data-theme");
    } else {
        remember(THEME, theme);
        let _ = page.set_attribute("data-theme", theme);
    }
}

fn keys_switch() -> Drawn {
    view! {
        <label class="set-row">
            <span class="row-main">
                <span>"Keyboard shortcuts"</span>
                <span class="small">"N new, E edit, / search, ? for all of them"</span>
            </span>
            <input
                id="keys"
                class="switch"
                type="checkbox"
                role="switch"
                checked=keys::are_on()
                on:change=move |event| keys::turn(event_target_checked(&event))
            />
        </label>
    }
}

fn account() -> Drawn {
    let store = expect_context::<Store>();
    // How many changes would be lost, once the person has asked to sign out.
    let lost = Watched::new(0);
    let leave = move || {
        spawn(async move {
            if let Err(error) = session::sign_out(store).await {
                store.say(error.words());
            }
        });
    };
    let pressed = move || {
        spawn(async move {
            lost.set(count(&store.all_unsent().await));
            if lost.get_untracked() == 0 {
                leave();
            }
        });
    };
    let me = part(move || {
        let me = store.me.get();
        me.map(|me| {
            view! {
                {avatar(&me.name)}
                <span class="row-main"><span>{me.name.clone()}</span><span class="small">{me.email}</span></span>
            }
        })
    });
    view! {
        <div>
            <div class="set-row">
                {me}
                <button id="sign-out" class="btn btn-line" type="button" on:click=click(pressed)>"Sign out"</button>
            </div>
            <div role="alert">
                {when(move || lost.get() > 0, move || view! {
                    <div class="banner" data-kind="failed">
                        {icon("alert")}
                        <div><strong>{text(move || sign_out_words(lost.get()))}</strong></div>
                        <div class="btn-row">
                            <button id="stay" class="btn btn-line" type="button" on:click=click(move || lost.set(0))>
                                "Stay"
                            </button>
                            <SaveButton/>
                            <button id="sign-out-anyway" class="btn btn-quiet" type="button" on:click=click(leave)>
                                "Sign out anyway"
                            </button>
                        </div>
                    </div>
                })}
            </div>
        </div>
    }
}
