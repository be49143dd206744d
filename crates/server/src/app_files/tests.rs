//! The embedded files, asked for through their handler.

use ask_handler::get;

use super::*;

/// Without a router around it: what that adds is tested with the accounts.
mod ask_handler {
    use super::*;

    pub(super) struct Answer {
        pub(super) status: u16,
        pub(super) headers: HeaderMap,
        pub(super) body: Bytes,
    }

    impl Answer {
        pub(super) fn header(&self, name: &str) -> &str {
            self.headers.get(name).map_or("", |value| value.to_str().unwrap())
        }
    }

    pub(super) async fn get(files: &Arc<AppFiles>, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(files, "GET", path, headers).await
    }

    pub(super) async fn ask(files: &Arc<AppFiles>, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = handle(State(Arc::clone(files)), request.body(Body::empty()).unwrap()).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

fn files() -> Arc<AppFiles> {
    let file = |path, plain, brotli, gzip| EmbeddedFile { path, plain, brotli, gzip };
    Arc::new(AppFiles::new(&[
        file("/index.html", b"the app", None, None),
        file("/assets/app-1a2b.js", b"script", Some(b"br"), Some(b"gz")),
        file("/assets/app-1a2b.wasm", b"wasm", None, None),
        file("/manifest.webmanifest", b"{}", None, None),
        file("/sw.js", b"worker", None, None),
    ]))
}

#[tokio::test]
async fn a_path_is_a_file_or_the_app_or_nothing() {
    const HTML: &[(&str, &str)] = &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    const ANY: &[(&str, &str)] = &[("accept", "*/*")];
    let cases = [
        ("/", ANY, 200, "text/html; charset=utf-8"),
        ("/index.html", ANY, 200, "text/html; charset=utf-8"),
        ("/books/1/contacts", HTML, 200, "text/html; charset=utf-8"),
        ("/books/1/contacts", ANY, 404, "application/problem+json"),
        ("/assets/app-1a2b.js", HTML, 200, "text/javascript; charset=utf-8"),
        ("/assets/app-1a2b.wasm", ANY, 200, "application/wasm"),
        ("/manifest.webmanifest", ANY, 200, "application/manifest+json"),
        ("/sw.js", ANY, 200, "text/javascript; charset=utf-8"),
        ("/assets/gone-3c4d.js", HTML, 404, "application/problem+json"),
        ("/api/v1/nothing", HTML, 404, "application/problem+json"),
        ("/api", HTML, 404, "application/problem+json"),
        ("/assets/../index.html", ANY, 404, "application/problem+json"),
    ];
    let files = files();
    for (path, headers, status, kind) in cases {
        let answer = get(&files, path, headers).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, kind), "{path}");
    }
}

#[tokio::test]
async fn each_form_has_its_own_etag() {
    let files = files();
    let mut etags = Vec::new();
    for (accepted, encoding, body) in [("br, gzip", "br", "br"), ("gzip", "gzip", "gz"), ("", "", "script")] {
        let headers = [("accept-encoding", accepted)];
        let answer = get(&files, "/assets/app-1a2b.js", &headers).await;
        assert_eq!((answer.header("content-encoding"), answer.body.as_ref()), (encoding, body.as_bytes()));
        assert_eq!(answer.header("vary"), "Accept-Encoding");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        let etag = answer.header("etag").to_owned();

        let again = get(&files, "/assets/app-1a2b.js", &[headers[0], ("if-none-match", &etag)]).await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, etag.as_str()));
        etags.push(etag);
    }
    etags.dedup();
    assert_eq!(etags.len(), 3);
}

#[tokio::test]
async fn what_has_no_hash_in_its_name_is_asked_for_anew() {
    for path in ["/", "/manifest.webmanifest", "/sw.js"] {
        assert_eq!(get(&files(), path, &[]).await.header("cache-control"), "no-cache", "{path}");
    }
}

#[tokio::test]
async fn head_tells_all_but_the_body() {
    let files = files();
    let (head, get) = (ask_handler::ask(&files, "HEAD", "/", &[]).await, get(&files, "/", &[]).await);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.headers, get.headers);
    assert_eq!(head.header("content-length"), "7");
}

#[tokio::test]
async fn files_are_only_read() {
    let files = files();
    let post = ask_handler::ask(&files, "POST", "/index.html", &[]).await;
    assert_eq!((post.status, post.header("allow")), (405, "GET,HEAD"));
    assert_eq!(ask_handler::ask(&files, "POST", "/nothing", &[]).await.status, 404);
}

#[tokio::test]
async fn without_the_app_the_root_says_what_to_do() {
    let none = Arc::new(AppFiles::new(&[]));
    let root = get(&none, "/", &[]).await;
    assert_eq!((root.status, root.body.as_ref()), (503, BUILT_WITHOUT.as_bytes()));
    assert_eq!(get(&none, "/other", &[]).await.status, 404);
}
