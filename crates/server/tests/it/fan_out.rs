//! Many followers: what one writes, all see, in one order.

use serde_json::{Value, json};

use crate::person::Device;
use crate::raw::{Raw, SYNC, entry_bytes_of};
use crate::says::{fresh, hello, mutation, push, someone, someone_of, subscribe};
use crate::server::TestServer;

const FOLLOWERS: usize = 50;
const WRITERS: usize = 5;
const MUTATIONS: usize = 500;

/// The seqs of all entries that come, until the one of `until`.
async fn seqs_until(raw: &mut Raw, until: u64) -> Vec<u64> {
    #[derive(serde::Deserialize)]
    struct Placed {
        seq: u64,
    }
    let mut seqs = Vec::new();
    while seqs.last() != Some(&until) {
        let text = raw.text().await.expect("a frame");
        for entry in entry_bytes_of(&text) {
            seqs.push(serde_json::from_str::<Placed>(entry.get()).expect("an entry").seq);
        }
    }
    seqs
}

#[tokio::test]
async fn each_follower_sees_each_entry_once_and_in_order() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let last = MUTATIONS as u64 + 1;
    let mut followers = tokio::task::JoinSet::new();
    for _ in 0..FOLLOWERS {
        let mut raw = mira.welcomed(&fresh()).await;
        raw.send(&subscribe(&book.id)).await;
        followers.spawn(async move { seqs_until(&mut raw, last).await });
    }
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let mut writer = mira.device(&book).await;
        writers.spawn(async move {
            // Many on their way at once: answers are waited for at the end.
            let mutations: Vec<Value> = (1..=MUTATIONS / WRITERS).map(|n| mutation(n as u64, &[someone()])).collect();
            for few in mutations.chunks(5) {
                writer.raw.send(&push(&writer.book, few)).await;
            }
            writer.fates(&mutations).await.into_iter().map(|fate| fate.entry().seq()).collect::<Vec<_>>()
        });
    }
    let mut acknowledged = Vec::new();
    while let Some(seqs) = writers.join_next().await {
        let seqs = seqs.expect("every mutation enters");
        assert!(seqs.is_sorted(), "a writer's own entries keep its order");
        acknowledged.extend(seqs);
    }
    acknowledged.sort_unstable();
    assert_eq!(acknowledged, (2..=last).collect::<Vec<_>>());
    let all: Vec<u64> = (1..=last).collect();
    let mut complete = 0;
    while let Some(seqs) = followers.join_next().await {
        assert_eq!(seqs.expect("no panic"), all);
        complete += 1;
    }
    assert_eq!(complete, FOLLOWERS);
}

/// Each looks its session up again while it opens its book, and the store has fewer readers than that.
#[tokio::test]
async fn all_who_come_at_once_are_let_in() {
    const AT_ONCE: usize = 200;
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let bearer = format!("Bearer {}", mira.token);
    let mut coming = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (address, bearer, book) = (mira.address, bearer.clone(), book.id.clone());
        coming.spawn(async move {
            let headers = [("sec-websocket-protocol", SYNC), ("authorization", &*bearer)];
            let (mut raw, _) = Raw::open(address, "/ws", &headers).await.expect("an open socket");
            raw.send(&hello(&fresh(), None)).await;
            raw.send(&subscribe(&book)).await;
            seqs_until(&mut raw, 1).await
        });
    }
    let all_in = async {
        while let Some(seqs) = coming.join_next().await {
            assert_eq!(seqs.expect("let in"), [1]);
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), all_in).await.expect("nobody waits for ever");
}

/// A follower that stops reading holds up nobody, and then reads everything.
#[tokio::test]
async fn a_follower_that_stops_reading_misses_nothing() {
    const BULKY: u64 = 60;
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut stopped =
        Raw::open_narrow(mira.address, "/ws", &[("sec-websocket-protocol", SYNC)]).await.expect("an open socket");
    stopped.send(&hello(&fresh(), Some(&mira.token))).await;
    stopped.send(&subscribe(&book.id)).await;
    assert_eq!(stopped.frame_of("people").await["book"], book.id);

    let mut reading = mira.welcomed(&fresh()).await;
    reading.send(&subscribe(&book.id)).await;
    let mut writer: Device = mira.device(&book).await;
    for _ in 0..BULKY {
        let ops: Vec<Value> = (0..10).map(|_| someone_of(11_900)).collect();
        writer.write(&ops).await;
    }
    // 7 MB are more than the line holds, so the one that stopped is behind while this one is through.
    let all: Vec<u64> = (1..=BULKY + 1).collect();
    assert_eq!(seqs_until(&mut reading, BULKY + 1).await, all);
    assert_eq!(seqs_until(&mut stopped, BULKY + 1).await, all);

    let live = writer.write(&[someone()]).await;
    assert_eq!(seqs_until(&mut stopped, live.seq()).await, [live.seq()]);
    assert_eq!(live.value["n"], json!(BULKY + 1));
}
