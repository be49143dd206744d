//! `/api/v1/accounts/me`: who the caller is, and changing that.

use axum::extract::State;
use axum::response::Response;
use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidebook_book::{MemberChange, Role, UserId};

use super::sign_up::check_name;
use super::{Accounts, User};
use crate::book::{PurgeBy, Purged};
use crate::books::BookParts;
use crate::books::members;
use crate::extract::Body;
use crate::openapi::schema::ProblemSchema;
use crate::password;
use crate::problem::Problem;
use crate::session::Signed;

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Me {
    user: User,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Rename {
    name: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewPassword {
    current: String,
    new: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Farewell {
    password: String,
}

/// Who the caller is.
#[utoipa::path(get, path = "/api/v1/accounts/me", tag = "accounts", responses((status = 200, body = Me)))]
pub(super) async fn show(State(parts): State<BookParts>, signed: Signed) -> Result<Json<Me>, Problem> {
    Ok(Json(me(&parts.accounts, signed.user).await?))
}

/// Another name; those who share a book are told.
#[utoipa::path(patch, path = "/api/v1/accounts/me", tag = "accounts", request_body = Rename, responses((status = 200, body = Me)))]
pub(super) async fn rename(
    State(parts): State<BookParts>,
    signed: Signed,
    Body(Rename { name }): Body<Rename>,
) -> Result<Json<Me>, Problem> {
    check_name(&name)?;
    let store = parts.store.clone();
    let rename = async move { store.rename_account(signed.user, name).await.map(|_| Vec::new()) };
    parts.accounts.change(rename).await?;
    parts.books.person_renamed(signed.user).await?;
    Ok(Json(me(&parts.accounts, signed.user).await?))
}

/// Gone between the check of the session and here: then the session is gone too.
async fn me(accounts: &Accounts, user: UserId) -> Result<Me, Problem> {
    let account = accounts.store.account(user).await?.ok_or_else(Problem::unauthenticated)?;
    Ok(Me { user: account.into() })
}

/// A new password ends all other sessions: whoever had the old one is out.
#[utoipa::path(put, path = "/api/v1/accounts/me/password", tag = "accounts", request_body = NewPassword, responses((status = 204), (status = 429, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn change_password(
    State(parts): State<BookParts>,
    signed: Signed,
    Body(NewPassword { current, new }): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let accounts = &parts.accounts;
    check_password(accounts, &signed, current).await?;
    password::check_strength(&new)?;
    let hash = accounts.passwords.hash(new).await?;
    let store = parts.store.clone();
    accounts.change(async move { store.set_password(signed.user, hash, Some(signed.session)).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the person. Books that others share stay, without their name; books of theirs alone go with them.
#[utoipa::path(delete, path = "/api/v1/accounts/me", tag = "accounts", request_body = Farewell, responses((status = 204), (status = 409, body = ProblemSchema, content_type = "application/problem+json"), (status = 429, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn delete(
    State(parts): State<BookParts>,
    signed: Signed,
    Body(Farewell { password }): Body<Farewell>,
) -> Result<Response, Problem> {
    let accounts = &parts.accounts;
    check_password(accounts, &signed, password).await?;
    let alone = parts.store.sole_member_books(signed.user).await?;
    let memberships = parts.store.memberships(signed.user).await?;
    let shared: Vec<_> = memberships.into_iter().filter(|(book, _)| !alone.contains(book)).collect();
    // Before anything is done: a book they alone own, with others in it, needs another owner first.
    for (book, role) in &shared {
        let members = parts.store.members(*book).await?;
        let owners = members.iter().filter(|member| member.role == Role::Owner).count();
        if *role == Role::Owner && owners == 1 {
            return Err(last_owner());
        }
    }
    for (book, _) in shared {
        let access = parts.books.access(signed.user, book).await?;
        members::change(&access, &signed, MemberChange::Removed { user: signed.user }).await?;
    }
    for book in alone {
        // Somebody may have come in meanwhile.
        if parts.books.purge(book, PurgeBy::OnlyMember(signed.user)).await? == Purged::NotAllowed {
            return Err(last_owner());
        }
    }
    let (store, user) = (parts.store.clone(), signed.user);
    accounts.change(async move { store.delete_account(user).await }).await?;
    parts.books.person_renamed(signed.user).await?;
    Ok(super::devices::ended(accounts, &signed, signed.session))
}

fn last_owner() -> Problem {
    let detail = "A book you share has no other owner; make somebody else one first, or remove the book.";
    Problem::new(StatusCode::CONFLICT, "last_owner", detail)
}

/// A session may be left open on a desk: what cannot be taken back asks for the password again.
async fn check_password(accounts: &Accounts, signed: &Signed, stated: String) -> Result<(), Problem> {
    let account = accounts.store.account(signed.user).await?.ok_or_else(Problem::unauthenticated)?;
    accounts.limit_password(signed.user)?;
    if accounts.passwords.verify(stated, account.password_hash).await? {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "bad_credentials", "This is not your password."))
}
