//! Before a book is open: signing in or up, the first book, and a server that does not answer.

use reactive_graph::owner::expect_context;
use web_sys::SubmitEvent;

use crate::app::alone;
use crate::app::browser::{by_id, event_target_checked, focus};
use crate::app::drawn::{Drawn, attr, click, flag, part, text, value, view, when};
use crate::app::driver::{HttpError, after_ms, spawn};
use crate::app::format;
use crate::app::frame::try_again;
use crate::app::parts::{avatar, error_line, field_error, icon};
use crate::app::session::{self, Credentials};
use crate::app::small_forms::book_fields;
use crate::app::store::{Phase, Store};
use crate::app::watched::{Derived, Watched, memo};
use crate::chip::Waits;

const PASSWORD_CHARS_MIN: usize = 8;

/// What is wrong, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Faults {
    name: Option<String>,
    email: Option<String>,
    password: Option<String>,
    setup_code: Option<String>,
    /// Of no field.
    general: Option<String>,
}

/// What is in the form.
#[derive(Clone, Copy)]
struct Fields {
    is_new: Watched<bool>,
    name: Watched<String>,
    email: Watched<String>,
    password: Watched<String>,
    setup_code: Watched<String>,
    /// The server said that it wants one.
    wants_setup_code: Watched<bool>,
    faults: Watched<Faults>,
    is_busy: Watched<bool>,
    /// What was written on this device without an account comes along.
    brings: Watched<bool>,
}

/// A book at once, or an account: who never was here begins with the one, who was with the other.
pub(crate) fn welcome() -> Drawn {
    let store = expect_context::<Store>();
    let is_known = store.was_here.get_untracked() || store.is_alone() || store.invite.with_untracked(Option::is_some);
    let signs = Watched::new(is_known);
    view! {
        <Words>
            {part(move || if signs.get() { sign_form(signs) } else { start_form(signs) })}
        </Words>
    }
}

/// A book without an account: the one on this device, or a new one.
fn start_form(signs: Watched<bool>) -> Drawn {
    let store = expect_context::<Store>();
    let form = match store.alone.get_untracked() {
        Some(alone) => {
            let words = format!("Open “{}”", alone.book.name);
            let open = move || spawn(alone::open(store, alone.clone()));
            view! {
                <div class="btn-row">
                    <button id="open-alone" class="btn btn-solid" type="button" on:click=click(open)>{words}</button>
                </div>
            }
        }
        None => book_fields("Name your first book", "Start writing"),
    };
    view! {
        <form id="first-book" novalidate on:submit=|event| event.prevent_default()>
            {form}
            <p class="small quiet">
                "No account needed; it stays on this device until you want it elsewhere. "
                <button id="to-sign" class="text-link" type="button" on:click=click(move || signs.set(true))>
                    "Sign in"
                </button>
            </p>
            <Example/>
        </form>
    }
}

/// What a line looks like, until there are one's own.
fn example() -> Drawn {
    let is_there = Watched::new(true);
    let euros = |amount| format::money(amount, format::home_currency()).signed();
    view! {
        <div>
            {when(move || is_there.get(), move || view! {
                <ul class="rows example" aria-label="An example">
                    <li>
                        <div class="row row-4">
                            {avatar("Robin Example")}
                            <span class="row-main">
                                <span class="row-name">"Robin, an example"</span>
                                <span class="row-sub"><span>"Lunch, so that the page is not blank"</span></span>
                            </span>
                            <span class="row-end">
                                <data class="amt is-owed" value="1200">{euros(1200)}</data>
                                <span class="word">"owes you"</span>
                            </span>
                            <button
                                class="icon-btn"
                                type="button"
                                aria-label="Remove the example"
                                on:click=click(move || is_there.set(false))
                            >
                                {icon("close")}
                            </button>
                        </div>
                    </li>
                </ul>
            })}
        </div>
    }
}

