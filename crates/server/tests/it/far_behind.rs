//! A replica that lacks very much takes a snapshot in place of all the entries.

use serde_json::{Value, json};

use crate::person::{Device, Fate};
use crate::says::{fresh, mutation, someone, subscribe, subscribe_after};
use crate::server::TestServer;

/// Writes so many entries, most of them as small as an entry can be.
pub(crate) async fn write_many(device: &mut Device, entries: u64) {
    const A_FRAME: u64 = 800;
    let last = device.n + entries;
    while device.n < last {
        let numbers = device.n + 1..=last.min(device.n + A_FRAME);
        device.n = *numbers.end();
        let ops = |n: u64| if n % 100 == 1 { vec![someone()] } else { Vec::new() };
        let mutations: Vec<Value> = numbers.map(|n| mutation(n, &ops(n))).collect();
        device.raw.send(&crate::says::push(&device.book, &mutations)).await;
        // They are decided in order, so the fate of the last tells that of all.
        let fates = device.fates(&mutations[mutations.len() - 1..]).await;
        assert!(matches!(fates[0], Fate::Entry(_)), "{fates:?}");
    }
}

#[tokio::test]
async fn who_is_far_behind_is_sent_to_the_snapshot() {
    const HEAD: u64 = 10_101;
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    write_many(&mut device, HEAD - 1).await;

    let mut raw = mira.welcomed(&fresh()).await;
    raw.send(&subscribe(&book.id)).await;
    let required =
        json!({"type": "snapshot_required", "book": book.id, "epoch": book.epoch, "from_seq": 0, "seq": HEAD});
    assert_eq!(raw.frame().await, required);

    // From what the snapshot says it goes on, with what came meanwhile and then live.
    let snapshot = mira.snapshot(&book).await;
    assert_eq!((&snapshot["seq"], &snapshot["replicas"][&device.replica]), (&json!(HEAD), &json!(HEAD - 1)));
    let meanwhile = device.write(&[someone()]).await;
    raw.send(&subscribe_after(&book, HEAD, snapshot["hash"].as_str().expect("a hash"))).await;
    assert_eq!(raw.frame().await["type"], "subscribed");
    assert_eq!(raw.frame().await["type"], "people");
    assert_eq!(raw.frame().await["entries"], json!([meanwhile.value]));
    let live = device.write(&[someone()]).await;
    assert_eq!(raw.frame().await["entries"], json!([live.value]));

    // Who lacks a little takes the entries.
    let after = HEAD - 10;
    let hash = mira.get(&book.path(&format!("/entries/{after}/hash"))).await.json();
    raw.send(&subscribe_after(&book, after, hash["hash"].as_str().expect("a hash"))).await;
    assert_eq!(raw.frame().await["type"], "subscribed");
}
