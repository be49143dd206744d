//! Pushing: what enters, what is answered twice with the same, and what is refused because of standing.

use serde_json::{Value, json};

use crate::person::{Device, Fate};
use crate::raw::{Chain, Written};
use crate::says::{fresh, mutation, push, someone, subscribe, with};
use crate::server::TestServer;

#[tokio::test]
async fn a_mutation_becomes_an_entry_of_the_chain() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let op = with(someone(), &json!({"note": "two\nlines", "phone": "+81 3"}));
    let mutation = with(mutation(1, std::slice::from_ref(&op)), &json!({"base": 1, "undoes": 1}));
    let entry = device.offer(std::slice::from_ref(&mutation)).await.remove(0).entry();

    let mut change = with(op, &json!({"type": "contact_created"}));
    change.as_object_mut().expect("an object").remove("op");
    let at = entry.value["at"].clone();
    let expected = json!({
        "seq": 2, "at": at, "by": mira.id, "replica": device.replica, "n": 1, "id": mutation["id"],
        "made_at": mutation["made_at"], "undoes": 1, "changes": [change],
    });
    assert_eq!(entry.value, expected);
    assert!(at.as_u64().expect("a time") > 1_700_000_000_000, "{at}");

    // Another replica gets the very same bytes, and the hash is theirs.
    let mut other = mira.device(&book).await;
    other.raw.send(&subscribe(&book.id)).await;
    let subscribed = other.raw.frame().await;
    let log = mira.log(&book).await;
    assert_eq!(log[1], entry);
    assert_eq!(subscribed["head_hash"], Chain::of(log.iter().map(|entry| entry.bytes.as_str())).hex());
}

#[tokio::test]
async fn a_duplicate_is_answered_with_its_entry() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let mutations: Vec<Value> = (1..=3).map(|n| mutation(n, &[someone()])).collect();
    let first: Vec<Written> = device.offer(&mutations).await.into_iter().map(Fate::entry).collect();
    let head = mira.head(&book).await;

    // At once, one by one, from another socket of the replica, and with other ops under the same id: the first stands.
    let again = |fates: Vec<Fate>| fates.into_iter().map(Fate::entry).collect::<Vec<_>>();
    assert_eq!(again(device.offer(&mutations).await), first);
    for (mutation, entry) in mutations.iter().zip(&first) {
        assert_eq!(again(device.offer(std::slice::from_ref(mutation)).await), std::slice::from_ref(entry));
    }
    let mut elsewhere = Device { raw: mira.welcomed(&device.replica).await, ..mira.device(&book).await };
    assert_eq!(again(elsewhere.offer(&mutations).await), first);
    let withdrawn = with(mutations[1].clone(), &json!({"ops": []}));
    assert_eq!(again(device.offer(&[withdrawn]).await), [first[1].clone()]);
    assert_eq!(mira.head(&book).await, head);
}

/// Twice in one frame, and twice before the first is on disk.
#[tokio::test]
async fn a_duplicate_on_the_way_is_the_same_entry() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let twice = [mutation(1, &[someone()])];
    device.raw.send(&push(&book, &[twice[0].clone(), twice[0].clone()])).await;
    device.raw.send(&push(&book, &twice)).await;
    let fates = device.fates(&[twice[0].clone(), twice[0].clone(), twice[0].clone()]).await;
    let seqs: Vec<u64> = fates.into_iter().map(|fate| fate.entry().seq()).collect();
    assert_eq!(seqs, [2, 2, 2]);
    assert_eq!(mira.head(&book).await, 2);
}

/// Also who follows the book and has seen the entry gets it again when it asks again.
#[tokio::test]
async fn a_duplicate_is_answered_to_a_follower_too() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    device.raw.send(&subscribe(&book.id)).await;
    let mutation = mutation(1, &[someone()]);
    let first = device.offer(std::slice::from_ref(&mutation)).await;
    assert_eq!(device.offer(&[mutation]).await, first);
}

