//! The account calls over real connections.

use std::net::SocketAddr;

use axum::Router;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use tokio::sync::{mpsc, watch};

use crate::book::Books;
use crate::{app_files, headers, health};

/// A server of its own, with an empty store.
struct Server {
    url: String,
    accounts: Arc<Accounts>,
    client: Client,
    _data: TempDir,
}

struct Settings {
    listen: &'static str,
    signup: Signup,
    public_urls: &'static [&'static str],
}

const OPEN: Settings = Settings { listen: "127.0.0.1:0", signup: Signup::Open, public_urls: &[] };

impl Server {
    async fn start(settings: Settings) -> Self {
        let data = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Config {
            listen: settings.listen.parse().unwrap(),
            data: data.path().to_owned(),
            signup: settings.signup,
            public_urls: settings.public_urls.iter().map(|url| (*url).to_owned()).collect(),
        };
        let origins = Origins::new(&config, address).unwrap();
        let store = Store::open(&data.path().join("tidebook.sqlite")).unwrap();
        let accounts = Accounts::open(&config, origins.clone(), store.clone()).await.unwrap();
        let (draining, open) = (watch::Sender::new(false).subscribe(), mpsc::channel(1).0);
        let books = Arc::new(Books::new(store.clone()));
        let parts = BookParts { accounts: Arc::clone(&accounts), books, store: store.clone(), draining, open };
        let routes =
            Router::from(router(Arc::clone(&accounts), parts)).merge(health::router(store)).merge(app_files::router());
        let app = headers::frame(routes, &origins).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url: format!("http://{address}"), accounts, client: Client::new(), _data: data }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    fn sign_up(&self, email: &str) -> RequestBuilder {
        self.sign_up_with(json!({"email": email, "password": PASSWORD, "name": "Ana"}))
    }

    fn sign_up_with(&self, body: Value) -> RequestBuilder {
        self.call(Method::POST, "/api/v1/accounts").json(&body)
    }

    fn sign_in(&self, email: &str, password: &str) -> RequestBuilder {
        self.call(Method::POST, "/api/v1/sessions").json(&json!({"email": email, "password": password}))
    }

    async fn token(&self, email: &str) -> String {
        let answer = body(self.sign_in(email, PASSWORD).send().await.unwrap(), 200).await;
        answer["token"].as_str().unwrap().to_owned()
    }

    fn me(&self) -> RequestBuilder {
        self.call(Method::GET, "/api/v1/accounts/me")
    }
}

const PASSWORD: &str = "low tide at noon";

#[track_caller]
fn body(response: Response, status: u16) -> impl Future<Output = Value> {
    assert_eq!(response.status().as_u16(), status);
    async { response.json().await.unwrap() }
}

