//! A disk is copied to a second machine, and both go on as if they were the one device: nothing of either is lost.

use rusqlite::Connection;

use crate::home::{Home, sound_but_for_used_up_numbers};
use crate::program::Place;

/// What each of the two writes without a network.
const CHANGES: usize = 4;

/// How the two come back.
#[derive(Debug, Clone, Copy)]
enum Return {
    OneAfterTheOther,
    AtOnce,
}

#[tokio::test]
async fn two_that_believe_they_are_the_same_device_both_keep_what_they_wrote() {
    for how in [Return::OneAfterTheOther, Return::AtOnce] {
        let place = Place::new().await;
        let book = place.mira.book("Harbour Street").await;
        let here = Home::of(&place.mira);
        let mut saved = vec![mutation_of(here.done(&["add", "Ana", "12", "--gave"]).await)];
        // This one waits on both.
        saved.push(mutation_of(here.saved_offline(&["add", "Ana", "1", "--got"]).await));
        let there = here.copied();
        assert_eq!(replica_in(&here), replica_in(&there));
        for home in [&here, &there] {
            for amount in 1..=CHANGES {
                let amount = amount.to_string();
                saved.push(mutation_of(home.saved_offline(&["add", "Ana", &amount, "--gave"]).await));
            }
        }
        match how {
            Return::OneAfterTheOther => {
                here.sync().await;
                there.sync().await;
            }
            Return::AtOnce => {
                tokio::join!(here.sync(), there.sync());
            }
        }
        // What the other sent meanwhile.
        here.sync().await;
        there.sync().await;
        assert_ne!(replica_in(&here), replica_in(&there), "one of them is another device from now on: {how:?}");
        let snapshot = here.assert_has_what_the_server_has(&book).await;
        there.assert_has_what_the_server_has(&book).await;
        let log = place.mira.log(&book).await;
        // What waited on both is offered by both.
        let entries = sound_but_for_used_up_numbers(&log, &snapshot);
        for mutation in &saved {
            assert!(entries.get(mutation.as_str()).is_some_and(|entry| entry.rejection() == ("", "")), "{mutation}");
        }
        assert_eq!(log.len(), 1 + saved.len(), "the book's own first entry, and what was written: {how:?}");
        assert!(saved.len() == 2 + 2 * CHANGES);
    }
}

fn mutation_of(said: serde_json::Value) -> String {
    said["mutation"].as_str().expect("an id").to_owned()
}

/// Whose numbers the store holds.
fn replica_in(home: &Home) -> String {
    let conn = Connection::open(home.store()).expect("a store");
    conn.query_row("SELECT text FROM facts WHERE name = 'replica'", [], |row| row.get(0)).expect("an id")
}