fn sign_form(signs: Watched<bool>) -> Drawn {
    let store = expect_context::<Store>();
    let fields = Fields {
        is_new: Watched::new(!store.was_here.get_untracked()),
        name: Watched::new(String::new()),
        email: Watched::new(String::new()),
        password: Watched::new(String::new()),
        setup_code: Watched::new(String::new()),
        wants_setup_code: Watched::new(false),
        faults: Watched::new(Faults::default()),
        is_busy: Watched::new(false),
        brings: Watched::new(store.is_alone()),
    };
    let unsent = if store.is_alone() { 0 } else { store.unsent() };
    let back = move || if store.is_alone() { store.phase.set(Phase::Open) } else { signs.set(false) };
    view! {
        <div>
            {(unsent > 0).then(|| view! {
                <div class="banner" data-kind="failed">
                    {icon("alert")}
                    <div><strong>"You were signed out."</strong>{waiting_words(unsent, store.waits())}</div>
                </div>
            })}
            {store.invite.with_untracked(Option::is_some).then(|| view! {
                <div class="banner" role="status">
                    {icon("invite")}
                    <div><strong>"You are invited into a book."</strong>" Create an account or sign in, and it opens."</div>
                </div>
            })}
            <form id="sign" novalidate on:submit=move |event: SubmitEvent| {
                event.prevent_default();
                send(store, fields);
            }>
                <Mode is_new=fields.is_new faults=fields.faults/>
                <GeneralFault faults=fields.faults/>
                {when(move || fields.is_new.get(), move || view! {
                    <Field id="name" label="Your name" kind="text" autocomplete=memo(|| "name") content=fields.name
                        fault=memo(move || fields.faults.with(|faults| faults.name.clone()))/>
                })}
                <Field id="email" label="E-mail" kind="email" autocomplete=memo(|| "username") content=fields.email
                    fault=memo(move || fields.faults.with(|faults| faults.email.clone()))/>
                <Password fields/>
                {when(move || fields.is_new.get() && fields.wants_setup_code.get(), move || view! {
                    <Field id="setup-code" label="Setup code" kind="text"
                        autocomplete=memo(|| "off") content=fields.setup_code
                        fault=memo(move || fields.faults.with(|faults| faults.setup_code.clone()))/>
                })}
                {store.is_alone().then(|| bring_switch(store, fields.brings))}
                <div class="btn-row">
                    <button
                        id="submit"
                        class="btn btn-solid"
                        type="submit"
                        aria-disabled=attr(move || fields.is_busy.get().then_some("true"))
                    >
                        {text(move || if fields.is_new.get() { "Create account" } else { "Sign in" }.into())}
                    </button>
                    <button id="without" class="btn btn-quiet" type="button" on:click=click(back)>
                        {if store.is_alone() { "Back to the book" } else { "Write without an account" }}
                    </button>
                </div>
            </form>
        </div>
    }
}

/// Asks before anything of this device goes into an account.
fn bring_switch(store: Store, brings: Watched<bool>) -> Drawn {
    view! {
        <label class="set-row">
            <span class="row-main">
                <span>{format!("Bring “{}” along", store.book_name())}</span>
                <span class="small">"Everything in it goes into your account. Otherwise it stays on this device."</span>
            </span>
            <input
                id="bring"
                class="switch"
                type="checkbox"
                role="switch"
                checked=true
                on:change=move |event| brings.set(event_target_checked(&event))
            />
        </label>
    }
}

/// The welcome page's look: the words, and beside them what is asked for.
fn words(form: Drawn) -> Drawn {
    view! {
        <main id="main" class="welcome">
            <svg class="gauge gauge-wide" viewBox="0 0 1200 96" preserveAspectRatio="xMinYMid slice" aria-hidden="true">
                <path d="M0 16H1200M0 80H1200"></path>
                <path class="water" d=format!("M0 48q30 -10 60 0{}", "t60 0".repeat(19))></path>
            </svg>
            <div class="welcome-words">
                <p class="brand">{icon("mark")}"Tidebook"</p>
                <h1 class="welcome-title" tabindex="-1" data-arrival>"One true number between you and everyone."</h1>
                <p class="lead">
                    "Write down what you gave and what you got. Everyone in the book sees the same page, at once."
                </p>
            </div>
            <div class="welcome-form">{form}</div>
        </main>
    }
}

fn mode(is_new: Watched<bool>, faults: Watched<Faults>) -> Drawn {
    let choice = move |choice: bool, id: &'static str, words: &'static str| {
        view! {
            <label>
                <input
                    id=id
                    type="radio"
                    name="mode"
                    prop:checked=flag(move || is_new.get() == choice)
                    on:change=value(move |_| {
                        faults.set(Faults::default());
                        is_new.set(choice);
                    })
                />
                {words}
            </label>
        }
    };
    view! {
        <fieldset class="choice">
            <legend class="unseen">"New here, or back again"</legend>
            {choice(true, "mode-new", "Create account")}
            {choice(false, "mode-back", "Sign in")}
        </fieldset>
    }
}

fn general_fault(faults: Watched<Faults>) -> Drawn {
    let fault = memo(move || faults.with(|faults| faults.general.clone()));
    view! { <div id="sign-error" role="alert">{error_line(fault)}</div> }
}

fn field(
    id: &'static str,
    label: &'static str,
    kind: &'static str,
    autocomplete: Derived<&'static str>,
    content: Watched<String>,
    fault: Derived<Option<String>>,
) -> Drawn {
    let error_id: &'static str = match id {
        "name" => "name-error",
        "email" => "email-error",
        "password" => "password-error",
        _ => "setup-code-error",
    };
    view! {
        <div class="field">
            <label class="label" for=id>{label}</label>
            <input
                id=id
                type=kind
                required
                autocomplete=attr(move || Some(autocomplete.get()))
                aria-describedby=error_id
                aria-invalid=attr(move || fault.with(Option::is_some).then_some("true"))
                prop:value=text(move || content.get())
                on:input=value(move |typed| content.set(typed))
            />
            {field_error(error_id, move || fault.get())}
        </div>
    }
}

