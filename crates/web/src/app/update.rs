//! A new version of the app: the service worker keeps one build for all its pages, and a person says when the next one
//! takes its place.

use reactive_graph::owner::expect_context;
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, ServiceWorkerContainer, ServiceWorkerRegistration, ServiceWorkerState};

use crate::app::browser::{document, listen, window};
use crate::app::drawn::{Drawn, click, text, view, when};
use crate::app::driver::{after_ms, now, spawn};
use crate::app::parts::icon;
use crate::app::store::Store;
use crate::app::watched::Watched;

/// The browser asks for a new version at each load; a page that stays open asks when somebody comes back to it, at most
/// so often.
const ASKED_EVERY_MS: i64 = 3_600_000;

/// Where the worker stands, once a new version is ready there.
type Ready = Watched<Option<SendWrapper<ServiceWorkerRegistration>>>;

pub(crate) fn banner() -> Drawn {
    let store = expect_context::<Store>();
    let ready = Ready::new(None);
    // The first screen goes before: the worker has all the time in the world.
    after_ms(0, move || spawn(follow(ready)));
    // What somebody is writing is not saved: there is time until they are done.
    let is_shown = move || ready.with(Option::is_some) && store.sheet.with(Option::is_none);
    view! {
        <div role="status">
            {when(is_shown, move || view! {
                <div id="new-version" class="banner update">
                    {icon("retry")}
                    <div>
                        <strong>"A new version is ready."</strong>
                        <span aria-live="off">{text(move || state(store.unsaved_now.get()))}</span>
                    </div>
                    {when(move || store.unsaved_now.get() == 0, move || view! {
                        <button id="reload" class="btn btn-quiet" type="button" on:click=click(move || take(ready))>
                            "Reload"
                        </button>
                    })}
                </div>
            })}
        </div>
    }
}

/// What would become of the person's changes. It comes and goes with each of them, and so is not read out each time.
fn state(unsaved: usize) -> String {
    match unsaved {
        0 => " Your data is saved.".into(),
        1 => " One change is still only in this window: reload once it is sent.".into(),
        more => format!(" {more} changes are still only in this window: reload once they are sent."),
    }
}

/// Registers the worker where the browser has them for this page: not without TLS. The app works without one as well,
/// so nobody is told of a failure.
async fn follow(ready: Ready) {
    let workers = js_sys::Reflect::get(&window().navigator(), &"serviceWorker".into()).unwrap_or_default();
    if workers.is_undefined() {
        return;
    }
    let workers: ServiceWorkerContainer = workers.unchecked_into();
    let Ok(registration) = JsFuture::from(workers.register("/sw.js")).await else { return };
    let registration = SendWrapper::new(registration.unchecked_into::<ServiceWorkerRegistration>());
    if registration.waiting().is_some() {
        ready.set(Some(registration.clone()));
    }
    wait_for_installed(&registration, ready);
    let found = registration.clone();
    listen(&registration, "updatefound", move |_: Event| wait_for_installed(&found, ready));
    ask_now_and_then(registration);
}

/// The first worker there is needs nobody's leave; another has a new version.
fn wait_for_installed(registration: &SendWrapper<ServiceWorkerRegistration>, ready: Ready) {
    let Some(new) = registration.installing().filter(|_| registration.active().is_some()) else { return };
    let (registration, seen) = (registration.clone(), new.clone());
    listen(&new, "statechange", move |_: Event| {
        if seen.state() == ServiceWorkerState::Installed {
            ready.set(Some(registration.clone()));
        }
    });
}

fn ask_now_and_then(registration: SendWrapper<ServiceWorkerRegistration>) {
    let mut asked = now();
    listen(&document(), "visibilitychange", move |_: Event| {
        if document().hidden() || now().0 - asked.0 < ASKED_EVERY_MS {
            return;
        }
        asked = now();
        if let Ok(answer) = registration.update() {
            // Without a network there is no answer, and no new version.
            spawn(async { drop(JsFuture::from(answer).await) });
        }
    });
}

/// Lets the new worker take over, and reloads once it does. Where another window has let it, a reload is all there is
/// left to do.
fn take(ready: Ready) {
    let Some(waiting) = ready.with_untracked(|ready| ready.as_ref().and_then(|it| it.waiting())) else {
        return reload();
    };
    // `controllerchange` would tell the same, but not to a page that no worker controls: one of a first visit.
    listen(&waiting, "statechange", |_: Event| reload());
    let message = js_sys::Object::new();
    // Neither fails: the object is new, and the message is plain.
    let _ = js_sys::Reflect::set(&message, &"type".into(), &"take-over".into());
    let _ = waiting.post_message(&message);
}

fn reload() {
    // Fails only for pages that may not navigate.
    let _ = window().location().reload();
}
