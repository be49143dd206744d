//! The routes the server has and the messages its sockets take, read from the sources: what stands there and has no row
//! in the tests' tables fails them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A method and a path, as `GET /api/v1/books/{book}`.
pub(crate) type Route = (String, String);

/// Names that `axum::routing` gives to methods. `any` stands for the one that opens a socket.
const METHODS: [(&str, &str); 6] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE"), ("any", "GET")];

/// Every route that a source of the server names.
pub(crate) fn all() -> BTreeSet<Route> {
    let mut routes = BTreeSet::new();
    for file in sources(&crate_folder().join("src")) {
        let text = fs::read_to_string(&file).expect("a source");
        routes.extend(text.split("#[utoipa::path(").skip(1).map(documented));
        for call in text.split(".route(").skip(1) {
            let call = arguments(call);
            let path = call.split('"').nth(1).expect("a path").to_owned();
            let handlers = call.split_once(&path).expect("its own path").1;
            for (name, method) in METHODS {
                let opens = |before: &str| before.ends_with([' ', '.', ',', '\n']);
                let named = handlers.match_indices(&format!("{name}(")).any(|(at, _)| opens(&handlers[..at]));
                if named {
                    routes.insert((method.to_owned(), path.clone()));
                }
            }
        }
    }
    routes
}

/// The route of a documented handler: `get, path = "/api/v1/books", …`.
fn documented(attribute: &str) -> Route {
    let (method, rest) = attribute.split_once(',').expect("a method comes first");
    let path = rest.split('"').nth(1).expect("a path follows");
    (method.trim().to_uppercase(), path.to_owned())
}

/// Every type of message that a replica can send.
pub(crate) fn messages() -> BTreeSet<String> {
    let source = crate_folder().join("../protocol/src/up.rs");
    let text = fs::read_to_string(source).expect("the messages' source");
    let arms = text.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" => serde_json"));
    arms.map(|(kind, _)| kind.to_owned()).collect()
}

/// What stands between the bracket that was opened and the one that closes it.
fn arguments(call: &str) -> &str {
    let mut depth = 1_i32;
    for (at, character) in call.char_indices() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        if depth == 0 {
            return &call[..at];
        }
    }
    panic!("no end of {call}")
}

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn the_sources_are_read() {
    let (routes, messages) = (all(), messages());
    let has = |method: &str, path: &str| routes.contains(&(method.to_owned(), path.to_owned()));
    assert!(has("GET", "/ws") && has("PATCH", "/api/v1/books/{book}/contacts/{id}"), "{routes:?}");
    assert!(has("PUT", "/api/v1/accounts/me/password") && has("GET", "/health"), "{routes:?}");
    assert!(routes.len() > 35, "{routes:?}");
    assert_eq!(messages.into_iter().collect::<Vec<_>>(), ["hello", "presence", "push", "subscribe", "unsubscribe"]);
}

/// The app's service worker answers a page's address with the app, unless it knows the address for the server's.
#[test]
fn the_service_worker_leaves_the_servers_addresses_alone() {
    let worker = fs::read_to_string(crate_folder().join("../web/static/sw.js")).expect("the worker's source");
    let known = worker.split_once(r"/^\/(").and_then(|(_, rest)| rest.split_once(')')).expect("the worker's list").0;
    let known: BTreeSet<&str> = known.split('|').collect();
    let routes = all();
    let own: BTreeSet<&str> = routes.iter().filter_map(|(_, path)| path.split('/').nth(1)).collect();
    assert_eq!(known, own);
}
