//! The server's HTTP interface, as far as a client needs it.

use reqwest::{Method, RequestBuilder, Response, Url};
use serde::{Deserialize, de::DeserializeOwned};
use tidebook_book::{BookId, Epoch, Role, Seq, UserId};
use tidebook_ledger::Currency;

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
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    pub id: UserId,
    pub email: String,
    pub name: String,
}

/// A book in the list of those a person is a member of.
#[derive(Debug, Clone, Deserialize)]
pub struct BookItem {
    pub id: BookId,
    pub name: String,
    pub currency: Currency,
    pub role: Role,
    pub head: Seq,
    pub epoch: Epoch,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
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
        Ok(Self { http: reqwest::Client::new(), server: url, token })
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
        let body = serde_json::json!({"email": email, "password": password});
        self.send(self.request(Method::POST, "/api/v1/sessions").json(&body)).await
    }

    /// Whose token this is.
    pub async fn me(&self) -> Result<Account, ApiError> {
        let me: Me = self.send(self.request(Method::GET, "/api/v1/accounts/me")).await?;
        Ok(me.user)
    }

    /// The books the person is a member of.
    pub async fn books(&self) -> Result<Vec<BookItem>, ApiError> {
        let page: Page<BookItem> = self.send(self.request(Method::GET, "/api/v1/books")).await?;
        Ok(page.items)
    }

    /// A book's whole state, as text: whether this program knows its form is for the replica to find out.
    pub async fn snapshot(&self, book: BookId) -> Result<String, ApiError> {
        let response = self.answer(self.request(Method::GET, &format!("/api/v1/books/{book}/snapshot"))).await?;
        response.text().await.map_err(|error| ApiError::Unexpected(error.to_string()))
    }

    fn url(&self, path: &str) -> Url {
        self.server.join(path).expect("an absolute path joins any base")
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.url(path));
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
