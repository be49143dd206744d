//! `tidebook serve`, and what the program does with arguments that make no sense.

use crate::program::{Place, Serving, run, tidebook};
use crate::raw::{Closed, FEED, Raw};
use crate::says::{fresh, someone, subscribe};

#[tokio::test]
async fn it_says_where_it_listens_and_stops_when_told() {
    for signal in ["TERM", "INT"] {
        let data = tempfile::tempdir().expect("a folder");
        let serving = Serving::start(data.path(), 0).await;
        assert_ne!(serving.address.port(), 0);
        let health = reqwest::get(format!("http://{}/health", serving.address)).await.expect("an answer");
        assert_eq!(health.status(), 200);
        serving.signal(signal).await;
        let (status, rest) = serving.ended().await;
        assert_eq!((status.code(), rest), (Some(0), vec![]), "{signal}");
    }
}

/// Every socket is told, however many there are, before the process ends.
#[tokio::test]
async fn sockets_are_told_before_it_ends() {
    let place = Place::new().await;
    let book = place.mira.book("Harbour Street").await;
    let mut sockets = Vec::new();
    for _ in 0..40 {
        let mut raw = place.mira.welcomed(&fresh()).await;
        raw.send(&subscribe(&book.id)).await;
        raw.frame_of("entries").await;
        sockets.push(raw);
        let bearer = place.mira.bearer();
        let headers = [("authorization", bearer.as_str()), ("sec-websocket-protocol", FEED)];
        let (mut feed, _) = Raw::open(place.serving.address, "/ws", &headers).await.expect("an open socket");
        assert_eq!(feed.frame().await["type"], "ready");
        sockets.push(feed);
    }
    place.serving.signal("TERM").await;
    for (index, mut raw) in sockets.into_iter().enumerate() {
        let (frames, closed) = raw.rest().await;
        let kinds: Vec<&str> = frames.iter().filter_map(|frame| frame["type"].as_str()).collect();
        assert_eq!((kinds.as_slice(), closed), (&["drain"][..], Closed(Some(1012))), "socket {index}");
    }
    assert_eq!(place.serving.ended().await.0.code(), Some(0));
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let data = tempfile::tempdir().expect("a folder");
    let first = Serving::start(data.path(), 0).await;
    let mira = crate::person::Person::sign_up(first.address, "Mira").await;
    let book = mira.book("Harbour Street").await;
    mira.device(&book).await.write(&[someone()]).await;
    let log = mira.log(&book).await;
    first.signal("TERM").await;
    assert_eq!(first.ended().await.0.code(), Some(0));
    let second = Serving::start(data.path(), 0).await;
    assert_eq!(mira.at(second.address).log(&book).await, log);
}

#[tokio::test]
async fn wrong_usage_exits_2() {
    let home = tempfile::tempdir().expect("a folder");
    let cases: [&[&str]; 12] = [
        &[],
        &["fly"],
        &["--wrong"],
        &["serve", "--wrong"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--signup", "sometimes"],
        &["login"],
        &["feed"],
        &["feed", "Harbour", "--after", "x"],
        &["import"],
        &["import", "splitwise"],
        &["import", "splitwise", "x.csv"],
    ];
    for arguments in cases {
        let ran = run(tidebook(home.path()).args(arguments), "").await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.err.contains("--help"), "{arguments:?}: {}", ran.err);
    }
}

/// Settings that must not be run with say what to do instead.
#[tokio::test]
async fn a_server_that_must_not_start_says_why() {
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().join("held");
    let serving = Serving::start(&data, 0).await;
    let taken = serving.address.to_string();
    let held = data.to_str().expect("UTF-8");
    let other = home.path().join("other");
    let other = other.to_str().expect("UTF-8");
    let cases: [(&[&str], &str); 4] = [
        (&["serve", "--data", other, "--listen", "0.0.0.0:0"], "--public-url"),
        (&["serve", "--data", other, "--listen", "127.0.0.1:0", "--public-url", "tide"], "--public-url"),
        (&["serve", "--data", other, "--listen", &taken], &taken),
        (&["serve", "--data", held, "--listen", "127.0.0.1:0"], "tidebook.db"),
    ];
    for (arguments, named) in cases {
        let ran = run(tidebook(home.path()).args(arguments), "").await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(named), "{arguments:?}: {}", ran.err);
    }
}
