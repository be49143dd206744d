//! A client of server-sent events that reads them by hand, line by line.

use serde_json::Value;
use tokio::time::timeout;

use crate::person::Person;
use crate::raw::PATIENCE;

/// An open stream of events.
pub(crate) struct Events {
    response: reqwest::Response,
    read: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Events {
    /// Opens a stream that is to be had.
    pub(crate) async fn open(person: &Person, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = reqwest::Client::new().get(format!("http://{}{path}", person.address));
        request = request.header("authorization", person.bearer());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, read: String::new() }
    }

    /// The next event, or the end of the stream. Comments are passed over.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        timeout(PATIENCE, self.read_next()).await.expect("an event, or the end of the stream")
    }

    async fn read_next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                match event_of(&event) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.read.push_str(std::str::from_utf8(&chunk).expect("whole characters")),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// What is said next, where something is.
    pub(crate) async fn data(&mut self) -> Value {
        self.next().await.expect("an event, not the end of the stream").data
    }

    /// All that still comes.
    pub(crate) async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn event_of(text: &str) -> Option<Event> {
    let field = |name: &str| text.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_start().to_owned()));
    let data = serde_json::from_str(&field("data:")?).expect("data is JSON");
    Some(Event { id: field("id:"), data })
}