#[tokio::test]
async fn numbers_leave_no_gap() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    // For each push, its numbers, and per mutation the seq of its entry, or the refusal and what is expected instead.
    let gap = |expected: u64| Err(("gap", Some(expected)));
    let cases: [(&[u64], &[Told<'_>]); 6] = [
        (&[2], &[gap(1)]),
        (&[2, 3], &[gap(1), gap(1)]),
        (&[1, 3, 4], &[Ok(2), gap(2), gap(2)]),
        (&[u64::MAX], &[gap(2)]),
        (&[2, 3], &[Ok(3), Ok(4)]),
        (&[4], &[Ok(5)]),
    ];
    for (numbers, expected) in cases {
        let mutations: Vec<Value> = numbers.iter().map(|n| mutation(*n, &[someone()])).collect();
        let fates = device.offer(&mutations).await;
        let got: Vec<Told<'_>> = fates.iter().map(fate_of).collect();
        assert_eq!(got, expected, "{numbers:?}");
    }
}

/// The entry's seq, or the refusal's code and the number it expects.
type Told<'a> = Result<u64, (&'a str, Option<u64>)>;

fn fate_of(fate: &Fate) -> Told<'_> {
    match fate {
        Fate::Entry(entry) => Ok(entry.seq()),
        Fate::Refused(refused) => Err((fate.refusal(), refused["expected"].as_u64())),
    }
}

#[tokio::test]
async fn a_number_used_for_something_else_is_a_fork() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let first = device.write(&[someone()]).await;
    device.write(&[someone()]).await;
    let (other, later) = (mutation(1, &[someone()]), mutation(3, &[someone()]));
    let fates = device.offer(&[other, later]).await;
    assert_eq!(fates[0].refusal(), "forked");
    assert!(!fates[1].refusal().is_empty(), "what follows a refusal does not enter: {:?}", fates[1]);
    assert_eq!(mira.head(&book).await, 3);

    // The copy takes a new replica id and offers the same again: what is in the log stays the first entry's.
    let mut copy = mira.device(&book).await;
    let (known, new) = (with(mutation(1, &[someone()]), &json!({"id": first.value["id"]})), mutation(2, &[someone()]));
    let fates = copy.offer(&[known.clone(), new]).await;
    assert_eq!(fates[0].clone().entry(), first);
    let new = fates[1].clone().entry();
    assert_eq!((new.seq(), &new.value["n"]), (4, &json!(2)));
    // The number it used up is used up, also for a repeat and after a restart of the line.
    assert_eq!(copy.offer(std::slice::from_ref(&known)).await[0], Fate::Entry(first));
    assert_eq!(copy.offer(&[mutation(1, &[someone()])]).await[0].refusal(), "forked");
}

/// Standing, not content: the mutation, the refusal's code.
#[tokio::test]
async fn refusals_are_about_standing_and_use_up_no_number() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let head = mira.head(&book).await;
    let good = mutation(1, &[someone()]);
    let cases = [
        (with(good.clone(), &json!({"base": head + 1})), "wrong_epoch"),
        (with(good.clone(), &json!({"base": u64::MAX})), "wrong_epoch"),
        (with(good.clone(), &json!({"ops": [{"op": "fly_to_the_moon"}]})), "unknown_op"),
        (with(good.clone(), &json!({"ops": [someone(), {"op": "", "id": 7}]})), "unknown_op"),
    ];
    for (mutation, code) in cases {
        // What comes after it in the same push doesn't enter either.
        let fates = device.offer(&[mutation.clone(), crate::says::mutation(2, &[someone()])]).await;
        assert_eq!(fates[0].refusal(), code, "{mutation}");
        assert!(!fates[1].refusal().is_empty(), "{:?}", fates[1]);
    }
    let elsewhen = with(push(&book, std::slice::from_ref(&good)), &json!({"epoch": fresh()}));
    device.raw.send(&elsewhen).await;
    assert_eq!(device.fates(std::slice::from_ref(&good)).await[0].refusal(), "wrong_epoch");

    assert_eq!(mira.head(&book).await, head);
    assert_eq!(device.offer(&[with(good, &json!({"base": head}))]).await[0].clone().entry().seq(), head + 1);
}

