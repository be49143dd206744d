//! The server's HTTP interface, as far as a client needs it.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, Url};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use serde_json::value::RawValue;
use tidebook_book::{BookId, Epoch, Role, Seq, UnixMillis, UserId};
use tidebook_ledger::Currency;

/// How long a server may take to be reached at all.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// As many as the server gives at most.
const ENTRIES_PER_PAGE: u32 = 5_000;

/// A server, and the token that speaks for a person there.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    server: Url,
    token: Option<String>,
}

impl std::fmt::Debug for Api {
    /// Without the token: it must not end up in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Api({})", self.server)
    }
}

/// Why a call did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{0:?} is not a server's address; write it like https://tidebook.example")]
    Address(String),
    #[error("cannot reach {server}: {reason}")]
    Unreachable { server: String, reason: String },
    /// The server's own words.
    #[error("{detail}")]
    Problem { status: u16, code: String, detail: String },
    #[error("the answer is not what was expected: {0}")]
    Unexpected(String),
}

/// A person, and a token to speak for them.
#[derive(Debug, Clone, Deserialize)]
pub struct SignedIn {
    pub user: Account,
    pub token: String,
}

/// A person's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: UserId,
    pub email: String,
    pub name: String,
}

/// A book in the list of those a person is a member of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookItem {
    pub id: BookId,
    pub name: String,
    pub currency: Currency,
    pub role: Role,
    pub head: Seq,
    pub epoch: Epoch,
}

/// Who is in a book.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Member {
    pub user: Named,
    pub role: Role,
    pub since_at: UnixMillis,
}

/// A person as others see them.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Named {
    pub id: UserId,
    pub name: String,
}

/// An invite that was just made: the only time its token is told.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Invite {
    pub id: String,
    pub token: String,
    /// The token stands in its fragment, which no server is ever told.
    pub url: String,
    pub expires_at: UnixMillis,
}

/// What an accepted invite gave.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Joined {
    pub book: BookId,
    pub role: Role,
}

/// A part of a log.
#[derive(Debug, Deserialize)]
pub struct LogPage {
    /// Each exactly as the server stored it.
    pub entries: Vec<Box<RawValue>>,
    pub head: Seq,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Me {
    user: Account,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

impl Api {
    /// A client of the server at an address such as `http://localhost:8000`.
    pub fn new(server: &str, token: Option<String>) -> Result<Self, ApiError> {
        let wrong = || ApiError::Address(server.to_owned());
        let url: Url = server.parse().map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong());
        }
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).build();
        let http = http.map_err(|error| ApiError::Unexpected(error.to_string()))?;
        Ok(Self { http, server: url, token })
    }

    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The address of a socket at this server.
    #[must_use]
    pub fn socket_url(&self) -> Url {
        let mut url = self.url("/ws");
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme).expect("http may become ws");
        url
    }

    /// Signs in and returns a token for this device.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, ApiError> {
        let body = json!({"email": email, "password": password});
        self.send(self.request(Method::POST, "/api/v1/sessions").json(&body)).await
    }

    /// Whose token this is.
    pub async fn me(&self) -> Result<Account, ApiError> {
        let me: Me = self.send(self.request(Method::GET, "/api/v1/accounts/me")).await?;
        Ok(me.user)
    }

    /// Ends the session of this token.
    pub async fn sign_out(&self) -> Result<(), ApiError> {
        self.answer(self.request(Method::DELETE, "/api/v1/sessions/current")).await.map(drop)
    }

    /// The books the person is a member of.
    pub async fn books(&self) -> Result<Vec<BookItem>, ApiError> {
        self.all("/api/v1/books").await
    }

    /// Makes a book. The same call again by its owner changes nothing.
    pub async fn create_book(&self, id: BookId, name: &str, currency: &str) -> Result<BookItem, ApiError> {
        let body = json!({"id": id, "name": name, "currency": currency});
        self.send(self.request(Method::POST, "/api/v1/books").json(&body)).await
    }

    /// Who is in a book.
    pub async fn members(&self, book: BookId) -> Result<Vec<Member>, ApiError> {
        self.all(&format!("/api/v1/books/{book}/members")).await
    }

    /// Gives a member another role.
    pub async fn set_role(&self, book: BookId, user: UserId, role: Role) -> Result<(), ApiError> {
        let request = self.request(Method::PATCH, &format!("/api/v1/books/{book}/members/{user}"));
        self.answer(request.json(&json!({"role": role}))).await.map(drop)
    }

    /// Takes a member out of a book; they may do that themselves.
    pub async fn remove_member(&self, book: BookId, user: UserId) -> Result<(), ApiError> {
        self.answer(self.request(Method::DELETE, &format!("/api/v1/books/{book}/members/{user}"))).await.map(drop)
    }

    /// Makes an invite.
    pub async fn invite(&self, book: BookId, role: Role, uses: u32, expires_in_s: u64) -> Result<Invite, ApiError> {
        let body = json!({"role": role, "uses": uses, "expires_in_s": expires_in_s});
        self.send(self.request(Method::POST, &format!("/api/v1/books/{book}/invites")).json(&body)).await
    }

    /// Joins the book of an invite.
    pub async fn accept_invite(&self, token: &str) -> Result<Joined, ApiError> {
        self.send(self.request(Method::POST, "/api/v1/invites/accept").json(&json!({"token": token}))).await
    }

    /// Entries after a seq, in order: as many as the server gives at a time.
    pub async fn entries(&self, book: BookId, after: Seq) -> Result<LogPage, ApiError> {
        let path = format!("/api/v1/books/{book}/entries?after={after}&limit={ENTRIES_PER_PAGE}");
        self.send(self.request(Method::GET, &path)).await
    }

    /// A book's whole state, as text: whether this program knows its form is for the replica to find out.
    pub async fn snapshot(&self, book: BookId) -> Result<String, ApiError> {
        let response = self.answer(self.request(Method::GET, &format!("/api/v1/books/{book}/snapshot"))).await?;
        response.text().await.map_err(|error| ApiError::Unexpected(error.to_string()))
    }

    async fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ApiError> {
        let mut url = self.url(path);
        let mut all = Vec::new();
        loop {
            let page: Page<T> = self.send(self.request_to(Method::GET, url.clone())).await?;
            all.extend(page.items);
            let Some(cursor) = page.next_cursor else { return Ok(all) };
            url.query_pairs_mut().clear().append_pair("cursor", &cursor);
        }
    }

    fn url(&self, path: &str) -> Url {
        self.server.join(path).expect("an absolute path joins any base")
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_to(method, self.url(path))
    }

    fn request_to(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ApiError> {
        let response = self.answer(request).await?;
        response.json().await.map_err(|error| ApiError::Unexpected(error.to_string()))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, ApiError> {
        let response = request
            .send()
            .await
            .map_err(|error| ApiError::Unreachable { server: self.server.to_string(), reason: root_cause(&error) })?;
        if !response.status().is_success() {
            return Err(problem_of(response).await);
        }
        Ok(response)
    }
}

async fn problem_of(response: Response) -> ApiError {
    let status = response.status().as_u16();
    match response.json::<Problem>().await {
        Ok(Problem { code, detail }) => ApiError::Problem { status, code, detail },
        Err(_) => ApiError::Unexpected(format!("status {status}")),
    }
}

/// The innermost reason: "connection refused" tells more than "error sending request".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
