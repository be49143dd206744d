//! `POST`, `PATCH`, `DELETE` and `…/restore`: one op each.

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};
use tidebook_authority::Write;
use tidebook_book::{Author, BookId, Entry, HashedId, MutationId, Seq};
use tidebook_ledger::{ContactId, RecordRef, TransactionId};
use uuid::Uuid;

use super::RecordPath;
use super::answer::{compose, refusal, respond};
use crate::book::{Access, RestWrite, RestWritten, WriteAnswer, WriteResult};
use crate::books::{BookParts, BookPath};
use crate::extract::{PathOf, read_json};
use crate::openapi::schema::{
    ConflictSchema, ContactSchema, ContactSetSchema, NewContactSchema, NewTransactionSchema, TransactionSchema,
    TransactionSetSchema,
};
use crate::problem::Problem;
use crate::session::Signed;
use crate::{clock, random};

/// The longest `Idempotency-Key`: a UUID fits several times.
const KEY_CHARACTERS_MAX: usize = 255;

const MUTATION_DOMAIN: &str = "tidebook rest mutation v1";

/// A write before it has an op.
struct Asked {
    parts: BookParts,
    signed: Signed,
    book: BookId,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

/// One op about one record.
struct Asking {
    op: Map<String, Value>,
    about: RecordRef,
    /// The status where all of it took effect.
    done: StatusCode,
    /// Of what the caller sent, to tell a repeat from another request under the same key.
    body_hash: [u8; 32],
}

/// What every write may say beside its body.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read from the headers one by one; this tells the documentation")]
pub(crate) struct WriteHeaders {
    /// A repeat under the same key gets the first answer.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255)]
    idempotency_key: Option<String>,
    /// The seq the edited values were read at; the head where it is left out.
    #[param(rename = "Tidebook-Base")]
    tidebook_base: Option<u64>,
}

type Answer = Result<Response, Problem>;

fn contact(id: Uuid) -> RecordRef {
    RecordRef::Contact(ContactId(id))
}

fn transaction(id: Uuid) -> RecordRef {
    RecordRef::Transaction(TransactionId(id))
}

/// A new contact.
#[utoipa::path(post, path = "/api/v1/books/{book}/contacts", tag = "records", params(("book" = uuid::Uuid, Path), WriteHeaders), request_body = NewContactSchema, responses((status = 201, body = ContactSchema), (status = 409, body = ConflictSchema, content_type = "application/problem+json")))]
pub(crate) async fn create_contact(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(path): PathOf<BookPath>,
    request: Request,
) -> Answer {
    let asked = Asked::new(parts, signed, path.book, &request);
    let op = created("create_contact", request).await?;
    asked.write(op.about(contact, StatusCode::CREATED)).await
}

/// Changes fields of a contact.
#[utoipa::path(patch, path = "/api/v1/books/{book}/contacts/{id}", tag = "records", params(("book" = uuid::Uuid, Path), ("id" = uuid::Uuid, Path), WriteHeaders), request_body = ContactSetSchema, responses((status = 200, body = ContactSchema), (status = 409, body = ConflictSchema, content_type = "application/problem+json")))]
pub(crate) async fn update_contact(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(path): PathOf<RecordPath>,
    request: Request,
) -> Answer {
    let asked = Asked::new(parts, signed, path.book, &request);
    let op = updated("update_contact", path.id, request).await?;
    asked.write(op.about(contact, StatusCode::OK)).await
}

/// Deletes a contact; it can be restored.
#[utoipa::path(delete, path = "/api/v1/books/{book}/contacts/{id}", tag = "records", params(("book" = uuid::Uuid, Path), ("id" = uuid::Uuid, Path), WriteHeaders), responses((status = 200, body = ContactSchema), (status = 409, body = ConflictSchema, content_type = "application/problem+json")))]
pub(crate) async fn delete_contact(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(path): PathOf<RecordPath>,
    request: Request,
) -> Answer {
    let asked = Asked::new(parts, signed, path.book, &request);
    asked.write(named("delete_contact", path.id).about(contact, StatusCode::OK)).await
}

/// Brings a deleted contact back.
#[utoipa::path(post, path = "/api/v1/books/{book}/contacts/{id}/restore", tag = "records", params(("book" = uuid::Uuid, Path), ("id" = uuid::Uuid, Path), WriteHeaders), responses((status = 200, body = ContactSchema), (status = 409, body = ConflictSchema, content_type = "application/problem+json")))]
pub(crate) async fn restore_contact(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(path): PathOf<RecordPath>,
    request: Request,
) -> Answer {
    let asked = Asked::new(parts, signed, path.book, &request);
    asked.write(named("restore_contact", path.id).about(contact, StatusCode::OK)).await
}

/// A new transaction.
#[utoipa::path(post, path = "/api/v1/books/{book}/transactions", tag = "records", params(("book" = uuid::Uuid, Path), WriteHeaders), request_body = NewTransactionSchema, responses((status = 201, body = TransactionSchema), (status = 409, body = ConflictSchema, content_type = "application/problem+json")))]
pub(crate) async fn create_transaction(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(path): PathOf<BookPath>,
    request: Request,
) -> Answer {
    let asked = Asked::new(parts, signed, path.book, &request);
    let op = created("create_transaction", request).await?;
    asked.write(op.about(transaction, StatusCode::CREATED)).await
}

/// Changes fields of a transaction.
#[utoipa::path(patch, path = "/api/v1/books/{book}/transactions/{id}", tag = "records", params(("book" = uuid::Uuid, Path), ("id" = uuid::Uuid, Path), WriteHeaders), request_body = TransactionSetSchema, responses((status = 200, body = TransactionSchema), (status = 409, body = ConflictSchema, content_type = "application/problem+json")))]
pub(crate) async fn update_transaction(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(path): PathOf<RecordPath>,
    request: Request,
) -> Answer {
    let asked = Asked::new(parts, signed, path.book, &request);
    let op = updated("update_transaction", path.id, request).await?;
    asked.write(op.about(transaction, StatusCode::OK)).await
}

/// Deletes a transaction; it can be restored.
#[utoipa::path(delete, path = "/api/v1/books/{book}/transactions/{id}", tag = "records", params(("book" = uuid::Uuid, Path), ("id" = uuid::Uuid, Path), WriteHeaders), responses((status = 200, body = TransactionSchema), (status = 409, body = ConflictSchema, content_type = "application/problem+json")))]
pub(crate) async fn delete_transaction(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(path): PathOf<RecordPath>,
    request: Request,
) -> Answer {
    let asked = Asked::new(parts, signed, path.book, &request);
    asked.write(named("delete_transaction", path.id).about(transaction, StatusCode::OK)).await
}

/// Brings a deleted transaction back.
#[utoipa::path(post, path = "/api/v1/books/{book}/transactions/{id}/restore", tag = "records", params(("book" = uuid::Uuid, Path), ("id" = uuid::Uuid, Path), WriteHeaders), responses((status = 200, body = TransactionSchema), (status = 409, body = ConflictSchema, content_type = "application/problem+json")))]
pub(crate) async fn restore_transaction(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(path): PathOf<RecordPath>,
    request: Request,
) -> Answer {
    let asked = Asked::new(parts, signed, path.book, &request);
    asked.write(named("restore_transaction", path.id).about(transaction, StatusCode::OK)).await
}

/// An op whose record is known by id alone.
struct OpOf {
    op: Map<String, Value>,
    id: Uuid,
    body_hash: [u8; 32],
}

impl OpOf {
    fn about(self, about: impl FnOnce(Uuid) -> RecordRef, done: StatusCode) -> Asking {
        Asking { op: self.op, about: about(self.id), done, body_hash: self.body_hash }
    }
}

/// The body is the op's fields; an id is made where it has none.
async fn created(name: &str, request: Request) -> Result<OpOf, Problem> {
    let (mut op, body_hash) = object(request).await?;
    let minted = || Value::String(random::uuid(clock::now()).to_string());
    let stated = op.entry("id").or_insert_with(minted).as_str().and_then(|text| tidebook_book::parse_uuid(text).ok());
    let id = stated.ok_or_else(|| Problem::invalid_field("id", "An id is a UUID in lower case with dashes."))?;
    op.insert("op".to_owned(), name.into());
    Ok(OpOf { op, id, body_hash })
}

/// The body is the op's `set`.
async fn updated(name: &str, id: Uuid, request: Request) -> Result<OpOf, Problem> {
    let (set, body_hash) = object(request).await?;
    let mut op = named(name, id);
    op.op.insert("set".to_owned(), Value::Object(set));
    Ok(OpOf { body_hash, ..op })
}

/// Without a body the path says it all.
fn named(name: &str, id: Uuid) -> OpOf {
    let op = [("op".to_owned(), name.into()), ("id".to_owned(), id.to_string().into())].into_iter().collect();
    OpOf { op, id, body_hash: [0; 32] }
}

async fn object(request: Request) -> Result<(Map<String, Value>, [u8; 32]), Problem> {
    let bytes = read_json(request).await?;
    let object = serde_json::from_slice(&bytes).map_err(|error| Problem::malformed(format!("The body: {error}.")))?;
    Ok((object, *blake3::hash(&bytes).as_bytes()))
}

impl Asked {
    fn new(parts: BookParts, signed: Signed, book: BookId, request: &Request) -> Self {
        let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
        Self { parts, signed, book, method, uri, headers }
    }

