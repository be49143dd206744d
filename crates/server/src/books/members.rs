//! `/books/{b}/members`: who is in a book, and changing that.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tidebook_authority::MemberRefusal;
use tidebook_book::{Author, BookId, MemberChange, MutationId, Role, UnixMillis, UserId};
use tidebook_event_store::MemberRow;

use super::archive::not_an_owner;
use super::{BookParts, BookPath};
use crate::book::{Access, Membership, MembershipRefused};
use crate::extract::{Body, PathOf, QueryOf};
use crate::openapi::schema::{ProblemSchema, RoleSchema};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::session::Signed;
use crate::{clock, random};

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Member {
    user: Named,
    #[schema(value_type = RoleSchema)]
    role: Role,
    #[schema(value_type = i64)]
    since_at: UnixMillis,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Named {
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    name: String,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self { user: Named { id: row.user, name: row.name }, role: row.role, since_at: row.since }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct MemberPath {
    book: BookId,
    user: UserId,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct NewRole {
    #[schema(value_type = RoleSchema)]
    role: String,
}

/// Who is in a book.
#[utoipa::path(get, path = "/api/v1/books/{book}/members", tag = "members", params(("book" = uuid::Uuid, Path), PageQuery), responses((status = 200, body = Page<Member>)))]
pub(super) async fn list(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Page<Member>>, Problem> {
    parts.books.access(signed.user, book).await?;
    let members = parts.store.members(book).await?;
    let placed = (0..).zip(members).map(|(place, row)| ((place, 0), Member::from(row)));
    Ok(Json(page.cut(placed)?))
}

/// Gives a member another role.
#[utoipa::path(patch, path = "/api/v1/books/{book}/members/{user}", tag = "members", params(("book" = uuid::Uuid, Path), ("user" = uuid::Uuid, Path)), request_body = NewRole, responses((status = 200, body = Member), (status = 409, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn change_role(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(MemberPath { book, user }): PathOf<MemberPath>,
    Body(NewRole { role }): Body<NewRole>,
) -> Result<Json<Member>, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    let role = parse_role(&role)?;
    change(&access, &signed, MemberChange::RoleChanged { user, role }).await?;
    let members = parts.store.members(book).await?;
    let member = members.into_iter().find(|member| member.user == user).ok_or_else(Problem::not_found)?;
    Ok(Json(member.into()))
}

/// Takes a member out of the book, or leaves it.
#[utoipa::path(delete, path = "/api/v1/books/{book}/members/{user}", tag = "members", params(("book" = uuid::Uuid, Path), ("user" = uuid::Uuid, Path)), responses((status = 204), (status = 409, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn remove(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(MemberPath { book, user }): PathOf<MemberPath>,
) -> Result<StatusCode, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    change(&access, &signed, MemberChange::Removed { user }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes the entry, in the name of the session that asked.
pub(crate) async fn change(access: &Access, signed: &Signed, change: MemberChange) -> Result<(), Problem> {
    let author = Author { user: signed.user, replica: signed.replica };
    let membership = Membership { author, mutation: MutationId(random::uuid(clock::now())), change, invite: None };
    let refused = access.handle.change_members(membership).await?.err();
    match refused {
        None => Ok(()),
        Some(MembershipRefused::Member(refusal)) => Err(refusal_as_problem(refusal, access.role)),
        Some(MembershipRefused::InviteGone) => Err(Problem::invite_gone()),
    }
}

fn refusal_as_problem(refusal: MemberRefusal, role: Role) -> Problem {
    match refusal {
        MemberRefusal::NotAMember | MemberRefusal::NoSuchMember => Problem::not_found(),
        MemberRefusal::NotAnOwner if role == Role::Viewer => Problem::read_only(),
        MemberRefusal::NotAnOwner => not_an_owner(),
        MemberRefusal::LastOwner => Problem::new(
            StatusCode::CONFLICT,
            "last_owner",
            "A book always has an owner; make somebody else one first.",
        ),
    }
}

pub(super) fn parse_role(text: &str) -> Result<Role, Problem> {
    match text {
        "viewer" => Ok(Role::Viewer),
        "editor" => Ok(Role::Editor),
        "owner" => Ok(Role::Owner),
        _ => Err(Problem::invalid_field("role", "A role is `owner`, `editor` or `viewer`.")),
    }
}
