//! Thousands of broken frames: whatever comes, the server answers everyone else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::person::{Book, Person};
use crate::raw::{Chain, Raw};
use crate::says::{fresh, hello, mutation, push, someone, subscribe, transaction};
use crate::server::TestServer;

const FRAMES: usize = 4_000;

/// A frame as a client would write it, before the dice get at it.
fn whole(dice: &mut Dice, mira: &Person, book: &Book) -> Value {
    let n = dice.roll() % 4;
    match dice.below(6) {
        0 => hello(&fresh(), Some(&mira.token)),
        1 => subscribe(&book.id),
        2 => json!({"type": "unsubscribe", "book": book.id}),
        3 => push(book, &[mutation(n, &[someone(), transaction(&fresh(), "gave", n, "EUR")])]),
        4 => push(book, &[mutation(n, &[]), mutation(n + 1, &[someone()])]),
        _ => {
            json!({"type": "presence", "book": book.id, "viewing": null, "editing": {"kind": "book", "field": "name"}})
        }
    }
}

/// Cuts, swaps, repeats, and puts in what hurts.
fn broken(dice: &mut Dice, whole: &Value) -> String {
    const HURTFUL: [&str; 14] = [
        "null",
        "-1",
        "1e999",
        "18446744073709551615",
        "18446744073709551616",
        "9007199254740993",
        "\"\\ud800\"",
        "[[[[[[[[",
        "}",
        "\"",
        "\\",
        "\u{0}",
        "\u{202e}🏴",
        "{\"type\":\"push\"}",
    ];
    let mut text: Vec<char> = whole.to_string().chars().collect();
    for _ in 0..=dice.below(3) {
        let at = dice.below(text.len() + 1);
        match dice.below(5) {
            0 => text.truncate(at),
            1 => drop(text.splice(at..at, dice.pick(&HURTFUL).chars())),
            2 => drop(text.splice(at..(at + dice.below(40)).min(text.len()), [])),
            3 => {
                // A value in the place of another.
                let colons: Vec<usize> = (0..text.len()).filter(|at| text[*at] == ':').collect();
                if let Some(colon) = colons.get(dice.below(colons.len().max(1))) {
                    let ends = |at: &usize| matches!(text[*at], ',' | '}' | ']');
                    let end = (colon + 1..text.len()).find(ends).unwrap_or(text.len());
                    text.splice(colon + 1..end, dice.pick(&HURTFUL).chars());
                }
            }
            _ => {
                let piece: Vec<char> = text[..at].to_vec();
                text.extend(piece);
            }
        }
    }
    text.into_iter().take(200_000).collect()
}

#[tokio::test]
async fn no_garbage_takes_the_server_down() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut bystander = mira.device(&book).await;
    let mut dice = Dice(7);
    let mut endings: BTreeMap<Option<u16>, usize> = BTreeMap::new();
    let mut raw: Option<Raw> = None;
    for _ in 0..FRAMES {
        let socket = match raw.take() {
            Some(socket) => raw.insert(socket),
            None if dice.below(4) == 0 => raw.insert(mira.silent().await),
            None => raw.insert(mira.welcomed(&fresh()).await),
        };
        let frame = whole(&mut dice, &mira, &book);
        if dice.below(20) == 0 {
            socket.send_binary((0..dice.below(300)).map(|at| at.to_le_bytes()[0]).collect()).await;
        } else {
            socket.send_text(broken(&mut dice, &frame)).await;
        }
        // A question with a sure answer shows whether the socket still stands.
        let unknown = fresh();
        socket.send(&subscribe(&unknown)).await;
        let ended = loop {
            match socket.text().await {
                Ok(text) if text.contains(&unknown) && text.contains(r#""type":"role""#) => break None,
                Ok(_) => {}
                Err(closed) => break Some(closed.0),
            }
        };
        if let Some(code) = ended {
            *endings.entry(code).or_default() += 1;
            raw = None;
        }
    }
    let known = [Some(4400), Some(4401)];
    assert!(endings.keys().all(|code| known.contains(code)), "{endings:?}");
    assert!(endings.values().sum::<usize>() > FRAMES / 4, "the dice broke too little: {endings:?}");

    bystander.write(&[someone()]).await;
    let log = mira.log(&book).await;
    assert!(log.iter().enumerate().all(|(index, entry)| entry.seq() == index as u64 + 1));
    let hash = Chain::of(log.iter().map(|entry| entry.bytes.as_str())).hex();
    assert_eq!(mira.snapshot(&book).await["hash"], hash);
}
