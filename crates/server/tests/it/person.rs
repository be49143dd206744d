//! Someone with an account, who calls the server over HTTP and opens sockets to it.

use std::net::SocketAddr;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::raw::{Closed, Raw, SYNC, Written, entries_of};
use crate::says;

pub(crate) const PASSWORD: &str = "low tide at noon";

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) address: SocketAddr,
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) token: String,
    http: Client,
}

/// A book as its maker was told of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Book {
    pub(crate) id: String,
    pub(crate) epoch: String,
}

impl Book {
    /// The path of what is in it.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/books/{}{rest}", self.id)
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// The status and the problem's code; of what is no problem, the status and nothing.
    pub(crate) fn problem(&self) -> (u16, String) {
        if self.status < 400 {
            return (self.status, String::new());
        }
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        (self.status, problem["code"].as_str().expect("a code").to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

impl Person {
    pub(crate) async fn sign_up(address: SocketAddr, name: &str) -> Self {
        let email = format!("{}@tide.example", name.to_lowercase());
        let (id, token) = (String::new(), String::new());
        let nobody = Self { address, id, email, token, http: Client::new() };
        let body = json!({"email": nobody.email, "password": PASSWORD, "name": name});
        let answer = nobody.call(Method::POST, "/api/v1/accounts", &[], Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let new = answer.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self { id: text(&new["user"]["id"]), token: text(&new["token"]), ..nobody }
    }

    /// The same person on another device.
    pub(crate) async fn sign_in(&self) -> Self {
        let body = json!({"email": self.email, "password": PASSWORD});
        let answer = self.call(Method::POST, "/api/v1/sessions", &[], Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let token = answer.json()["token"].as_str().expect("a token").to_owned();
        Self { token, ..self.clone() }
    }

    /// Whoever holds this token.
    pub(crate) fn holder_of(&self, token: &Value) -> Self {
        Self { token: token.as_str().expect("a token").to_owned(), ..self.clone() }
    }

    /// The same person, where the server is now.
    pub(crate) fn at(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// A call with these headers and nothing that says who it is from.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.text().await.expect("a body") }
    }

    /// A signed call.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.call(method, path, &[("authorization", &self.bearer())], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    pub(crate) fn cookie(&self) -> String {
        format!("tidebook_session={}", self.token)
    }

    pub(crate) async fn book(&self, name: &str) -> Book {
        let answer = self.ask(Method::POST, "/api/v1/books", Some(&json!({"name": name}))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let book = answer.json();
        Book { id: text(&book["id"]), epoch: text(&book["epoch"]) }
    }

    /// An invite into the book: what its maker is told.
    pub(crate) async fn invite(&self, book: &Book, request: &Value) -> Value {
        let answer = self.ask(Method::POST, &book.path("/invites"), Some(request)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    pub(crate) async fn accept(&self, invite: &Value) -> Answer {
        self.ask(Method::POST, "/api/v1/invites/accept", Some(&json!({"token": invite["token"]}))).await
    }

    /// Lets somebody into the book.
    pub(crate) async fn let_in(&self, other: &Self, book: &Book, role: &str) {
        let invite = self.invite(book, &json!({"role": role})).await;
        let answer = other.accept(&invite).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"book": book.id, "role": role})));
    }

    pub(crate) async fn set_role(&self, other: &Self, book: &Book, role: &str) -> Answer {
        let path = book.path(&format!("/members/{}", other.id));
        self.ask(Method::PATCH, &path, Some(&json!({"role": role}))).await
    }

    pub(crate) async fn remove(&self, other: &Self, book: &Book) -> Answer {
        self.ask(Method::DELETE, &book.path(&format!("/members/{}", other.id)), None).await
    }

    pub(crate) async fn head(&self, book: &Book) -> u64 {
        let answer = self.get(&format!("/api/v1/books/{}", book.id)).await;
        answer.json()["head"].as_u64().expect("a head")
    }

    pub(crate) async fn snapshot(&self, book: &Book) -> Value {
        let answer = self.get(&format!("/api/v1/books/{}/snapshot", book.id)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// The whole log, an entry a line, each the exact bytes that the chain is made of.
    pub(crate) async fn log(&self, book: &Book) -> Vec<Written> {
        let bearer = self.bearer();
        let headers = [("authorization", bearer.as_str()), ("accept", "application/x-ndjson")];
        let mut entries: Vec<Written> = Vec::new();
        loop {
            let after = entries.last().map_or(0, Written::seq);
            let path = format!("/api/v1/books/{}/entries?after={after}", book.id);
            let page = self.call(Method::GET, &path, &headers, None).await;
            assert_eq!(page.status, 200, "{}", page.body);
            if page.body.is_empty() {
                return entries;
            }
            entries.extend(page.body.lines().map(Written::read));
        }
    }

    /// A socket for syncing that nobody has said hello on.
    pub(crate) async fn silent(&self) -> Raw {
        Raw::open(self.address, "/ws", &[("sec-websocket-protocol", SYNC)]).await.expect("an open socket").0
    }

    /// A socket that has been welcomed, as a replica of this id.
    pub(crate) async fn welcomed(&self, replica: &str) -> Raw {
        let mut raw = self.silent().await;
        raw.send(&says::hello(replica, Some(&self.token))).await;
        assert_eq!(raw.frame().await["type"], "welcome");
        raw
    }

    /// A new device that writes into this book.
    pub(crate) async fn device(&self, book: &Book) -> Device {
        let replica = says::fresh();
        Device { raw: self.welcomed(&replica).await, replica, book: book.clone(), n: 0 }
    }
}

/// A replica that writes one mutation after the other and knows the fate of each.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) raw: Raw,
    pub(crate) replica: String,
    pub(crate) book: Book,
    /// Its last number.
    pub(crate) n: u64,
}

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    Entry(Written),
    Refused(Value),
}

impl Fate {
    pub(crate) fn entry(self) -> Written {
        match self {
            Self::Entry(written) => written,
            Self::Refused(refused) => panic!("refused: {refused}"),
        }
    }

    /// The refusal's code; an entry has none.
    pub(crate) fn refusal(&self) -> &str {
        match self {
            Self::Entry(_) => "",
            Self::Refused(refused) => refused["code"].as_str().expect("a code"),
        }
    }
}

impl Device {
    /// Pushes the ops as the next mutation and waits for its entry.
    pub(crate) async fn write(&mut self, ops: &[Value]) -> Written {
        self.n += 1;
        let mutation = says::mutation(self.n, ops);
        self.offer(&[mutation]).await.remove(0).entry()
    }

    /// Pushes these mutations in one frame and waits for the fate of each, in their order.
    pub(crate) async fn offer(&mut self, mutations: &[Value]) -> Vec<Fate> {
        self.raw.send(&says::push(&self.book, mutations)).await;
        self.fates(mutations).await
    }

    /// Waits for the fate of each of these mutations.
    pub(crate) async fn fates(&mut self, mutations: &[Value]) -> Vec<Fate> {
        let mut fates: Vec<Option<Fate>> = vec![None; mutations.len()];
        while fates.iter().any(Option::is_none) {
            let frame = match self.raw.text().await {
                Ok(frame) => frame,
                Err(Closed(code)) => panic!("closed with {code:?} while waiting for {mutations:?}"),
            };
            let mut settle = |id: &Value, fate: Fate| {
                let waiting =
                    mutations.iter().zip(&mut fates).find(|(mutation, fate)| mutation["id"] == *id && fate.is_none());
                if let Some((_, slot)) = waiting {
                    *slot = Some(fate);
                }
            };
            for entry in entries_of(&frame) {
                settle(&entry.value["id"].clone(), Fate::Entry(entry));
            }
            let message: Value = serde_json::from_str(&frame).expect("frames are JSON");
            if message["type"] == "refused" {
                settle(&message["id"].clone(), Fate::Refused(message));
            }
        }
        fates.into_iter().flatten().collect()
    }
}
