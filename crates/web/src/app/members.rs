//! Who is in the book: roles, invites, and the way out.

use reactive_graph::owner::expect_context;
use tidebook_book::{Person, Role, UnixMillis, UserId, read_by_name};

use crate::app::browser::copy;
use crate::app::drawn::{AllDrawn, Draw, Drawn, click, part, text, value, view, when};
use crate::app::driver::{Call, HttpError, spawn};
use crate::app::format;
use crate::app::parts::{avatar, icon};
use crate::app::session::Page;
use crate::app::store::Store;
use crate::app::watched::{Watched, memo};

const ROLES: [(Role, &str, &str); 3] =
    [(Role::Owner, "owner", "Owner"), (Role::Editor, "editor", "Editor"), (Role::Viewer, "viewer", "Viewer")];

/// An invite that still lets somebody in.
#[derive(Debug, Clone)]
struct Invite {
    id: String,
    role: Role,
    expires_at: UnixMillis,
}

read_by_name!(Invite { id, role, expires_at });

struct Made {
    url: String,
}

read_by_name!(Made { url });

/// What the section knows beside the store.
#[derive(Clone, Copy)]
struct Members {
    store: Store,
    invites: Watched<Vec<Invite>>,
    /// The link that was just made. Nobody can read it again later.
    link: Watched<Option<String>>,
    /// Whose removal waits for a second word.
    asking: Watched<Option<UserId>>,
    fault: Watched<Option<String>>,
    /// Draws the people again, so that a choice the server refused is not shown as made.
    redraw: Watched<()>,
}

pub(crate) fn members_section() -> Drawn {
    let store = expect_context::<Store>();
    let members = Members {
        store,
        invites: Watched::new(Vec::new()),
        link: Watched::new(None),
        asking: Watched::new(None),
        fault: Watched::new(None),
        redraw: Watched::new(()),
    };
    let is_owner = memo(move || store.role.get() == Some(Role::Owner));
    let people = part(move || {
        members.redraw.track();
        let is_owner = is_owner.get();
        let people = store.people.get().into_iter().filter(|person| person.role.is_some());
        people.map(|person| person_row(members, person, is_owner)).all_drawn()
    });
    view! {
        <section class="set" aria-labelledby="set-book">
            <h2 class="label" id="set-book">{text(move || store.book_name())}</h2>
            <div>
                {people}
                <div role="alert">{part(move || members.fault.get().map(|fault| view! {
                    <p class="error">{icon("alert")}<span>{fault}</span></p>
                }))}</div>
                {when(move || is_owner.get(), move || invites_part(members))}
            </div>
        </section>
    }
}

fn person_row(members: Members, person: Person, is_owner: bool) -> Drawn {
    let Members { store, asking, .. } = members;
    let (id, name) = (person.id, person.name.clone());
    let is_me = store.is_me(id);
    let now = person.role.unwrap_or(Role::Viewer);
    let role = if is_owner {
        let change = value(move |role| {
            let body = format!(r#"{{"role":"{role}"}}"#);
            members.call("PATCH", &format!("/members/{id}"), Some(&body), |_| {});
        });
        let options = options(now);
        let label = format!("Role of {name}");
        view! { <span class="pick"><select aria-label=label on:change=change>{options}</select>{icon("down")}</span> }
            .drawn()
    } else {
        view! { <span class="word">{role_word(now)}</span> }
    };
    let ask = click(move || asking.set(Some(id)));
    let way_out = if is_me {
        view! { <button id="leave-book" class="btn btn-quiet" type="button" on:click=ask>"Leave"</button> }
    } else if is_owner {
        let label = format!("Remove {name}");
        view! { <button class="btn btn-quiet remove" type="button" aria-label=label on:click=ask>"Remove"</button> }
            .drawn()
    } else {
        ().drawn()
    };
    let question = if is_me {
        "You will not see this book any more.".into()
    } else {
        format!("{name} stops seeing this book at once.")
    };
    let action = if is_me { "Leave the book" } else { "Remove" };
    let remove = move || members.call("DELETE", &format!("/members/{id}"), None, move |_| asking.set(None));
    view! {
        <div class="set-row" data-member=id.to_string()>
            {avatar(&person.name)}
            <span class="row-main"><span>{person.name}</span>{is_me.then(|| view! { <span class="small">"You"</span> })}</span>
            {role}
            {way_out}
        </div>
        <div role="alert">
            {when(move || asking.get() == Some(id), move || view! {
                <div class="banner" data-kind="failed">
                    {icon("alert")}
                    <div><strong>{question.clone()}</strong></div>
                    <div class="btn-row">
                        <button id="remove-anyway" class="btn btn-quiet" type="button" on:click=click(remove)>{action}</button>
                        <button class="btn btn-quiet" type="button" on:click=click(move || asking.set(None))>"Cancel"</button>
                    </div>
                </div>
            })}
        </div>
    }
}

fn options(now: Role) -> Vec<Drawn> {
    let option = |(role, value, words)| view! { <option value=value selected=role == now>{words}</option> };
    ROLES.map(option).into()
}

fn role_word(role: Role) -> &'static str {
    ROLES.iter().find(|(known, ..)| *known == role).map_or("", |(.., words)| words)
}

