//! What becomes of a mutation that is said twice, in other words, by the wrong one, or at length.

use reqwest::Method;
use serde_json::{Value, json};

use crate::person::{Device, Fate};
use crate::raw::Written;
use crate::says::{fresh, mutation, push, someone, with};
use crate::server::TestServer;
use crate::stage::{Stage, outcome};

/// To withdraw a mutation its ops become `[]` under the same id and n; whichever arrives first stands.
#[tokio::test]
async fn of_a_mutation_and_its_withdrawal_the_first_stands() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let said = mutation(1, &[someone()]);
    let withdrawn = with(said.clone(), &json!({"ops": []}));
    let cases = [(1, [&said, &withdrawn], ""), (2, [&withdrawn, &said], "withdrawn")];
    for (n, order, rejection) in cases {
        let renamed = json!({"id": fresh(), "n": n});
        let [first, second] = order.map(|mutation| with(mutation.clone(), &renamed));
        let fate = device.offer(&[first]).await.remove(0).entry();
        assert_eq!(fate.rejection().0, rejection);
        assert_eq!(device.offer(&[second]).await, [Fate::Entry(fate)]);
    }
    // Both in one frame, and either way what comes after enters.
    let said = mutation(3, &[someone()]);
    let withdrawn = with(said.clone(), &json!({"ops": []}));
    device.raw.send(&push(&book, &[withdrawn, mutation(4, &[someone()])])).await;
    assert_eq!(device.fates(&[said]).await.remove(0).entry().rejection().0, "withdrawn");
    assert_eq!(mira.head(&book).await, 5);
}

/// An id that is in the log under another number of the same replica, or by another replica.
#[tokio::test]
async fn an_id_that_is_elsewhere_uses_up_the_number() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let mut other = mira.device(&book).await;
    let first = device.write(&[someone()]).await;
    let second = other.write(&[someone()]).await;
    let same_id = |n: u64, entry: &Written| with(mutation(n, &[someone()]), &json!({"id": entry.value["id"]}));
    assert_eq!(device.offer(&[same_id(2, &first)]).await, [Fate::Entry(first.clone())]);
    assert_eq!(device.offer(&[same_id(3, &second)]).await, [Fate::Entry(second)]);
    // All in one frame, the last of them new.
    let fates = device.offer(&[same_id(4, &first), mutation(5, &[someone()])]).await;
    assert_eq!(fates[0], Fate::Entry(first));
    let new = fates[1].clone().entry();
    assert_eq!((new.seq(), &new.value["n"]), (4, &json!(5)));
}

/// How somebody stands towards the book, and what a push of theirs is refused with. The number is not used up: once they
/// stand well, the same push enters.
#[tokio::test]
async fn a_refusal_is_about_standing() {
    let stage = Stage::new().await;
    let Stage { mira, jonas, book, .. } = &stage;
    let mut device = jonas.device(book).await;
    let offered = [mutation(1, &[someone()]), mutation(2, &[someone()])];
    let refused = async |device: &mut Device, code: &str| {
        for fate in device.offer(&offered).await {
            let Fate::Refused(refused) = fate else { panic!("{fate:?}") };
            // Later ones of the same push are not used up either.
            assert!(["gap", code].contains(&refused["code"].as_str().expect("a code")), "{refused}");
            assert!(refused["detail"].is_string() && refused["n"].is_u64(), "{refused}");
        }
        assert_eq!(device.offer(&offered[..1]).await[0].refusal(), code);
    };
    mira.set_role(jonas, book, "viewer").await;
    refused(&mut device, "read_only").await;
    mira.remove(jonas, book).await;
    refused(&mut device, "not_a_member").await;
    let head = mira.head(book).await;
    mira.let_in(jonas, book, "editor").await;
    let seqs: Vec<u64> = device.offer(&offered).await.into_iter().map(|fate| fate.entry().seq()).collect();
    assert_eq!(seqs, [head + 2, head + 3]);

    let archive = mira.ask(Method::DELETE, &book.path(""), None).await;
    assert_eq!(archive.status, 204, "{}", archive.body);
    let later = [mutation(3, &[someone()])];
    assert_eq!(device.offer(&later).await[0].refusal(), "archived");
    // What entered before is answered as ever.
    assert_eq!(device.offer(&offered).await.into_iter().map(|fate| fate.entry().seq()).collect::<Vec<_>>(), seqs);
}