async fn code(request: RequestBuilder, status: u16) -> String {
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem = body(response, status).await;
    assert_eq!(problem["status"], status);
    problem["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn signing_up_in_and_out_with_a_token() {
    let server = Server::start(OPEN).await;
    let response = server.sign_up(" Ana@Tide.example ").send().await.unwrap();
    assert!(!response.headers().contains_key("set-cookie"));
    assert_eq!(response.headers()["cache-control"], "no-store");
    let new = body(response, 201).await;
    assert_eq!((&new["user"]["email"], &new["user"]["name"]), (&json!("ana@tide.example"), &json!("Ana")));
    assert!(new["expires_at"].as_i64().unwrap() > crate::clock::now().0);
    assert_eq!(new["token"].as_str().unwrap().len(), 64);

    let token = server.token("ANA@tide.example").await;
    assert_ne!(new["token"], token.as_str());
    let me = body(server.me().bearer_auth(&token).send().await.unwrap(), 200).await;
    assert_eq!(me, json!({"user": new["user"]}));

    let out = server.call(Method::DELETE, "/api/v1/sessions/current").bearer_auth(&token).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(code(server.me().bearer_auth(&token), 401).await, "unauthenticated");
    body(server.me().bearer_auth(new["token"].as_str().unwrap()).send().await.unwrap(), 200).await;
}

#[tokio::test]
async fn a_page_gets_a_cookie_and_no_token() {
    let server = Server::start(OPEN).await;
    let origin = server.url.clone();
    let response = server.sign_up("ana@tide.example").header("origin", &origin).send().await.unwrap();
    let set_cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set_cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=7776000"), "{set_cookie}");
    assert_eq!(body(response, 201).await.get("token"), None);

    let cookie = set_cookie.split(';').next().unwrap();
    let with_cookie = |request: RequestBuilder| request.header("cookie", cookie);
    let sign_out = || with_cookie(server.call(Method::DELETE, "/api/v1/sessions/current"));
    body(with_cookie(server.me()).send().await.unwrap(), 200).await;

    // A cookie alone proves no will to write.
    let port = server.url.rsplit_once(':').unwrap().1;
    assert_eq!(code(sign_out(), 403).await, "origin");
    for foreign in ["null", "http://127.0.0.1", "https://evil.example", &format!("{origin}.evil.example")] {
        assert_eq!(code(sign_out().header("origin", foreign), 403).await, "origin", "{foreign}");
    }
    let out = sign_out().header("origin", format!("http://localhost:{port}")).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(out.headers()["set-cookie"], "tidebook_session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    assert_eq!(code(with_cookie(server.me()), 401).await, "unauthenticated");
}

#[tokio::test]
async fn signing_in_again_ends_the_session_the_browser_had() {
    let server = Server::start(OPEN).await;
    let first = server.sign_up("ana@tide.example").header("origin", &server.url).send().await.unwrap();
    let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut ended = server.accounts.sessions_ended();
    let again = server.sign_in("ana@tide.example", PASSWORD).header("origin", &server.url).header("cookie", &cookie);
    body(again.send().await.unwrap(), 200).await;
    assert!(ended.try_recv().is_ok());
    assert_eq!(code(server.me().header("cookie", &cookie), 401).await, "unauthenticated");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_tied_to_it() {
    let server = Server::start(Settings { public_urls: &["https://tide.example"], ..OPEN }).await;
    let response = server.sign_up("ana@tide.example").header("origin", "https://tide.example").send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-tidebook_session=") && cookie.ends_with("; Secure"), "{cookie}");
    assert!(response.headers().contains_key("strict-transport-security"));
    assert_eq!(code(server.sign_up("bo@tide.example").header("origin", &server.url), 403).await, "origin");
}

#[tokio::test]
async fn a_foreign_page_can_neither_sign_up_nor_in() {
    let server = Server::start(OPEN).await;
    body(server.sign_up("ana@tide.example").send().await.unwrap(), 201).await;
    for foreign in ["null", "https://evil.example", "http://localhost"] {
        assert_eq!(code(server.sign_up("bo@tide.example").header("origin", foreign), 403).await, "origin");
        assert_eq!(code(server.sign_in("ana@tide.example", PASSWORD).header("origin", foreign), 403).await, "origin");
    }
}

#[tokio::test]
async fn a_wrong_pair_is_answered_alike_whether_the_email_exists() {
    let server = Server::start(OPEN).await;
    body(server.sign_up("ana@tide.example").send().await.unwrap(), 201).await;
    let mut answers = Vec::new();
    for email in ["ana@tide.example", "nobody@tide.example", "no address"] {
        let response = server.sign_in(email, "wrong password").send().await.unwrap();
        let headers = response.headers().iter().filter(|(name, _)| *name != "date");
        let headers: Vec<_> = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
        answers.push((headers, body(response, 401).await));
    }
    assert_eq!(answers[0].1["code"], "bad_credentials");
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn what_a_sign_up_says_is_checked() {
    let server = Server::start(OPEN).await;
    body(server.sign_up("ana@tide.example").send().await.unwrap(), 201).await;
    let cases = [
        (json!({"email": "ana@tide.example", "password": PASSWORD, "name": "Bo"}), 409, "email_taken"),
        (json!({"email": "no address", "password": PASSWORD, "name": "Bo"}), 422, "invalid_field"),
        (json!({"email": "bo@tide.example", "password": PASSWORD, "name": ""}), 422, "invalid_field"),
        (json!({"email": "bo@tide.example", "password": "short", "name": "Bo"}), 422, "weak_password"),
        (json!({"email": "bo@tide.example", "password": "Password", "name": "Bo"}), 422, "weak_password"),
        (json!({"email": "bo@tide.example", "password": PASSWORD}), 400, "malformed"),
        (json!({"email": "bo@tide.example", "password": PASSWORD, "name": "b".repeat(1 << 20)}), 413, "too_large"),
    ];
    for (asked, status, expected) in cases {
        assert_eq!(code(server.sign_up_with(asked), status).await, expected);
    }
}

#[tokio::test]
async fn the_mode_says_who_may_sign_up() {
    let cases = [
        (Signup::Invite, None, 403, "invite_required"),
        (Signup::Invite, Some("no such invite"), 410, "invite_gone"),
        (Signup::Closed, Some("no such invite"), 403, "signup_closed"),
    ];
    for (signup, invite, status, expected) in cases {
        let server = Server::start(Settings { signup, ..OPEN }).await;
        body(server.sign_up("ana@tide.example").send().await.unwrap(), 201).await;
        let asked = json!({"email": "bo@tide.example", "password": PASSWORD, "name": "Bo", "invite": invite});
        assert_eq!(code(server.sign_up_with(asked), status).await, expected);
    }
}

#[tokio::test]
async fn the_first_account_alone_is_admin_also_in_a_race() {
    let server = Server::start(Settings { signup: Signup::Closed, ..OPEN }).await;
    let (one, two) = tokio::join!(server.sign_up("ana@tide.example").send(), server.sign_up("bo@tide.example").send());
    let mut statuses = [one.unwrap().status().as_u16(), two.unwrap().status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403]);
    assert_eq!(server.accounts.store.account_count().await.unwrap(), 1);
}

#[tokio::test]
async fn beyond_loopback_the_first_account_needs_the_setup_code() {
    let server = Server::start(Settings { listen: "0.0.0.0:0", public_urls: &["http://tide.example"], ..OPEN }).await;
    let setup_code = server.accounts.setup_code.as_ref().unwrap().text.clone();
    let asked = |setup_code: Option<&str>| {
        let body = json!({"email": "ana@tide.example", "password": PASSWORD, "name": "Ana", "setup_code": setup_code});
        server.sign_up_with(body)
    };
    assert_eq!(code(asked(None), 403).await, "setup_code_required");
    assert_eq!(code(asked(Some("00000-00000-00000-00000")), 403).await, "setup_code_required");
    body(asked(Some(&setup_code.to_uppercase())).send().await.unwrap(), 201).await;
    body(server.sign_up("bo@tide.example").send().await.unwrap(), 201).await;
}

#[tokio::test]
async fn devices_are_listed_and_ended_by_their_person_only() {
    let server = Server::start(OPEN).await;
    body(server.sign_up("ana@tide.example").header("user-agent", "phone/1").send().await.unwrap(), 201).await;
    body(server.sign_up("bo@tide.example").send().await.unwrap(), 201).await;
    let (ana, bo) = (server.token("ana@tide.example").await, server.token("bo@tide.example").await);
    let list = |token: String| server.call(Method::GET, "/api/v1/sessions").bearer_auth(token).send();

    let devices = body(list(ana.clone()).await.unwrap(), 200).await;
    let items = devices["items"].as_array().unwrap();
    assert_eq!((items.len(), &devices["next_cursor"]), (2, &Value::Null));
    assert_eq!(items.iter().filter(|item| item["current"] == true).count(), 1);
    let phone = items.iter().find(|item| item["client"] == "phone/1").unwrap();
    assert_eq!(phone["current"], false);

    let id = phone["id"].as_str().unwrap();
    let end = |token: &str, id: &str| server.call(Method::DELETE, &format!("/api/v1/sessions/{id}")).bearer_auth(token);
    assert_eq!(code(end(&bo, id), 404).await, "not_found");
    assert_eq!(code(end(&ana, "no-id"), 404).await, "not_found");
    let mut ended = server.accounts.sessions_ended();
    assert_eq!(end(&ana, id).send().await.unwrap().status(), 204);
    assert_eq!(ended.recv().await.unwrap().to_string(), id);
    assert_eq!(code(end(&ana, id), 404).await, "not_found");
    assert_eq!(body(list(ana).await.unwrap(), 200).await["items"].as_array().unwrap().len(), 1);
}

/// What is remembered of sessions is so no longer than it is true, and a change goes through though nobody waits for it.
#[tokio::test]
async fn a_change_is_seen_by_the_next_request() {
    let server = Server::start(OPEN).await;
    let new = body(server.sign_up("ana@tide.example").send().await.unwrap(), 201).await;
    let (accounts, token) = (&server.accounts, new["token"].as_str().unwrap());
    let signed = || async { session::authenticate(accounts, token).await.unwrap() };
    let first = signed().await.unwrap();
    let rename = server.call(Method::PATCH, "/api/v1/accounts/me").bearer_auth(token).json(&json!({"name": "Anna"}));
    body(rename.send().await.unwrap(), 200).await;
    assert_eq!((first.name.as_str(), signed().await.unwrap().name.as_str()), ("Ana", "Anna"));

    let mut ended = accounts.sessions_ended();
    {
        let mut ending = std::pin::pin!(session::end(accounts, first.user, first.session));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(ending.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(ended.recv().await, Ok(first.session));
    assert_eq!(signed().await, None);
}

#[tokio::test]
async fn too_many_tries_have_to_wait() {
    let server = Server::start(OPEN).await;
    let key = Key::of_address_and(IpAddr::from([127, 0, 0, 1]), "ana@tide.example");
    // Ten seconds ahead, so that no try comes back while the requests are under way.
    let soon = Instant::now() + Duration::from_secs(10);
    for _ in 0..TRIES_PER_PERSON_BURST {
        server.accounts.tries_per_person.take(soon, key).unwrap();
    }
    let response = server.sign_in("Ana@tide.example", PASSWORD).send().await.unwrap();
    assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(body(response, 429).await["code"], "rate_limited");
    assert_eq!(code(server.sign_in("bo@tide.example", PASSWORD), 401).await, "bad_credentials");
}

#[tokio::test]
async fn every_answer_is_framed() {
    let server = Server::start(OPEN).await;
    let cases = [
        (Method::GET, "/health", 200),
        (Method::GET, "/ready", 200),
        (Method::GET, "/api/v1/accounts/me", 401),
        (Method::GET, "/api/v1/no-such-call", 404),
        (Method::GET, "/api/", 404),
        (Method::PUT, "/api/v1/sessions", 405),
        (Method::GET, "/no-such-file.js", 404),
    ];
    for (method, path, status) in cases {
        let response = server.call(method, path).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        let headers = response.headers();
        assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'; "), "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert!(!headers.contains_key("strict-transport-security"), "{path}");
        if status >= 400 {
            assert_eq!(headers["content-type"], "application/problem+json", "{path}");
            assert_eq!(headers["cache-control"], "no-store", "{path}");
        }
    }
}
