//! The hash chain, computed by hand from the log's bytes.

use serde_json::Value;

use crate::raw::{Chain, Written};
use crate::says::{contact, fresh, mutation, someone, subscribe};
use crate::server::TestServer;

#[tokio::test]
async fn every_hash_the_server_names_is_the_chains() {
    let (server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    for _ in 0..15 {
        // Rejections are entries like all others.
        let mutations: Vec<Value> = (1..=20)
            .map(|ahead| {
                let op = if ahead % 7 == 0 { contact(&fresh(), "") } else { someone() };
                mutation(device.n + ahead, &[op])
            })
            .collect();
        device.offer(&mutations).await;
        device.n += 20;
    }
    let log = mira.log(&book).await;
    assert_eq!(log.iter().map(Written::seq).collect::<Vec<_>>(), (1..=301).collect::<Vec<_>>());

    let mut chain = Chain::default();
    for seq in 0..=log.len() {
        if seq > 0 {
            chain = chain.followed_by(&log[seq - 1].bytes);
        }
        let answer = mira.get(&format!("/api/v1/books/{}/entries/{seq}/hash", book.id)).await.json();
        assert_eq!((answer["seq"].as_u64(), answer["hash"].as_str()), (Some(seq as u64), Some(chain.hex().as_str())));
    }
    let mut raw = mira.welcomed(&fresh()).await;
    raw.send(&subscribe(&book.id)).await;
    assert_eq!(raw.frame().await["head_hash"], chain.hex());
    assert_eq!(mira.snapshot(&book).await["hash"], chain.hex());

    // The same bytes by all three ways, and after a restart.
    let listed = mira.get(&format!("/api/v1/books/{}/entries", book.id)).await;
    let as_sent: Vec<String> =
        crate::raw::entry_bytes_of(&listed.body).iter().map(|raw| raw.get().to_owned()).collect();
    assert_eq!(as_sent, log.iter().map(|entry| entry.bytes.clone()).collect::<Vec<_>>());
    let mut followed = Vec::new();
    while followed.len() < log.len() {
        followed.extend(crate::raw::entries_of(&raw.text().await.expect("a frame")));
    }
    assert_eq!(followed, log);
    drop(raw);
    let server = server.stop().restarted().await;
    let mira = mira.at(server.address);
    assert_eq!(mira.log(&book).await, log);
    assert_eq!(mira.snapshot(&book).await["hash"], chain.hex());
}
