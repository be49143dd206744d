//! What followers are told of who is in a book, and what of the book still reaches whoever is not.

use reqwest::Method;
use serde_json::{Value, json};

use crate::feed;
use crate::person::{Device, Fate, Person};
use crate::raw::{Closed, Raw};
use crate::says::{fresh, mutation, someone, subscribe};
use crate::server::TestServer;
use crate::stage::Stage;
use crate::stream::Events;

/// A socket that follows the book from the beginning and has read all there is.
async fn follower(person: &Person, stage: &Stage) -> Raw {
    let mut raw = person.welcomed(&fresh()).await;
    raw.send(&subscribe(&stage.book.id)).await;
    assert_eq!(raw.frame().await["type"], "subscribed");
    assert_eq!(raw.frame().await["type"], "people");
    assert_eq!(raw.frame().await["type"], "entries");
    raw
}

fn person(person: &Person, name: &str, role: Option<&str>) -> Value {
    json!({"id": person.id, "name": name, "role": role})
}

#[tokio::test]
async fn followers_are_told_of_people() {
    let stage = Stage::new().await;
    let Stage { server, mira, jonas, book, .. } = &stage;
    let mut raw = mira.welcomed(&fresh()).await;
    raw.send(&subscribe(&book.id)).await;
    let subscribed = raw.frame().await;
    assert_eq!((&subscribed["type"], &subscribed["role"]), (&json!("subscribed"), &json!("owner")));
    let of = |people: &[Value]| json!({"type": "people", "book": book.id, "people": people});
    let herself = person(mira, "Mira", Some("owner"));
    assert_eq!(raw.frame().await, of(&[herself.clone(), person(jonas, "Jonas", Some("editor"))]));

    // Somebody joins, changes role, is renamed, leaves.
    let vera = server.person("Vera").await;
    mira.let_in(&vera, book, "viewer").await;
    let joined = [herself.clone(), person(jonas, "Jonas", Some("editor")), person(&vera, "Vera", Some("viewer"))];
    assert_eq!(raw.frame_of("people").await, of(&joined));
    mira.set_role(jonas, book, "owner").await;
    let promoted = [herself.clone(), person(jonas, "Jonas", Some("owner")), person(&vera, "Vera", Some("viewer"))];
    assert_eq!(raw.frame_of("people").await, of(&promoted));
    vera.ask(Method::PATCH, "/api/v1/accounts/me", Some(&json!({"name": "Vera B"}))).await;
    let renamed = [herself.clone(), person(jonas, "Jonas", Some("owner")), person(&vera, "Vera B", Some("viewer"))];
    assert_eq!(raw.frame_of("people").await, of(&renamed));
    vera.remove(&vera, book).await;
    // Former members stay, for history.
    let left = [herself.clone(), person(jonas, "Jonas", Some("owner")), person(&vera, "Vera B", None)];
    assert_eq!(raw.frame_of("people").await, of(&left));
    // What a former member is called now is in that history too.
    vera.ask(Method::PATCH, "/api/v1/accounts/me", Some(&json!({"name": "Vera C"}))).await;
    let renamed = [herself, person(jonas, "Jonas", Some("owner")), person(&vera, "Vera C", None)];
    assert_eq!(raw.frame_of("people").await, of(&renamed));
}

/// On every kind of line: nothing of the book comes after the entry that removes its person.
#[tokio::test]
async fn who_is_removed_gets_no_more_of_the_book() {
    let mut stage = Stage::new().await;
    let (book, jonas) = (stage.book.clone(), stage.jonas.clone());
    let mut staying = follower(&stage.mira, &stage).await;
    let mut sync = follower(&jonas, &stage).await;
    let mut socket = feed::open(&jonas, &format!("?book={}", book.id)).await;
    assert_eq!(socket.frame().await["type"], "ready");
    let mut events = Events::open(&jonas, &book.path("/feed"), &[]).await;
    assert_eq!(events.data().await["type"], "ready");

    assert_eq!(stage.mira.remove(&jonas, &book).await.status, 204);
    let canary = json!([{"op": "create_contact", "id": "@canary", "name": "The canary"}]);
    stage.say("mira", 2, canary).await;

    let role = sync.frame_of("role").await;
    assert_eq!(role, json!({"type": "role", "book": book.id, "role": null}));
    // The socket stays open for other books; the answer about one marks the end of what came of this one.
    let own = jonas.book("Hill Road").await;
    sync.send(&subscribe(&own.id)).await;
    assert_eq!(sync.frame().await["book"], own.id);
    let (frames, Closed(code)) = socket.rest().await;
    assert_eq!(code, Some(4403), "{frames:?}");
    assert!(!json!(frames).to_string().contains("canary"), "{frames:?}");
    let told: Vec<Value> = events.rest().await.into_iter().map(|event| event.data).collect();
    assert!(!json!(told).to_string().contains("canary"), "{told:?}");
    // Those who are still in see both.
    while !staying.text().await.expect("a frame").contains("The canary") {}

    // And by no way does he get back to it.
    sync.send(&subscribe(&book.id)).await;
    assert_eq!(sync.frame_of("role").await["role"], Value::Null);
    assert_eq!(feed::open(&jonas, &format!("?book={}", book.id)).await.error().await.1, Some(4403));
    assert_eq!(jonas.get(&book.path("/feed")).await.problem(), (404, "not_found".into()));
}

