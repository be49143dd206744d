//! `POST /books`: a new book, whose first entry says what it is called and who owns it.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tidebook_authority::{Authority, Opening};
use tidebook_book::{Author, BookId, Epoch, MutationId, Role};
use tidebook_event_store::{Created, NewBook};
use tidebook_ledger::{BookFacts, Checked, Currency, Ledger, LedgerChange, name_fault};

use super::{BookItem, BookParts};
use crate::book::append_of;
use crate::extract::Body;
use crate::openapi::schema::ProblemSchema;
use crate::problem::Problem;
use crate::session::Signed;
use crate::{clock, random};

/// What amounts are in where the maker of a book does not say.
const CURRENCY: &str = "EUR";

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewBook)]
pub(super) struct Request {
    #[schema(value_type = Option<uuid::Uuid>)]
    id: Option<BookId>,
    name: String,
    #[schema(value_type = Option<String>)]
    currency: Option<Checked<Currency>>,
}

/// Makes a book; its maker is its owner.
#[utoipa::path(post, path = "/api/v1/books", tag = "books", request_body = Request, responses((status = 201, body = BookItem), (status = 200, body = BookItem, description = "It was made before"), (status = 409, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn handle(
    State(parts): State<BookParts>,
    signed: Signed,
    Body(request): Body<Request>,
) -> Result<(StatusCode, Json<BookItem>), Problem> {
    let now = clock::now();
    let book = request.id.unwrap_or_else(|| BookId(random::uuid(now)));
    let facts = facts_of(request)?;
    let summary = serde_json::to_string(&facts).expect("a name and a currency serialise");
    let owner = Author { user: signed.user, replica: signed.replica };
    let epoch = Epoch(random::uuid(now));
    let created = LedgerChange::BookCreated { name: facts.name, currency: facts.currency };
    let mutation = MutationId(random::uuid(now));
    let batch = Authority::<Ledger>::open(Opening { epoch, at: now, owner, mutation, created });
    let first = tidebook_event_store::Append { summary: Some(summary), ..append_of(book, batch) };

    let new_book = NewBook { book, epoch, created_at: now, first };
    let status = match parts.store.create_book(new_book).await? {
        Created::New => StatusCode::CREATED,
        Created::IdTaken => StatusCode::OK,
    };
    // The same call again by its owner finds the book that the first one made.
    let rows = parts.store.books_of(signed.user).await?;
    match rows.iter().find(|(row, role)| row.id == book && *role == Role::Owner) {
        Some((row, role)) => Ok((status, Json(BookItem::new(row, *role)?))),
        None => Err(Problem::new(StatusCode::CONFLICT, "id_taken", "This id can't be had; take another.")),
    }
}

fn facts_of(request: Request) -> Result<BookFacts, Problem> {
    if let Some(fault) = name_fault(&request.name) {
        return Err(Problem::invalid_field("name", format!("The name {fault}.")));
    }
    let currency = match request.currency {
        None => CURRENCY.parse().expect("the euro is in use"),
        Some(Checked::Valid(currency)) => currency,
        Some(Checked::Wrong(_)) => {
            return Err(Problem::invalid_field("currency", "The currency must be an ISO 4217 code such as EUR."));
        }
    };
    Ok(BookFacts { name: request.name, currency })
}