/// A replica id belongs to the person who first used it, in the same book too, and by whatever way they push.
#[tokio::test]
async fn a_replica_of_someone_elses_is_taken() {
    let mut stage = Stage::new().await;
    let replica = stage.device("mira").replica.clone();
    stage.say("mira", 2, json!([{"op": "create_contact", "id": "@ana", "name": "Ana"}])).await;
    let Stage { jonas, book, .. } = &stage;
    let raw = jonas.welcomed(&replica).await;
    let mut thief = Device { raw, replica: replica.clone(), book: book.clone(), n: 0 };
    for n in [1, 2] {
        let offered = mutation(n, &[someone()]);
        assert_eq!(thief.offer(std::slice::from_ref(&offered)).await[0].refusal(), "replica_taken");
        let body = json!({"epoch": book.epoch, "replica": replica, "mutations": [offered]});
        let answer = jonas.ask(Method::POST, &book.path("/mutations"), Some(&body)).await.json();
        assert_eq!((&answer["entries"], &answer["refused"][0]["code"]), (&json!([]), &json!("replica_taken")));
    }
}

/// An entry has at most 512 KiB: what would become more is rejected, and changes nothing.
#[tokio::test]
async fn an_entry_has_at_most_512_kib() {
    const ENTRY_BYTES_MAX: usize = 524_288;
    const NOTES: usize = 43;
    let mut stage = Stage::new().await;
    let note = "日".repeat(4000);
    let contacts: Vec<String> = (0..NOTES).map(|at| format!("@{at}contact")).collect();
    for few in contacts.chunks(10) {
        let create = |id: &String| json!({"op": "create_contact", "id": id, "name": "Ana", "note": note});
        let ops: Vec<Value> = few.iter().map(create).collect();
        assert_eq!(stage.say("mira", 2, json!(ops)).await.as_array().map(Vec::len), Some(few.len()));
    }
    // Each op is late and becomes a conflict that carries the note which stands: 12 KB for 100 bytes.
    let clear = |id: &String| json!({"op": "update_contact", "id": id, "set": {"note": null}});
    let ops: Vec<Value> = contacts.iter().map(clear).collect();
    let before = stage.state().await;
    let rejected = stage.entry("jonas", json!({"base": 2, "ops": ops})).await;
    assert_eq!(outcome(&rejected)["rejected"], "too_large");
    assert_eq!(stage.state().await, before);

    let kept = stage.entry("jonas", json!({"base": 2, "ops": ops[1..]})).await;
    assert_eq!(kept["changes"].as_array().map(Vec::len), Some(NOTES - 1));
    let log = stage.mira.log(&stage.book).await;
    let longest = log.iter().map(|entry| entry.bytes.len()).max().expect("entries");
    assert!((ENTRY_BYTES_MAX - 13_000..=ENTRY_BYTES_MAX).contains(&longest), "{longest}");
}

/// The push of a client without a socket has the same rules.
#[tokio::test]
async fn a_push_without_a_socket() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let replica = fresh();
    let offer = async |epoch: &str, mutations: &[Value]| {
        let body = json!({"epoch": epoch, "replica": replica, "mutations": mutations});
        mira.ask(Method::POST, &book.path("/mutations"), Some(&body)).await
    };
    let mutations = [mutation(1, &[someone()]), mutation(2, &[]), mutation(4, &[someone()])];
    let answer = offer(&book.epoch, &mutations).await;
    assert_eq!(answer.status, 200);
    let (log, told) = (mira.log(&book).await, answer.json());
    assert_eq!(told["entries"], json!([log[1].value, log[2].value]));
    assert_eq!(told["entries"][1]["rejected"]["code"], "withdrawn");
    let refused = &told["refused"][0];
    let expected = [&json!("gap"), &mutations[2]["id"], &json!(4), &json!(3)];
    assert_eq!([&refused["code"], &refused["id"], &refused["n"], &refused["expected"]], expected);

    // The same again, the exact bytes.
    let again = offer(&book.epoch, &mutations[..2]).await;
    let bytes: Vec<String> = crate::raw::entry_bytes_of(&again.body).iter().map(|raw| raw.get().to_owned()).collect();
    assert_eq!(bytes, [log[1].bytes.clone(), log[2].bytes.clone()]);
    let elsewhen = offer(&fresh(), &mutations[..1]).await.json();
    assert_eq!((&elsewhen["entries"], &elsewhen["refused"][0]["code"]), (&json!([]), &json!("wrong_epoch")));
    for malformed in [json!({}), json!([7]), json!(null)] {
        let body = json!({"epoch": book.epoch, "replica": replica, "mutations": malformed});
        let answer = mira.ask(Method::POST, &book.path("/mutations"), Some(&body)).await;
        assert_eq!(answer.problem(), (400, "malformed".into()), "{body}");
    }
}