fn invites_part(members: Members) -> Drawn {
    members.fetch_invites();
    let role = Watched::new("editor".to_owned());
    let make = move || {
        let body = format!(r#"{{"role":"{}"}}"#, role.get_untracked());
        members.call("POST", "/invites", Some(&body), move |text| {
            members.link.set(serde_json::from_str::<Made>(text).ok().map(|made| made.url));
            members.fetch_invites();
        });
    };
    let copy_link = move || {
        copy(&members.link.get_untracked().unwrap_or_default());
        members.store.say("Copied");
    };
    let invites =
        part(move || members.invites.get().into_iter().map(move |invite| invite_row(members, &invite)).all_drawn());
    view! {
        <div class="set-row">
            {icon("invite")}
            <span class="row-main">
                <span>"Invite someone"</span>
                <span class="small">"The link works once and for 7 days"</span>
            </span>
            <span class="pick">
                <select id="invite-role" aria-label="Role of who comes" on:change=value(move |chosen| role.set(chosen))>
                    {options(Role::Editor)}
                </select>
                {icon("down")}
            </span>
            <button id="make-invite" class="btn btn-line" type="button" on:click=click(make)>"Make a link"</button>
        </div>
        {when(move || members.link.with(Option::is_some), move || view! {
            <div class="set-row" role="status">
                <input id="invite-link" readonly aria-label="Invite link" prop:value=text(move || members.link.get().unwrap_or_default())/>
                <button id="copy-invite" class="btn btn-solid" type="button" on:click=click(copy_link)>"Copy"</button>
            </div>
        })}
        {invites}
    }
}

fn invite_row(members: Members, invite: &Invite) -> Drawn {
    let store = members.store;
    let (path, until) = (format!("/invites/{}", invite.id), invite.expires_at);
    let revoke = move || {
        members.call("DELETE", &path, None, move |_| {
            members.link.set(None);
            members.fetch_invites();
        })
    };
    view! {
        <div class="set-row invite">
            {icon("link")}
            <span class="row-main">
                <span>{format!("A link for one {}", role_word(invite.role).to_ascii_lowercase())}</span>
                <span class="small">{text(move || format!("Until {}", format::moment(until, store.today.get())))}</span>
            </span>
            <button class="btn btn-quiet" type="button" on:click=click(revoke)>"Revoke"</button>
        </div>
    }
}

impl Members {
    /// Asks the server for something about the open book; `then` gets its answer.
    fn call(self, method: &'static str, path: &str, body: Option<&str>, then: impl FnOnce(&str) + 'static) {
        let then: Box<dyn FnOnce(&str)> = Box::new(then);
        let Some(book) = self.store.book.get_untracked() else { return };
        let path = format!("/books/{book}{path}");
        let call = match body {
            Some(body) => Call::send(method, &path, body),
            None => Call::delete(&path),
        };
        self.fault.set(None);
        spawn(self.answered(call, then));
    }

    async fn answered(self, call: Call, then: Box<dyn FnOnce(&str)>) {
        match call.text().await {
            Ok(text) => then(&text),
            Err(error) => self.refused(&error),
        }
    }

    fn refused(self, error: &HttpError) {
        self.asking.set(None);
        self.fault.set(Some(error.words()));
        self.redraw.set(());
    }

    fn fetch_invites(self) {
        let Some(book) = self.store.book.get_untracked() else { return };
        spawn(async move {
            if let Ok(page) = Call::get(&format!("/books/{book}/invites")).json::<Page<Invite>>().await {
                self.invites.set(page.items);
            }
        });
    }
}