/// A replica id belongs to the person who first used it, in whatever book. (Two people in one book need invites.)
#[tokio::test]
async fn a_replica_is_one_persons() {
    let (server, mira) = TestServer::with_mira().await;
    let jonas = server.person("Jonas").await;
    let (hers, his) = (mira.book("Harbour Street").await, jonas.book("Hill Road").await);
    let mut device = mira.device(&hers).await;
    device.write(&[someone()]).await;

    let raw = jonas.welcomed(&device.replica).await;
    let mut thief = Device { raw, replica: device.replica.clone(), book: his.clone(), n: 0 };
    assert_eq!(thief.offer(&[mutation(1, &[someone()])]).await[0].refusal(), "replica_taken");
    assert_eq!(jonas.head(&his).await, 1);

    // Mira herself may use it in any book of hers.
    let mut elsewhere = Device { book: mira.book("Quay").await, n: 0, ..device };
    elsewhere.write(&[someone()]).await;
}

/// Nobody's yet when a socket first pushed with it, and somebody else's by the next time.
#[tokio::test]
async fn a_replica_can_be_claimed_between_two_pushes() {
    let (server, mira) = TestServer::with_mira().await;
    let jonas = server.person("Jonas").await;
    let (hers, his) = (mira.book("Harbour Street").await, jonas.book("Hill Road").await);
    let mut first = jonas.device(&his).await;
    assert_eq!(first.offer(&[mutation(2, &[someone()])]).await[0].refusal(), "gap");
    let raw = mira.welcomed(&first.replica).await;
    Device { raw, replica: first.replica.clone(), book: hers, n: 0 }.write(&[someone()]).await;
    assert_eq!(first.offer(&[mutation(1, &[someone()])]).await[0].refusal(), "replica_taken");
    assert_eq!(jonas.head(&his).await, 1);
}

/// Many sockets of one replica may push at once: each mutation still enters once.
#[tokio::test]
async fn sockets_of_one_replica_agree() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let first = mira.device(&book).await;
    let replica = first.replica.clone();
    let mutations: Vec<Value> = (1..=20).map(|n| mutation(n, &[someone()])).collect();
    let mut offers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (replica, book, mutations) = (replica.clone(), book.clone(), mutations.clone());
        let raw = mira.welcomed(&replica).await;
        offers.spawn(async move { Device { raw, replica, book, n: 0 }.offer(&mutations).await });
    }
    let expected: Vec<u64> = (2..=21).collect();
    while let Some(fates) = offers.join_next().await {
        let seqs: Vec<u64> = fates.expect("no panic").into_iter().map(|fate| fate.entry().seq()).collect();
        assert_eq!(seqs, expected);
    }
    assert_eq!(mira.head(&book).await, 21);
}

/// Ids and numbers are remembered by the log, not by the process.
#[tokio::test]
async fn a_restart_forgets_nothing() {
    let (server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let kept = device.write(&[someone()]).await;
    let used_up = with(mutation(1, &[someone()]), &json!({"id": kept.value["id"]}));
    let mut copy = mira.device(&book).await;
    copy.offer(std::slice::from_ref(&used_up)).await;
    let before = (mira.snapshot(&book).await, mira.log(&book).await);

    let server = server.stop().restarted().await;
    let mira = mira.at(server.address);
    assert_eq!((mira.snapshot(&book).await, mira.log(&book).await), before);
    let mut device = Device { raw: mira.welcomed(&device.replica).await, ..device };
    let again = with(mutation(1, &[]), &json!({"id": kept.value["id"]}));
    assert_eq!(device.offer(&[again]).await[0], Fate::Entry(kept.clone()));
    assert_eq!(device.offer(&[mutation(1, &[someone()])]).await[0].refusal(), "forked");
    let mut copy = Device { raw: mira.welcomed(&copy.replica).await, ..copy };
    assert_eq!(copy.offer(&[used_up]).await[0], Fate::Entry(kept));
    assert_eq!(copy.offer(&[mutation(2, &[someone()])]).await[0].clone().entry().seq(), 3);
}
