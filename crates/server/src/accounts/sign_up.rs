//! `POST /api/v1/accounts`: makes an account and signs it in.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tidebook_book::UserId;
use tidebook_event_store::{AccountCreated, NewAccount};

use super::{Accounts, Delivery, EMAIL_CHARACTERS_MAX, NAME_CHARACTERS_MAX, User, Welcome, email_as_kept, welcome};
use crate::openapi::schema::ProblemSchema;
use crate::{
    books::invites,
    clock,
    config::Signup,
    extract::Body,
    password::{self, WeakPassword},
    problem::Problem,
    random,
};

#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct SignUp {
    email: String,
    password: String,
    name: String,
    invite: Option<String>,
    setup_code: Option<String>,
}

/// Makes an account and signs it in.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = SignUp, responses((status = 201, body = Welcome), (status = 403, body = ProblemSchema, content_type = "application/problem+json"), (status = 409, body = ProblemSchema, content_type = "application/problem+json"), (status = 410, body = ProblemSchema, content_type = "application/problem+json"), (status = 429, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn handle(
    State(accounts): State<Arc<Accounts>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(asked): Body<SignUp>,
) -> Result<Response, Problem> {
    let delivery = Delivery::choose(&accounts.origins, &headers)?;
    accounts.limit_address(caller.ip())?;
    let email = checked_email(&asked.email)?;
    check_name(&asked.name)?;
    let is_first = accounts.store.account_count().await? == 0;
    admit(&accounts, is_first, &asked).await?;
    password::check_strength(&asked.password)?;
    if accounts.store.account_by_email(&email).await?.is_some() {
        return Err(email_taken());
    }
    let password_hash = accounts.passwords.hash(asked.password.clone()).await?;
    let user = create(&accounts, is_first, email, password_hash, asked).await?;
    welcome(&accounts, &headers, delivery, StatusCode::CREATED, user).await
}

/// Whether this person may have an account. The first one always may: a server nobody can enter is no use. An invite is
/// not used up here but by accepting it.
async fn admit(accounts: &Accounts, is_first: bool, asked: &SignUp) -> Result<(), Problem> {
    if is_first {
        return admit_first(accounts, asked);
    }
    match (accounts.signup, &asked.invite) {
        (Signup::Open, _) => Ok(()),
        (Signup::Invite, None) => Err(forbidden("invite_required", "This server takes new people by invite only.")),
        (Signup::Invite, Some(token)) => {
            let invite = accounts.store.invite_by_token(invites::hash_of(token)).await?;
            if invite.is_some_and(|invite| invites::stands(&invite)) { Ok(()) } else { Err(Problem::invite_gone()) }
        }
        (Signup::Closed, _) => Err(forbidden("signup_closed", "This server takes no new people.")),
    }
}

fn admit_first(accounts: &Accounts, asked: &SignUp) -> Result<(), Problem> {
    let Some(code) = &accounts.setup_code else { return Ok(()) };
    if asked.setup_code.as_deref().is_some_and(|stated| code.matches(stated)) {
        return Ok(());
    }
    let detail = "The first account needs the setup code that the server printed when it started.";
    Err(forbidden("setup_code_required", detail))
}

async fn create(
    accounts: &Accounts,
    is_first: bool,
    email: String,
    password_hash: String,
    asked: SignUp,
) -> Result<User, Problem> {
    // Two may have found the server empty; the second waits here and then is not the first.
    let first_account = if is_first { Some(accounts.first_account.lock().await) } else { None };
    let admin = first_account.is_some() && accounts.store.account_count().await? == 0;
    if is_first && !admin {
        admit(accounts, false, &asked).await?;
    }
    let now = clock::now();
    let id = UserId(random::uuid(now));
    let account =
        NewAccount { id, email: email.clone(), name: asked.name.clone(), password_hash, admin, created_at: now };
    match accounts.store.create_account(account).await? {
        AccountCreated::New => Ok(User { id, email, name: asked.name }),
        AccountCreated::EmailTaken => Err(email_taken()),
    }
}

/// Plausible is enough: only a mail that arrives would prove more.
fn checked_email(stated: &str) -> Result<String, Problem> {
    let email = email_as_kept(stated);
    let plausible = email.chars().count() <= EMAIL_CHARACTERS_MAX
        && !email.contains(|character: char| character.is_whitespace() || character.is_control())
        && email
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if plausible { Ok(email) } else { Err(Problem::invalid_field("email", "This is no e-mail address.")) }
}

pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
        let detail = format!("A name has 1 to {NAME_CHARACTERS_MAX} characters.");
        return Err(Problem::invalid_field("name", detail));
    }
    if name.contains(char::is_control) {
        return Err(Problem::invalid_field("name", "A name has no control characters, such as line breaks."));
    }
    Ok(())
}

fn email_taken() -> Problem {
    Problem::new(StatusCode::CONFLICT, "email_taken", "There is an account with this e-mail address; sign in.")
}

fn forbidden(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, detail)
}

impl From<WeakPassword> for Problem {
    fn from(weak: WeakPassword) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", weak.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_trimmed_lower_cased_and_plausible() {
        let long = format!("{}@b.example", "a".repeat(EMAIL_CHARACTERS_MAX - 10));
        let too_long = format!("a{long}");
        let cases = [
            ("ana@tide.example", Some("ana@tide.example")),
            ("  Ana@Tide.Example ", Some("ana@tide.example")),
            ("ÁNA@tide.example", Some("ána@tide.example")),
            ("ana@localhost", Some("ana@localhost")),
            (long.as_str(), Some(long.as_str())),
            (too_long.as_str(), None),
            ("", None),
            ("ana", None),
            ("@tide.example", None),
            ("ana@", None),
            ("ana@b@tide.example", None),
            ("an a@tide.example", None),
            ("ana@tide\u{0}.example", None),
        ];
        for (stated, expected) in cases {
            assert_eq!(checked_email(stated).ok().as_deref(), expected, "{stated}");
        }
    }

    #[test]
    fn a_name_is_one_line_of_text() {
        let cases = [
            ("A", true),
            ("<b>Ana</b> 👩‍🚀", true),
            (&"ä".repeat(NAME_CHARACTERS_MAX), true),
            (&"ä".repeat(NAME_CHARACTERS_MAX + 1), false),
            ("", false),
            (" ", false),
            ("An\na", false),
            ("An\u{7f}a", false),
        ];
        for (name, allowed) in cases {
            assert_eq!(check_name(name).is_ok(), allowed, "{name}");
        }
    }
}