#[tokio::test]
async fn a_viewer_reads_and_does_not_write() {
    let stage = Stage::new().await;
    let Stage { server, mira, book, .. } = &stage;
    let vera = server.person("Vera").await;
    mira.let_in(&vera, book, "viewer").await;
    let mut device = vera.device(book).await;
    device.raw.send(&subscribe(&book.id)).await;
    assert_eq!(device.raw.frame_of("subscribed").await["role"], "viewer");
    assert_eq!(device.offer(&[mutation(1, &[someone()])]).await[0].refusal(), "read_only");
    let entry = mira.device(book).await.write(&[someone()]).await;
    while !device.raw.text().await.expect("a frame").contains(&entry.bytes) {}
}

/// A fate is learnt also by those who may not write any more.
#[tokio::test]
async fn who_is_demoted_learns_the_fate_of_what_entered() {
    let stage = Stage::new().await;
    let Stage { mira, jonas, book, .. } = &stage;
    let mut device = jonas.device(book).await;
    let said = mutation(1, &[someone()]);
    let entered = device.offer(std::slice::from_ref(&said)).await;
    assert_eq!(mira.set_role(jonas, book, "viewer").await.status, 200);
    let fates = device.offer(&[said, mutation(2, &[someone()])]).await;
    assert_eq!(fates[..1], entered[..]);
    assert_eq!(fates[1].refusal(), "read_only");
}

/// The push and the change of role cross each other: each mutation enters with the role at its seq, or is refused.
#[tokio::test]
async fn a_push_and_a_demotion_at_once() {
    let stage = Stage::new().await;
    let Stage { mira, jonas, book, .. } = &stage;
    for _ in 0..8 {
        mira.set_role(jonas, book, "editor").await;
        let mut device = jonas.device(book).await;
        let mutations: Vec<Value> = (1..=20).map(|n| mutation(n, &[someone()])).collect();
        for mutation in &mutations {
            device.raw.send(&crate::says::push(book, std::slice::from_ref(mutation))).await;
        }
        let (fates, _) = tokio::join!(device.fates(&mutations), mira.set_role(jonas, book, "viewer"));
        let log = mira.log(book).await;
        let demoted = log.iter().rposition(|entry| entry.bytes.contains("member_role_changed")).expect("a change");
        for fate in fates {
            match fate {
                Fate::Entry(entry) => assert!(entry.seq() <= demoted as u64, "{entry:?} after {demoted}"),
                Fate::Refused(refused) => assert_eq!(refused["code"], "read_only", "{refused}"),
            }
        }
    }
}

/// Removed while pushes are on their way: whatever became of them, no entry follows the word that they are out.
#[tokio::test]
async fn a_push_and_a_removal_at_once() {
    let stage = Stage::new().await;
    let Stage { mira, jonas, book, .. } = &stage;
    for _ in 0..12 {
        let mut device = jonas.device(book).await;
        device.raw.send(&subscribe(&book.id)).await;
        device.raw.frame_of("entries").await;
        let writing = async |device: &mut Device| {
            for n in 1..=60 {
                device.raw.send(&crate::says::push(book, &[mutation(n, &[someone()])])).await;
            }
            device.raw.frame_of("role").await
        };
        let (role, removed) = tokio::join!(writing(&mut device), mira.remove(jonas, book));
        assert_eq!((&role["role"], removed.status), (&Value::Null, 204));
        // What is refused says nothing of the book; the answer to a last push comes after all others.
        let last = mutation(61, &[someone()]);
        device.raw.send(&crate::says::push(book, std::slice::from_ref(&last))).await;
        loop {
            let frame = device.raw.frame().await;
            assert_eq!((&frame["type"], &frame["code"]), (&json!("refused"), &json!("not_a_member")), "{frame}");
            if frame["id"] == last["id"] {
                break;
            }
        }
        mira.let_in(jonas, book, "editor").await;
    }
}

/// Nobody is in two books by one book's word.
#[tokio::test]
async fn a_role_is_of_one_book() {
    let (server, mira) = TestServer::with_mira().await;
    let jonas = server.person("Jonas").await;
    let (shared, own) = (mira.book("Harbour Street").await, mira.book("Diary").await);
    mira.let_in(&jonas, &shared, "owner").await;
    let mut raw = jonas.welcomed(&fresh()).await;
    for (book, kind) in [(&own, "role"), (&shared, "subscribed")] {
        raw.send(&subscribe(&book.id)).await;
        assert_eq!(raw.frame_of(kind).await["book"], book.id);
    }
    assert_eq!(jonas.get(&own.path("/members")).await.problem(), (404, "not_found".into()));
}
