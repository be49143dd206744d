//! Subscribing: everything after a seq and then live, without a gap and without a repeat.

use serde_json::{Value, json};

use crate::person::{Book, Person};
use crate::raw::{Chain, Raw, Written, entries_of};
use crate::says::{fresh, mutation, push, someone, someone_of, subscribe, subscribe_after, with};
use crate::server::TestServer;

/// Reads entries until the one of seq `until`.
async fn entries_until(raw: &mut Raw, book: &Book, until: u64) -> Vec<Written> {
    let mut entries: Vec<Written> = Vec::new();
    while entries.last().is_none_or(|entry| entry.seq() < until) {
        let text = raw.text().await.expect("a frame");
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&frame["type"], &frame["book"]), (&json!("entries"), &json!(book.id)), "{frame}");
        entries.extend(entries_of(&text));
    }
    entries
}

fn hash_at(log: &[Written], seq: usize) -> String {
    Chain::of(log[..seq].iter().map(|entry| entry.bytes.as_str())).hex()
}

async fn book_of(mira: &Person, entries: u64) -> (Book, crate::person::Device) {
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    while device.n + 1 < entries {
        device.write(&[someone()]).await;
    }
    (book, device)
}

#[tokio::test]
async fn a_subscribe_is_answered_in_this_order() {
    let (_server, mira) = TestServer::with_mira().await;
    let (book, device) = book_of(&mira, 6).await;
    let log = mira.log(&book).await;
    // For each seq: what the replica itself wrote up to there, from number 2 on, and everything after it.
    for after in 0..=6 {
        let mut raw = mira.welcomed(&device.replica).await;
        let subscribe = subscribe_after(&book, after as u64, &hash_at(&log, after));
        raw.send(&with(subscribe, &json!({"pending_from": 2}))).await;
        let subscribed = raw.frame().await;
        let expected = json!({
            "type": "subscribed", "book": book.id, "epoch": book.epoch, "role": "owner", "head": 6,
            "head_hash": hash_at(&log, 6), "accepted": 5,
        });
        assert_eq!(subscribed, expected);
        let people = raw.frame().await;
        let mira_herself = json!([{"id": mira.id, "name": "Mira", "role": "owner"}]);
        assert_eq!(people, json!({"type": "people", "book": book.id, "people": mira_herself}));
        // Entry 1 is the book's, and entry s is number s − 1.
        let fates = log[..after].get(2..).unwrap_or_default();
        if !fates.is_empty() {
            let text = raw.text().await.expect("a frame");
            assert!(text.starts_with(r#"{"type":"fates""#), "{text}");
            assert_eq!(entries_of(&text), fates, "after {after}");
        }
        if after < 6 {
            assert_eq!(entries_until(&mut raw, &book, 6).await, log[after..], "after {after}");
        }
    }
}

#[tokio::test]
async fn pending_from_asks_for_ones_own() {
    let (_server, mira) = TestServer::with_mira().await;
    let (book, device) = book_of(&mira, 4).await;
    mira.device(&book).await.write(&[someone()]).await;
    let log = mira.log(&book).await;
    let cases: [(u64, &[u64]); 5] = [(0, &[1, 2, 3]), (1, &[1, 2, 3]), (3, &[3]), (4, &[]), (u64::MAX, &[])];
    for (pending_from, expected) in cases {
        let mut raw = mira.welcomed(&device.replica).await;
        let subscribe = subscribe_after(&book, 5, &hash_at(&log, 5));
        raw.send(&with(subscribe, &json!({"pending_from": pending_from}))).await;
        raw.frame_of("people").await;
        // The answer to a second subscribe marks the end of the first one's.
        raw.send(&crate::says::subscribe(&fresh())).await;
        let mut numbers = Vec::new();
        loop {
            let text = raw.text().await.expect("a frame");
            if text.contains(r#""type":"role""#) {
                break;
            }
            numbers.extend(entries_of(&text).iter().map(|entry| entry.value["n"].as_u64().expect("a number")));
        }
        assert_eq!(numbers, expected, "{pending_from}");
    }
}

#[tokio::test]
async fn another_history_needs_a_snapshot() {
    let (_server, mira) = TestServer::with_mira().await;
    let (book, device) = book_of(&mira, 4).await;
    let log = mira.log(&book).await;
    let right = subscribe_after(&book, 3, &hash_at(&log, 3));
    let cases = [
        (with(right.clone(), &json!({"hash": hash_at(&log, 2)})), false),
        (with(right.clone(), &json!({"hash": "0".repeat(64)})), false),
        (with(right.clone(), &json!({"epoch": fresh()})), false),
        (with(right.clone(), &json!({"epoch": fresh(), "after": 0})), false),
        (with(right.clone(), &json!({"after": 5})), false),
        (with(right.clone(), &json!({"after": u64::MAX})), false),
        (with(right.clone(), &json!({"after": 4, "hash": hash_at(&log, 4)})), true),
        (with(right.clone(), &json!({"epoch": null})), true),
        (right, true),
    ];
    for (subscribe, same_history) in cases {
        let mut raw = mira.welcomed(&device.replica).await;
        raw.send(&subscribe).await;
        let answer = raw.frame().await;
        if same_history {
            assert_eq!(answer["type"], "subscribed", "{subscribe}");
        } else {
            let required =
                json!({"type": "snapshot_required", "book": book.id, "epoch": book.epoch, "from_seq": null, "seq": 4});
            assert_eq!(answer, required, "{subscribe}");
            // Nothing of the book comes on, and a subscribe from what the snapshot says goes through.
            let snapshot = mira.snapshot(&book).await;
            let hash = snapshot["hash"].as_str().expect("a hash");
            raw.send(&subscribe_after(&book, snapshot["seq"].as_u64().expect("a seq"), hash)).await;
            assert_eq!(raw.frame().await["type"], "subscribed", "{subscribe}");
        }
    }
}

/// Subscribing while others write, many times over: never a gap, never a repeat.
#[tokio::test]
async fn live_follows_what_was_there_without_a_seam() {
    const WRITES: u64 = 150;
    let (_server, mira) = TestServer::with_mira().await;
    let (book, mut writer) = book_of(&mira, 1).await;
    let writing = tokio::spawn(async move {
        for _ in 0..WRITES {
            writer.write(&[someone()]).await;
        }
    });
    let mut followers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let log = mira.log(&book).await;
        let after = log.len() as u64;
        let subscribe = subscribe_after(&book, after, &hash_at(&log, log.len()));
        let mut raw = mira.welcomed(&fresh()).await;
        let book = book.clone();
        followers.spawn(async move {
            raw.send(&subscribe).await;
            assert_eq!(raw.frame().await["type"], "subscribed");
            assert_eq!(raw.frame().await["type"], "people");
            let entries =
                if after < WRITES + 1 { entries_until(&mut raw, &book, WRITES + 1).await } else { Vec::new() };
            let seqs: Vec<u64> = entries.iter().map(Written::seq).collect();
            assert_eq!(seqs, (after + 1..=WRITES + 1).collect::<Vec<_>>());
        });
    }
    writing.await.expect("every write enters");
    while let Some(followed) = followers.join_next().await {
        followed.expect("no gap, no repeat");
    }
}

/// A second subscribe starts over from where it says, on the same socket.
#[tokio::test]
async fn subscribing_again_starts_over() {
    let (_server, mira) = TestServer::with_mira().await;
    let (book, mut device) = book_of(&mira, 4).await;
    let log = mira.log(&book).await;
    let mut raw = mira.welcomed(&fresh()).await;
    for after in [0, 2, 0, 3] {
        raw.send(&subscribe_after(&book, after as u64, &hash_at(&log, after))).await;
        assert_eq!(raw.frame().await["type"], "subscribed");
        assert_eq!(raw.frame().await["type"], "people");
        assert_eq!(entries_until(&mut raw, &book, 4).await, log[after..]);
    }
    let live = device.write(&[someone()]).await;
    assert_eq!(entries_until(&mut raw, &book, 5).await, [live]);
}

#[tokio::test]
async fn after_an_unsubscribe_nothing_comes() {
    let (_server, mira) = TestServer::with_mira().await;
    let (book, mut device) = book_of(&mira, 2).await;
    let (quiet, mut loud) = (mira.book("Quay").await, mira.welcomed(&fresh()).await);
    let mut elsewhere = mira.device(&quiet).await;
    loud.send(&subscribe(&book.id)).await;
    entries_until_passed(&mut loud, 2).await;
    loud.send(&json!({"type": "unsubscribe", "book": book.id})).await;
    loud.send(&subscribe(&quiet.id)).await;
    loud.frame_of("entries").await;
    device.write(&[someone()]).await;
    elsewhere.write(&[someone()]).await;
    // The first that comes is the other book's.
    assert_eq!(loud.frame().await["book"], quiet.id);
}

async fn entries_until_passed(raw: &mut Raw, seq: u64) {
    loop {
        let text = raw.text().await.expect("a frame");
        if entries_of(&text).iter().any(|entry| entry.seq() == seq) {
            return;
        }
    }
}

/// 3 MB behind: frames of at most 1 MiB, each beginning where the last one ended.
#[tokio::test]
async fn who_is_far_behind_gets_frames_that_fit() {
    let (_server, mira) = TestServer::with_mira().await;
    let (book, mut device) = book_of(&mira, 1).await;
    for _ in 0..16 {
        let mutations: Vec<Value> = (1..=2)
            .map(|ahead| mutation(device.n + ahead, &(0..10).map(|_| someone_of(11_900)).collect::<Vec<_>>()))
            .collect();
        for fate in device.offer(&mutations).await {
            assert_eq!(fate.entry().rejection(), ("", ""));
        }
        device.n += 2;
    }
    let mut raw = mira.welcomed(&fresh()).await;
    raw.send(&subscribe(&book.id)).await;
    assert_eq!(raw.frame().await["type"], "subscribed");
    assert_eq!(raw.frame().await["type"], "people");
    let (mut seqs, mut sizes) = (Vec::new(), Vec::new());
    while seqs.last() != Some(&33) {
        let text = raw.text().await.expect("a frame");
        sizes.push(text.len());
        seqs.extend(entries_of(&text).iter().map(Written::seq));
    }
    assert_eq!(seqs, (1..=33).collect::<Vec<_>>());
    assert!(sizes.iter().sum::<usize>() > 3_000_000, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 1_048_576), "{sizes:?}");
    // The same for one's own: all numbers are still open, all entries at or below where it stands.
    let log = mira.log(&book).await;
    let mut own = mira.welcomed(&device.replica).await;
    own.send(&with(subscribe_after(&book, 33, &hash_at(&log, 33)), &json!({"pending_from": 1}))).await;
    let mut numbers = Vec::new();
    while numbers.last() != Some(&32) {
        let text = own.text().await.expect("a frame");
        assert!(text.len() <= 1_048_576, "{}", text.len());
        numbers.extend(entries_of(&text).iter().map(|entry| entry.value["n"].as_u64().expect("a number")));
    }
    assert_eq!(numbers, (1..=32).collect::<Vec<_>>());
}

/// One socket follows many books; each has a line of its own.
#[tokio::test]
async fn books_on_one_socket_do_not_mix() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut devices = Vec::new();
    for name in ["Harbour", "Hill", "Quay"] {
        let book = mira.book(name).await;
        devices.push(mira.device(&book).await);
    }
    let mut raw = mira.welcomed(&fresh()).await;
    for device in &devices {
        raw.send(&subscribe(&device.book.id)).await;
    }
    for round in 0..5 {
        for device in &mut devices {
            device.raw.send(&push(&device.book, &[mutation(round + 1, &[someone()])])).await;
        }
    }
    let mut seen: std::collections::BTreeMap<String, Vec<u64>> = std::collections::BTreeMap::new();
    while seen.values().map(Vec::len).sum::<usize>() < 18 {
        let text = raw.text().await.expect("a frame");
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        let seqs = entries_of(&text).into_iter().map(|entry| entry.seq());
        seen.entry(frame["book"].as_str().expect("a book").to_owned()).or_default().extend(seqs);
    }
    for device in &devices {
        assert_eq!(seen[&device.book.id], [1, 2, 3, 4, 5, 6]);
    }
}
