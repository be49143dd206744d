//! A person with an account and a book, made without a browser where the journey is not about that.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tidebook_book::{BookId, UserId};
use tidebook_client::{Api, SignedIn};

use crate::Server;

/// A password that no list of common ones holds.
const PASSWORD: &str = "quiet harbour at low water";

/// Somebody who can sign in.
#[derive(Debug, Clone)]
pub struct Account {
    pub name: String,
    pub email: String,
    pub password: String,
    pub user: UserId,
    /// Speaks for them without a browser.
    pub token: String,
    server: String,
}

#[derive(Deserialize)]
struct SignedUp {
    user: User,
    token: String,
}

#[derive(Deserialize)]
struct User {
    id: UserId,
}

#[derive(Deserialize)]
struct Book {
    id: BookId,
}

impl Account {
    /// Signs somebody up.
    pub async fn make(server: &Server, name: &str) -> Result<Self> {
        let email = format!("{}@example.org", name.to_lowercase());
        let body = json!({"email": email, "password": PASSWORD, "name": name});
        let request = Client::new().post(format!("{}/api/v1/accounts", server.origin()));
        let SignedUp { user, token } = send(request, &body).await.context("signing up")?;
        Ok(Self { name: name.into(), email, password: PASSWORD.into(), user: user.id, token, server: server.origin() })
    }

    /// Somebody who signed up in a browser, on a second device.
    pub async fn signed_in(server: &Server, email: &str, password: &str) -> Result<Self> {
        let api = Api::new(&server.origin(), None)?;
        let SignedIn { user, token } = api.sign_in(email, password).await?;
        let (email, password) = (email.to_owned(), password.to_owned());
        Ok(Self { name: user.name, email, password, user: user.id, token, server: server.origin() })
    }

    /// The book they made in a browser.
    pub async fn only_book(&self) -> Result<BookId> {
        let books = Api::new(&self.server, Some(self.token.clone()))?.books().await?;
        ensure!(books.len() == 1, "{} has {} books, not one", self.name, books.len());
        Ok(books[0].id)
    }

    /// Makes a book in euros.
    pub async fn make_book(&self, name: &str) -> Result<BookId> {
        let body = json!({"name": name, "currency": "EUR"});
        let request = Client::new().post(format!("{}/api/v1/books", self.server)).bearer_auth(&self.token);
        Ok(send::<Book>(request, &body).await.context("making a book")?.id)
    }
}

impl Account {
    /// Writes as somebody who last saw the book at `base`; what becomes of it is for the page to show.
    pub async fn write_late(&self, book: BookId, base: u64, method: Method, path: &str, body: &Value) -> Result<()> {
        let url = format!("{}/api/v1/books/{book}{path}", self.server);
        let request = Client::new().request(method, url).bearer_auth(&self.token).header("Tidebook-Base", base);
        let status = request.json(body).send().await?.status();
        ensure!(status.is_success() || status == StatusCode::CONFLICT, "{path}: {status}");
        Ok(())
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// The last entry of a book of theirs.
    pub async fn head(&self, book: BookId) -> Result<u64> {
        let request = Client::new().get(format!("{}/api/v1/books/{book}", self.server)).bearer_auth(&self.token);
        let answer: Value = serde_json::from_str(&request.send().await?.error_for_status()?.text().await?)?;
        answer["head"].as_u64().context("a book has a head")
    }

    /// The hash of a book's log at an entry.
    pub async fn hash_at(&self, book: BookId, seq: u64) -> Result<String> {
        let url = format!("{}/api/v1/books/{book}/entries/{seq}/hash", self.server);
        let answer = Client::new().get(url).bearer_auth(&self.token).send().await?.error_for_status()?;
        let answer: Value = serde_json::from_str(&answer.text().await?)?;
        Ok(answer["hash"].as_str().context("a hash")?.to_owned())
    }

    /// The entries of a book's log, each exactly as it is hashed.
    pub async fn lines(&self, book: BookId) -> Result<Vec<String>> {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let url = format!("{}/api/v1/books/{book}/entries?after={}", self.server, lines.len());
            let request = Client::new().get(url).bearer_auth(&self.token).header("Accept", "application/x-ndjson");
            let page = request.send().await?.error_for_status()?.text().await?;
            if page.is_empty() {
                return Ok(lines);
            }
            lines.extend(page.lines().map(str::to_owned));
        }
    }

    /// Takes somebody out of a book of theirs.
    pub async fn remove(&self, book: BookId, other: UserId) -> Result<()> {
        let url = format!("{}/api/v1/books/{book}/members/{other}", self.server);
        Client::new().delete(url).bearer_auth(&self.token).send().await?.error_for_status()?;
        Ok(())
    }

    /// Lets somebody into a book of theirs, as by a link.
    pub async fn let_in(&self, book: BookId, other: &Self, role: &str) -> Result<()> {
        #[derive(Deserialize)]
        struct Made {
            token: String,
        }
        let invites = Client::new().post(format!("{}/api/v1/books/{book}/invites", self.server));
        let Made { token } =
            send(invites.bearer_auth(&self.token), &json!({"role": role})).await.context("inviting")?;
        let accept = Client::new().post(format!("{}/api/v1/invites/accept", self.server));
        send::<Value>(accept.bearer_auth(&other.token), &json!({"token": token})).await.context("accepting").map(drop)
    }
}

async fn send<T: serde::de::DeserializeOwned>(request: RequestBuilder, body: &Value) -> Result<T> {
    let response = request.json(body).send().await?;
    let (status, text) = (response.status(), response.text().await?);
    if !status.is_success() {
        bail!("{status}: {text}");
    }
    serde_json::from_str(&text).with_context(|| format!("an answer unlike the protocol's: {text}"))
}