    async fn write(self, asking: Asking) -> Result<Response, Problem> {
        let Asking { op, about, done, body_hash } = asking;
        let access = self.parts.books.access(self.signed.user, self.book).await?;
        let key = self.key()?;
        let mutation = key.map_or_else(|| MutationId(random::uuid(clock::now())), |key| self.mutation_of(key));
        let base = self.base()?.unwrap_or_else(|| access.handle.ring.head().seq);
        let op = to_raw_value(&op).expect("JSON serialises into memory");
        let write = RestWrite {
            author: Author { user: self.signed.user, replica: self.signed.replica },
            write: Write { id: mutation, base, op },
            body_hash: key.map(|_| body_hash),
            compose: Box::new(move |state, result| compose(state, about, done, result)),
        };
        match access.handle.write(write).await? {
            RestWritten::Answered(answer) => respond(answer),
            RestWritten::Repeated(seq) => self.repeat(&access, mutation, seq, about, done, body_hash).await,
            RestWritten::Refused(refused) => Err(refusal(&refused)),
        }
    }

    /// The same request again gets the answer of the first.
    async fn repeat(
        &self,
        access: &Access,
        mutation: MutationId,
        seq: Seq,
        about: RecordRef,
        done: StatusCode,
        body_hash: [u8; 32],
    ) -> Result<Response, Problem> {
        let store = &self.parts.store;
        if let Some(row) = store.answer(self.book, mutation).await? {
            if row.body_hash != body_hash {
                let detail = "This Idempotency-Key came with another body before; take a new one.";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", detail));
            }
            return respond(WriteAnswer { status: row.status, body: row.body });
        }
        // Answers are kept for a while only; the entry tells what became of it, with the record as it stands now.
        let encoded = store.entry_of(self.book, mutation).await?.ok_or_else(Problem::busy)?;
        let entry: Entry<_> = serde_json::from_slice(&encoded.bytes).map_err(|_| Problem::busy())?;
        let result = WriteResult { seq, result: entry.rejected.map_or(Ok(entry.changes), Err) };
        let answer = access.read(move |now| compose(now.authority.state(), about, done, &result)).await?;
        respond(answer)
    }

    fn key(&self) -> Result<Option<&str>, Problem> {
        let Some(key) = self.headers.get("idempotency-key") else { return Ok(None) };
        let key = key.to_str().ok().filter(|key| (1..=KEY_CHARACTERS_MAX).contains(&key.len()));
        let detail = "An Idempotency-Key has 1 to 255 visible ASCII characters.";
        key.map(Some).ok_or_else(|| Problem::malformed(detail))
    }

    fn mutation_of(&self, key: &str) -> MutationId {
        let hashed = HashedId::new(MUTATION_DOMAIN).field(self.signed.user.0.as_bytes()).field(self.book.0.as_bytes());
        let hashed = hashed.field(self.method.as_str().as_bytes()).field(self.uri.path().as_bytes());
        MutationId(hashed.field(key.as_bytes()).id())
    }

    fn base(&self) -> Result<Option<Seq>, Problem> {
        let Some(stated) = self.headers.get("tidebook-base") else { return Ok(None) };
        let seq = stated.to_str().ok().and_then(|text| text.parse().ok()).map(Seq);
        seq.map(Some).ok_or_else(|| Problem::malformed("Tidebook-Base is the seq the edited values were read at."))
    }
}
