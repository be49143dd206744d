//! `tidebook login`: what is remembered, and for whom.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::person::PASSWORD;
use crate::program::{Place, run, tidebook};

#[tokio::test]
async fn it_remembers_a_token_for_this_user_alone() {
    let place = Place::new().await;
    let ran = place.log_in().await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("Mira"), "{}", ran.out);

    let file = place.home.path().join("config/tidebook/credentials.json");
    let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let stored: Value = serde_json::from_slice(&std::fs::read(&file).expect("the file")).expect("JSON");
    assert_eq!(stored["server"], place.url());
    assert!(!stored.to_string().contains(PASSWORD));
    assert!(!format!("{}{}", ran.out, ran.err).contains(stored["token"].as_str().expect("a token")));

    // From then on no other word is needed: an unknown book is the only thing wrong.
    let ran = run(tidebook(place.home.path()).args(["feed", "Nowhere"]), "").await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("you have no book yet"), "{}", ran.err);
    // A stored token is for the server it came from.
    let ran = run(tidebook(place.home.path()).args(["feed", "Nowhere", "--server", "http://127.0.0.1:1"]), "").await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("nobody is signed in"), "{}", ran.err);
}

#[tokio::test]
async fn a_password_may_come_on_standard_input() {
    let place = Place::new().await;
    let mut login = tidebook(place.home.path());
    login.args(["login", "--json", "--server", &place.url(), "--email", &place.mira.email]);
    let ran = run(&mut login, &format!("{PASSWORD}\n")).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let told: Value = serde_json::from_str(&ran.out).expect("one line of JSON");
    assert_eq!((&told["user"], &told["name"]), (&place.mira.id.clone().into(), &"Mira".into()));
    assert_eq!(told.get("token"), None);
}

#[tokio::test]
async fn a_wrong_password_is_remembered_nowhere() {
    let place = Place::new().await;
    for (email, password) in [(place.mira.email.as_str(), "high tide at noon"), ("jonas@tide.example", PASSWORD)] {
        let mut login = tidebook(place.home.path());
        login.args(["login", "--server", &place.url(), "--email", email]).env("TIDEBOOK_PASSWORD", password);
        let ran = run(&mut login, "").await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
        assert!(ran.err.contains("don't go together") && !ran.err.contains(password), "{}", ran.err);
    }
    assert!(!place.home.path().join("config/tidebook").exists());
}

#[tokio::test]
async fn signing_out_another_session_leaves_the_stored_one() {
    let place = Place::new().await;
    assert_eq!(place.log_in().await.code, Some(0));
    let file = place.home.path().join("config/tidebook/credentials.json");
    let ran = run(&mut place.signed(&["logout"]), "").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(file.exists(), "the other session goes on");
    let ran = run(tidebook(place.home.path()).arg("logout"), "").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!file.exists());
}

#[tokio::test]
async fn a_session_that_has_ended_says_so() {
    let place = Place::new().await;
    place.mira.book("Harbour Street").await;
    place.mira.ask(reqwest::Method::DELETE, "/api/v1/sessions/current", None).await;
    let ran = run(&mut place.signed(&["feed", "Harbour Street"]), "").await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.to_lowercase().contains("sign in"), "{}", ran.err);
    assert!(!ran.err.contains(&place.mira.token));
}
