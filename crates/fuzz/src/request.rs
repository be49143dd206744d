//! Requests over HTTP, into a whole server: methods, paths, queries, headers, bodies, and what is said over its sockets.

mod answer;
pub(crate) mod served;
pub(crate) mod spelled;

use std::cell::RefCell;

use serde::de::IgnoredAny;
use tidebook_server::data_folder::{check, store_in};

use self::answer::Answer;
use self::served::Served;
use self::spelled::{Spelled, requests};
use crate::Reading;
use crate::prepared::PREPARED;

/// More requests than these say nothing new, and a password takes a while.
const REQUESTS_MAX: usize = 8;

/// Inputs that changed nothing, after which the server is another all the same: it counts tries, and remembers sessions.
const INPUTS_MAX: usize = 500;

thread_local! {
    /// The server that the last input left behind, where it changed nothing.
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

struct Stage {
    served: Served,
    inputs: usize,
}

/// The input is a few requests between lines of `###`, each as [`Spelled::read`] has it, with `$TOKEN`, `$BOOK` and others
/// for what is another each time. Whatever is asked: it is answered, never by a server at fault, what says that it is JSON is,
/// no task panics, the server answers the next one, and its store is in order after it has ended.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Reading::Refused;
    }
    let mut stage = STAGE.take().unwrap_or_else(Stage::new);
    let (mut is_taken, mut is_changed) = (false, false);
    for text in requests(bytes, &stage.words()).iter().take(REQUESTS_MAX) {
        let Some(request) = Spelled::read(text) else { continue };
        let answer = stage.served.ask(&request);
        check_answer(&request, &answer);
        is_taken |= answer.status < 400;
        is_changed |= may_have_changed(&request, &answer);
    }
    let health = Spelled::read(b"GET /health").expect("a request");
    assert_eq!(stage.served.ask(&health).status, 200, "the server goes on");
    stage.inputs += 1;
    if is_changed {
        stage.finish();
    } else if stage.inputs < INPUTS_MAX {
        STAGE.set(Some(stage));
    }
    Reading::taken_if(is_taken)
}

impl Stage {
    fn new() -> Self {
        Self { served: Served::start(PREPARED.folder()), inputs: 0 }
    }

    fn words(&self) -> Vec<(&'static str, String)> {
        let origin = ("$ORIGIN", format!("http://{}", self.served.address));
        PREPARED.words.iter().cloned().chain([origin]).collect()
    }

    fn finish(self) {
        let folder = self.served.stop();
        let checked = check(&store_in(folder.path()), &mut |_| {}).expect("a store");
        assert_eq!(checked.faults, [], "the store is in order");
    }
}

/// Who is turned away before anything is looked up has changed nothing; a try at a password is counted.
fn may_have_changed(request: &Spelled, answer: &Answer) -> bool {
    let is_turned_away = [400, 404, 405, 415].contains(&answer.status);
    answer.status == 101 || !(request.is_safe() || is_turned_away)
}

fn check_answer(request: &Spelled, answer: &Answer) {
    let Answer { status, body, frames, .. } = answer;
    // Of all that are the server's fault only this is an answer: it may be built without the app's files.
    let lacks_app = *status == 503 && answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain"));
    assert!(*status < 500 || lacks_app, "{status}: {}", String::from_utf8_lossy(body));
    frames.iter().for_each(|frame| check_json(frame));
    if answer.is_stream() || request.method == b"HEAD" {
        return;
    }
    let length = answer.header("content-length").and_then(|length| length.parse().ok());
    assert!(length.is_none_or(|length: usize| length == body.len()), "{length:?} bytes were {}", body.len());
    if answer.header("content-encoding").is_some() {
        return;
    }
    match answer.header("content-type") {
        Some("application/json" | "application/problem+json") => check_json(body),
        Some("application/x-ndjson") => {
            body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(check_json);
        }
        _ => {}
    }
}

fn check_json(text: &[u8]) {
    let read = serde_json::from_slice::<IgnoredAny>(text);
    assert!(read.is_ok(), "{}", String::from_utf8_lossy(text));
}
