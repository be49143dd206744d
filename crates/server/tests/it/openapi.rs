//! The document that programs read, and the page that people do.

use reqwest::Method;
use serde_json::Value;

use crate::server::TestServer;

/// Every call of the protocol's table, as the document spells it.
const CALLS: [&str; 37] = [
    "DELETE /accounts/me",
    "DELETE /books/{book}",
    "DELETE /books/{book}/contacts/{id}",
    "DELETE /books/{book}/invites/{invite}",
    "DELETE /books/{book}/members/{user}",
    "DELETE /books/{book}/transactions/{id}",
    "DELETE /sessions/current",
    "DELETE /sessions/{id}",
    "GET /accounts/me",
    "GET /books",
    "GET /books/{book}",
    "GET /books/{book}/contacts",
    "GET /books/{book}/contacts/{id}",
    "GET /books/{book}/entries",
    "GET /books/{book}/entries/{seq}/hash",
    "GET /books/{book}/feed",
    "GET /books/{book}/invites",
    "GET /books/{book}/members",
    "GET /books/{book}/snapshot",
    "GET /books/{book}/transactions",
    "GET /books/{book}/transactions/{id}",
    "GET /sessions",
    "PATCH /accounts/me",
    "PATCH /books/{book}/contacts/{id}",
    "PATCH /books/{book}/members/{user}",
    "PATCH /books/{book}/transactions/{id}",
    "POST /accounts",
    "POST /books",
    "POST /books/{book}/contacts",
    "POST /books/{book}/contacts/{id}/restore",
    "POST /books/{book}/invites",
    "POST /books/{book}/mutations",
    "POST /books/{book}/transactions",
    "POST /books/{book}/transactions/{id}/restore",
    "POST /invites/accept",
    "POST /sessions",
    "PUT /accounts/me/password",
];

#[tokio::test]
async fn every_call_is_in_the_document_and_on_the_page() {
    let (_server, mira) = TestServer::with_mira().await;
    let document: Value = mira.get("/api/v1/openapi.json").await.json();
    let page = mira.call(Method::GET, "/api/v1/docs", &[], None).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let short = path.strip_prefix("/api/v1").expect("all calls are below it");
        for (method, operation) in item.as_object().expect("operations") {
            let call = format!("{} {short}", method.to_uppercase());
            assert!(operation["summary"].is_string(), "{call} says what it does");
            assert!(page.body.contains(&format!("<code>{} {path}</code>", method.to_uppercase())), "{call}");
            calls.push(call);
        }
    }
    calls.sort();
    assert_eq!(calls, CALLS);
}

#[tokio::test]
async fn the_document_says_who_may_call() {
    let (_server, mira) = TestServer::with_mira().await;
    let document = mira.get("/api/v1/openapi.json").await.json();
    let open = |path: &str, method: &str| document["paths"][path][method]["security"].is_null();
    assert!(open("/api/v1/accounts", "post") && open("/api/v1/sessions", "post"));
    assert!(!open("/api/v1/sessions", "get") && !open("/api/v1/books", "post"));
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    assert_eq!(schemes.keys().collect::<Vec<_>>(), ["bearer", "cookie"]);
}
