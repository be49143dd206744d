//! What the HTTP calls look like to programs (OpenAPI 3.1) and to people, both made from the handlers themselves.

mod page;
pub(crate) mod schema;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use http::header;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder, SecurityRequirement};
use utoipa::{Modify, OpenApi};

use self::schema::ProblemSchema;

/// What stands above all calls.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tidebook",
        description = "A shared ledger of who owes whom. Amounts are integers in the currency's minor unit, times are \
                       milliseconds since 1970 UTC, ids are UUIDs. Errors are problems (RFC 9457) with a stable `code`."
    ),
    components(schemas(ProblemSchema)),
    modifiers(&SecuritySchemes)
)]
pub(crate) struct Document;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("tidebook_session")));
        components.add_security_scheme("bearer", bearer);
        components.add_security_scheme("cookie", cookie);
    }
}

/// Calls that anyone may make.
const PUBLIC: [(&str, Method); 2] = [("/api/v1/accounts", Method::Post), ("/api/v1/sessions", Method::Post)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// The routes that hand the document out. Both forms of it are written when one is first asked for: few ask, and every
/// start would wait for it.
pub(crate) fn router(document: utoipa::openapi::OpenApi) -> Router {
    let forms = Arc::new(LazyLock::new(move || Forms::of(document)));
    let for_programs = Arc::clone(&forms);
    let page = move || {
        let html = forms.html.clone();
        async { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response() }
    };
    let spec = move || {
        let json = for_programs.json.clone();
        async { ([(header::CONTENT_TYPE, "application/json")], json).into_response() }
    };
    Router::new().route("/api/v1/openapi.json", get(spec)).route("/api/v1/docs", get(page))
}

/// The document as it is handed out.
struct Forms {
    html: Bytes,
    json: Bytes,
}

impl Forms {
    fn of(mut document: utoipa::openapi::OpenApi) -> Self {
        add_what_all_answers_share(&mut document);
        let json = document.to_json().expect("the document serialises into memory");
        Self { html: page::html(&document).into(), json: json.into() }
    }
}

/// What the extractors answer before a handler is reached, and what every write can meet.
fn add_what_all_answers_share(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(method, path));
            let is_public = PUBLIC.contains(&(path.as_str(), method));
            if !is_public {
                let either = ["bearer", "cookie"].map(|name| SecurityRequirement::new(name, [] as [&str; 0]));
                operation.security = Some(either.into());
                add_problem(operation, "401", "Without a valid session");
            }
            if method != Method::Get && !is_public {
                add_problem(operation, "403", "The role does not allow it, or the request comes from a foreign page");
            }
            if path.contains('{') {
                add_problem(operation, "404", "There is nothing here, or nothing for you to see");
            }
            if operation.parameters.is_some() || operation.request_body.is_some() {
                add_problem(operation, "400", "Malformed");
            }
            if operation.request_body.is_some() {
                add_problem(operation, "408", "The body took too long to arrive");
                add_problem(operation, "413", "The body is too large");
                add_problem(operation, "415", "The body does not say that it is JSON");
                add_problem(operation, "422", "The content is at fault");
            }
            // A record in an old state may be at fault without a body, as where a sum would grow too large.
            if method != Method::Get && path.contains("{book}") && path.contains("{id}") {
                add_problem(operation, "422", "The content is at fault");
            }
            add_problem(operation, "503", "The server has more to do than it can; try again");
        }
    }
}

/// `GET /api/v1/books/{book}/members` is `get_books_book_members`.
fn operation_id(method: Method, path: &str) -> String {
    let words = path.split('/').skip_while(|word| matches!(*word, "" | "api" | "v1"));
    let words = words.map(|word| word.trim_matches(['{', '}', '.']));
    let method = format!("{method:?}").to_lowercase();
    std::iter::once(method.as_str()).chain(words).collect::<Vec<_>>().join("_")
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::Get, &mut item.get),
        (Method::Post, &mut item.post),
        (Method::Put, &mut item.put),
        (Method::Patch, &mut item.patch),
        (Method::Delete, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn add_problem(operation: &mut Operation, status: &str, description: &str) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(description).content("application/problem+json", content).build();
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.into());
}
