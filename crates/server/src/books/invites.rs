//! `/books/{b}/invites` and `/invites/accept`: letting people into a book with a link.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tidebook_book::{Author, BookId, MemberChange, MutationId, Role, UnixMillis};
use tidebook_event_store::{InviteCreated, InviteRow, NewInvite};
use uuid::Uuid;

use super::archive::require_owner;
use super::members::parse_role;
use super::{BookParts, BookPath};
use crate::book::{InviteUse, Membership, MembershipRefused};
use crate::extract::{Body, PathOf, QueryOf};
use crate::openapi::schema::{ProblemSchema, RoleSchema};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::session::Signed;
use crate::{clock, random};

/// How long an invite stands unless its maker says.
const EXPIRES_IN_S: i64 = 7 * 24 * 60 * 60;
/// And the longest they may say: a year. A link that opens a book should not be forgotten in an old mail for ever.
const EXPIRES_IN_S_MAX: i64 = 365 * 24 * 60 * 60;
/// The most people one link lets in: a club.
const USES_MAX: u32 = 1000;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewInvite)]
pub(super) struct Request {
    #[schema(value_type = RoleSchema)]
    role: String,
    expires_in_s: Option<i64>,
    uses: Option<u32>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Made {
    id: Uuid,
    token: String,
    url: String,
    #[schema(value_type = i64)]
    expires_at: UnixMillis,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Invite {
    id: Uuid,
    #[schema(value_type = RoleSchema)]
    role: Role,
    uses_left: u32,
    #[schema(value_type = i64)]
    expires_at: UnixMillis,
}

#[derive(Debug, Deserialize)]
pub(super) struct InvitePath {
    book: BookId,
    invite: Uuid,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct Token {
    token: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Accepted {
    #[schema(value_type = uuid::Uuid)]
    book: BookId,
    #[schema(value_type = RoleSchema)]
    role: Role,
}

/// Makes an invite. Its token is shown this once.
#[utoipa::path(post, path = "/api/v1/books/{book}/invites", tag = "members", params(("book" = uuid::Uuid, Path)), request_body = Request, responses((status = 201, body = Made), (status = 409, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn create(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    Body(request): Body<Request>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let access = parts.books.access(signed.user, book).await?;
    require_owner(&access)?;
    let now = clock::now();
    let (role, expires_in_s, uses_left) = checked(&request)?;
    let token = random::hex(&random::bytes::<32>());
    let id = random::uuid(now);
    let expires_at = UnixMillis(now.0 + expires_in_s * 1000);
    let token_hash = hash_of(&token);
    let created_by = signed.user;
    let invite = NewInvite { id, book, token_hash, role, uses_left, created_by, created_at: now, expires_at };
    match parts.store.create_invite(invite).await? {
        InviteCreated::New => {
            let url = format!("{}/join#{token}", parts.accounts.origins.public());
            Ok((StatusCode::CREATED, Json(Made { id, token, url, expires_at })))
        }
        InviteCreated::NoSuchBook => Err(Problem::not_found()),
        InviteCreated::TooMany => {
            let detail = "This book has as many invites as it can; revoke some first.";
            Err(Problem::new(StatusCode::CONFLICT, "too_many_invites", detail))
        }
    }
}

fn checked(request: &Request) -> Result<(Role, i64, u32), Problem> {
    let role = parse_role(&request.role)?;
    let expires_in_s = request.expires_in_s.unwrap_or(EXPIRES_IN_S);
    if !(1..=EXPIRES_IN_S_MAX).contains(&expires_in_s) {
        return Err(Problem::invalid_field(
            "expires_in_s",
            format!("An invite stands 1 to {EXPIRES_IN_S_MAX} seconds."),
        ));
    }
    let uses = request.uses.unwrap_or(1);
    if !(1..=USES_MAX).contains(&uses) {
        return Err(Problem::invalid_field("uses", format!("An invite has 1 to {USES_MAX} uses.")));
    }
    Ok((role, expires_in_s, uses))
}

/// Invites that still let somebody in, without their tokens.
#[utoipa::path(get, path = "/api/v1/books/{book}/invites", tag = "members", params(("book" = uuid::Uuid, Path), PageQuery), responses((status = 200, body = Page<Invite>), (status = 403, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Page<Invite>>, Problem> {
    require_owner(&parts.books.access(signed.user, book).await?)?;
    let rows = parts.store.invites_of(book, clock::now()).await?;
    let item =
        |row: InviteRow| Invite { id: row.id, role: row.role, uses_left: row.uses_left, expires_at: row.expires_at };
    Ok(Json(page.cut((0..).zip(rows).map(|(place, row)| ((place, 0), item(row))))?))
}

/// Withdraws an invite.
#[utoipa::path(delete, path = "/api/v1/books/{book}/invites/{invite}", tag = "members", params(("book" = uuid::Uuid, Path), ("invite" = uuid::Uuid, Path)), responses((status = 204)))]
pub(super) async fn revoke(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(InvitePath { book, invite }): PathOf<InvitePath>,
) -> Result<StatusCode, Problem> {
    require_owner(&parts.books.access(signed.user, book).await?)?;
    let was_there = parts.store.revoke_invite(book, invite).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}

/// Joins the book that an invite is for.
#[utoipa::path(post, path = "/api/v1/invites/accept", tag = "members", request_body = Token, responses((status = 200, body = Accepted), (status = 404, body = ProblemSchema, content_type = "application/problem+json"), (status = 410, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn accept(
    State(parts): State<BookParts>,
    signed: Signed,
    Body(Token { token }): Body<Token>,
) -> Result<Json<Accepted>, Problem> {
    let token_hash = hash_of(&token);
    let invite = parts.store.invite_by_token(token_hash).await?.ok_or_else(Problem::invite_gone)?;
    let book = invite.book;
    // Who is in already keeps their role and uses nothing up, also with a link that is used up by now.
    if let Ok(access) = parts.books.access(signed.user, book).await {
        return Ok(Json(Accepted { book, role: access.role }));
    }
    if !stands(&invite) {
        return Err(Problem::invite_gone());
    }
    let handle = parts.books.for_invited(&invite).await?;
    let author = Author { user: signed.user, replica: signed.replica };
    let change = MemberChange::Added { user: signed.user, role: invite.role };
    let (mutation, used) = (MutationId(random::uuid(clock::now())), InviteUse { id: invite.id, token_hash });
    match handle.change_members(Membership { author, mutation, change, invite: Some(used) }).await? {
        Ok(_) => Ok(Json(Accepted { book, role: handle.ring.role_of(signed.user).unwrap_or(invite.role) })),
        Err(MembershipRefused::InviteGone) => Err(Problem::invite_gone()),
        Err(MembershipRefused::Member(_)) => Err(Problem::not_found()),
    }
}

/// Whether somebody could still come in by this invite.
pub(crate) fn stands(invite: &InviteRow) -> bool {
    invite.uses_left > 0 && invite.expires_at > clock::now()
}

/// A fast hash will do: there is nothing to guess in 256 random bits.
pub(crate) fn hash_of(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}
