//! `GET` of records: one, or a page of those that match.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use tidebook_book::BookId;
use tidebook_ledger::{
    Checked, CivilDate, Contact, ContactId, Created, Currency, Direction, LedgerState, RecordRef, Transaction,
    TransactionId,
};

use super::RecordPath;
use super::answer::record;
use crate::books::{BookParts, BookPath};
use crate::extract::{PathOf, QueryOf};
use crate::openapi::schema::{ContactSchema, TransactionSchema};
use crate::page::{Page, PageQuery, Place};
use crate::problem::Problem;
use crate::session::Signed;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ContactQuery {
    /// Found anywhere in a contact's texts, whatever the case.
    q: Option<String>,
    /// Deleted ones too.
    #[serde(default)]
    deleted: bool,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransactionQuery {
    /// Found anywhere in the note, whatever the case.
    q: Option<String>,
    #[serde(default)]
    deleted: bool,
    #[param(value_type = Option<uuid::Uuid>)]
    contact: Option<ContactId>,
    /// The first and the last day.
    #[param(value_type = Option<String>)]
    from: Option<Checked<CivilDate>>,
    #[param(value_type = Option<String>)]
    to: Option<Checked<CivilDate>>,
    #[param(value_type = Option<String>)]
    currency: Option<Checked<Currency>>,
    #[param(value_type = Option<String>)]
    direction: Option<Checked<Direction>>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// One contact, also a deleted one.
#[utoipa::path(get, path = "/api/v1/books/{book}/contacts/{id}", tag = "records", params(("book" = uuid::Uuid, Path), ("id" = uuid::Uuid, Path)), responses((status = 200, body = ContactSchema)))]
pub(crate) async fn contact(
    state: State<BookParts>,
    signed: Signed,
    PathOf(RecordPath { book, id }): PathOf<RecordPath>,
) -> Result<Response, Problem> {
    one(&state, &signed, book, RecordRef::Contact(ContactId(id))).await
}

/// One transaction, also a deleted one.
#[utoipa::path(get, path = "/api/v1/books/{book}/transactions/{id}", tag = "records", params(("book" = uuid::Uuid, Path), ("id" = uuid::Uuid, Path)), responses((status = 200, body = TransactionSchema)))]
pub(crate) async fn transaction(
    state: State<BookParts>,
    signed: Signed,
    PathOf(RecordPath { book, id }): PathOf<RecordPath>,
) -> Result<Response, Problem> {
    one(&state, &signed, book, RecordRef::Transaction(TransactionId(id))).await
}

/// Deleted ones too: an answer says so.
async fn one(parts: &BookParts, signed: &Signed, book: BookId, about: RecordRef) -> Result<Response, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    match access.read(move |now| record(&now.authority.state().domain, about)).await? {
        Value::Null => Err(Problem::not_found()),
        found => Ok(Json(found).into_response()),
    }
}

/// Contacts, in the order they were made in.
#[utoipa::path(get, path = "/api/v1/books/{book}/contacts", tag = "records", params(("book" = uuid::Uuid, Path), ContactQuery), responses((status = 200, body = Page<ContactSchema>)))]
pub(crate) async fn contacts(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    QueryOf(query): QueryOf<ContactQuery>,
) -> Result<Json<Page<Value>>, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let (needle, deleted) = (needle(query.q.as_deref()), query.deleted);
    let cut = access.read(move |now| {
        let state = &now.authority.state().domain;
        let mut found: Vec<(Place, &Contact)> = state
            .contacts()
            .filter(|contact| (deleted || !contact.deleted) && matches_contact(contact, &needle))
            .map(|contact| (place(&contact.created), contact))
            .collect();
        found.sort_by_key(|(place, _)| *place);
        page.cut(found).map(|page| filled(page, |contact| record(state, RecordRef::Contact(contact.id))))
    });
    Ok(Json(cut.await??))
}

/// Transactions, in the order they were made in.
#[utoipa::path(get, path = "/api/v1/books/{book}/transactions", tag = "records", params(("book" = uuid::Uuid, Path), TransactionQuery), responses((status = 200, body = Page<TransactionSchema>)))]
pub(crate) async fn transactions(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    QueryOf(query): QueryOf<TransactionQuery>,
) -> Result<Json<Page<Value>>, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor.clone() };
    let filter = Filter::of(query)?;
    let cut = access.read(move |now| {
        let state = &now.authority.state().domain;
        let mut found: Vec<(Place, &Transaction)> = state
            .transactions()
            .filter(|transaction| filter.takes(state, transaction))
            .map(|transaction| (place(&transaction.created), transaction))
            .collect();
        found.sort_by_key(|(place, _)| *place);
        page.cut(found).map(|page| filled(page, |found| record(state, RecordRef::Transaction(found.id))))
    });
    Ok(Json(cut.await??))
}

/// Records in the order they were made in, which nothing that happens later changes.
fn place(created: &Created) -> Place {
    (created.seq.0, u64::try_from(created.index).unwrap_or(u64::MAX))
}

fn filled<T>(page: Page<&T>, show: impl Fn(&T) -> Value) -> Page<Value> {
    Page { items: page.items.into_iter().map(show).collect(), next_cursor: page.next_cursor }
}

fn needle(q: Option<&str>) -> String {
    q.unwrap_or_default().trim().to_lowercase()
}

fn contains(text: &str, needle: &str) -> bool {
    needle.is_empty() || text.to_lowercase().contains(needle)
}

fn matches_contact(contact: &Contact, needle: &str) -> bool {
    let optional = [&contact.username, &contact.phone, &contact.email, &contact.note];
    contains(&contact.name, needle) || optional.into_iter().flatten().any(|text| contains(text, needle))
}

struct Filter {
    needle: String,
    deleted: bool,
    contact: Option<ContactId>,
    from: Option<CivilDate>,
    to: Option<CivilDate>,
    currency: Option<Currency>,
    direction: Option<Direction>,
}

impl Filter {
    fn of(query: TransactionQuery) -> Result<Self, Problem> {
        Ok(Self {
            needle: needle(query.q.as_deref()),
            deleted: query.deleted,
            contact: query.contact,
            from: valid("from", query.from, "a day as YYYY-MM-DD")?,
            to: valid("to", query.to, "a day as YYYY-MM-DD")?,
            currency: valid("currency", query.currency, "an ISO 4217 code such as EUR")?,
            direction: valid("direction", query.direction, "`gave` or `got`")?,
        })
    }

    /// A deleted contact hides its transactions.
    fn takes(&self, state: &LedgerState, found: &Transaction) -> bool {
        let hidden = found.deleted || state.contact(found.contact).is_none_or(|contact| contact.deleted);
        (self.deleted || !hidden)
            && self.contact.is_none_or(|contact| contact == found.contact)
            && self.from.is_none_or(|from| from <= found.date)
            && self.to.is_none_or(|to| found.date <= to)
            && self.currency.is_none_or(|currency| currency == found.currency)
            && self.direction.is_none_or(|direction| direction == found.direction)
            && (self.needle.is_empty() || found.note.as_ref().is_some_and(|note| contains(note, &self.needle)))
    }
}

fn valid<T>(name: &str, value: Option<Checked<T>>, rule: &str) -> Result<Option<T>, Problem> {
    match value {
        None => Ok(None),
        Some(Checked::Valid(value)) => Ok(Some(value)),
        Some(Checked::Wrong(_)) => Err(Problem::malformed(format!("`{name}` is {rule}."))),
    }
}