fn password(fields: Fields) -> Drawn {
    let autocomplete = memo(move || if fields.is_new.get() { "new-password" } else { "current-password" });
    let is_helped = move || fields.is_new.get() && fields.faults.with(|faults| faults.password.is_none());
    view! {
        <div>
            <Field id="password" label="Password" kind="password" autocomplete content=fields.password
                fault=memo(move || fields.faults.with(|faults| faults.password.clone()))/>
            {when(is_helped, || view! { <p class="help">"8 characters or more."</p> })}
        </div>
    }
}

fn send(store: Store, fields: Fields) {
    let faults = check(fields);
    let is_wrong = faults != Faults::default();
    fields.faults.set(faults);
    if is_wrong || fields.is_busy.get_untracked() {
        return focus_first_fault();
    }
    fields.is_busy.set(true);
    spawn(async move {
        let (path, credentials) = request(store, fields);
        let result = session::sign(store, path, &credentials, fields.brings.get_untracked()).await;
        fields.is_busy.set(false);
        if let Err(error) = result {
            if wants_setup_code(&error) {
                fields.wants_setup_code.set(true);
            }
            fields.faults.set(told(&error));
            focus_first_fault();
        }
    });
}

fn request(store: Store, fields: Fields) -> (&'static str, Credentials) {
    let is_new = fields.is_new.get_untracked();
    let setup_code = fields.setup_code.get_untracked().trim().to_owned();
    let credentials = Credentials {
        email: fields.email.get_untracked().trim().to_owned(),
        password: fields.password.get_untracked(),
        name: is_new.then(|| fields.name.get_untracked().trim().to_owned()),
        setup_code: (is_new && !setup_code.is_empty()).then_some(setup_code),
        invite: store.invite.get_untracked().filter(|_| is_new),
    };
    (if is_new { "/accounts" } else { "/sessions" }, credentials)
}

/// What can be seen to be wrong without asking.
fn check(fields: Fields) -> Faults {
    let is_new = fields.is_new.get_untracked();
    let email = fields.email.get_untracked();
    let is_address = email.trim().split_once('@').is_some_and(|(who, place)| !who.is_empty() && !place.is_empty());
    let length = fields.password.with_untracked(|password| password.chars().count());
    let is_short = if is_new { length < PASSWORD_CHARS_MIN } else { length == 0 };
    let lacks_name = is_new && fields.name.with_untracked(|name| name.trim().is_empty());
    let short_words = if is_new { "A password has at least 8 characters" } else { "Type your password" };
    Faults {
        name: lacks_name.then(|| "Write the name others know you by".into()),
        email: (!is_address).then(|| "Write an address such as ana@example.org".into()),
        password: is_short.then(|| short_words.into()),
        ..Faults::default()
    }
}

fn wants_setup_code(error: &HttpError) -> bool {
    error.code().contains("setup_code")
}

/// What the server said, at the field it is about.
fn told(error: &HttpError) -> Faults {
    let words = Some(error.words());
    match error.code() {
        "email_taken" => Faults {
            email: Some("There is an account with this address. Sign in instead?".into()),
            ..Faults::default()
        },
        "weak_password" => Faults { password: words, ..Faults::default() },
        "bad_credentials" => {
            Faults { general: Some("No account has this address and this password.".into()), ..Faults::default() }
        }
        code if code.contains("setup_code") => Faults { setup_code: words, ..Faults::default() },
        _ => Faults { general: words, ..Faults::default() },
    }
}

fn focus_first_fault() {
    after_ms(0, || {
        let fields = ["name", "email", "password", "setup-code"];
        let wrong = fields.into_iter().filter_map(by_id).find(|field| field.has_attribute("aria-invalid"));
        if wrong.is_some() {
            focus(wrong);
        }
    });
}

fn waiting_words(unsent: usize, waits: Waits) -> String {
    let place = match waits {
        Waits::OnThisDevice | Waits::ForNobody => "on this device",
        Waits::InThisWindow => "in this window",
    };
    match unsent {
        1 => format!(" One change waits {place}: sign in as the same person, and it goes into the book."),
        unsent => format!(" {unsent} changes wait {place}: sign in as the same person, and they go into the book."),
    }
}

pub(crate) fn first_book() -> Drawn {
    view! {
        <Words>
            <form id="first-book" novalidate on:submit=|event| event.prevent_default()>
                <BookFields label="Name your first book" action="Start writing"/>
            </form>
        </Words>
    }
}

pub(crate) fn unreachable() -> Drawn {
    let store = expect_context::<Store>();
    let is_busy = Watched::new(false);
    let retry = move || {
        if !is_busy.get_untracked() {
            is_busy.set(true);
            try_again(store, move || {
                is_busy.set(false);
            });
        }
    };
    view! {
        <Words>
            <div class="banner" data-kind="storage" role="status">
                {icon("offline")}
                <div><strong>"The server does not answer."</strong>" Your book is there, and opens once it does."</div>
                <button
                    id="retry"
                    class="btn btn-quiet"
                    type="button"
                    aria-disabled=attr(move || is_busy.get().then_some("true"))
                    on:click=click(retry)
                >
                    "Try again"
                </button>
            </div>
        </Words>
    }
}
