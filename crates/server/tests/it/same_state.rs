//! A client that starts from a snapshot has the state of one that starts from nothing, and decides like it.

use serde_json::{Value, json};
use tidebook_book::{Author, Draft, Entry, Knows, MutationId, Seq, Snapshot, UnixMillis};
use tidebook_ledger::{Ledger, LedgerBook, LedgerOp};

use crate::says::fresh;
use crate::stage::Stage;

/// A book with something of everything: edits of each, deleted ones, conflicts that are open and that are decided.
async fn busy() -> Stage {
    let mut stage = Stage::new().await;
    let contact = |id: &str| json!({"op": "create_contact", "id": id, "name": id});
    let transaction = |id: &str, contact: &str| {
        json!({"op": "create_transaction", "id": id, "contact": contact, "direction": "gave", "amount": 5,
            "currency": "EUR", "date": "2026-11-22"})
    };
    let ana = |set: Value| json!({"op": "update_contact", "id": "@ana", "set": set});
    let lunch = |set: Value| json!({"op": "update_transaction", "id": "@lunch", "set": set});
    let on = |op: &str, id: &str| json!({"op": op, "id": id});
    let rows = [
        ("mira", 2, json!([contact("@ana"), contact("@bo"), contact("@cy"), transaction("@lunch", "@ana")])),
        ("mira", 3, json!([transaction("@taxi", "@bo"), transaction("@tea", "@cy"), ana(json!({"note": "a"}))])),
        (
            "laptop",
            4,
            json!([lunch(json!({"amount": 6})), on("delete_transaction", "@taxi"), on("delete_contact", "@cy")]),
        ),
        // Conflicts 1 to 4, of every kind.
        ("jonas", 3, json!([ana(json!({"note": "b", "phone": "7"})), lunch(json!({"currency": "USD"}))])),
        ("jonas", 4, json!([{"op": "update_transaction", "id": "@taxi", "set": {"note": "n"}}])),
        ("jonas", 3, json!([on("delete_contact", "@ana")])),
        ("mira", 6, json!([{"op": "resolve_conflict", "id": "@1", "apply": false}])),
        ("mira", 9, json!([{"op": "update_book", "set": {"name": "Hill Road"}}, ana(json!({"name": ""}))])),
        ("mira", 9, json!([{"op": "update_book", "set": {"name": "Hill Road"}}])),
    ];
    for (who, base, ops) in rows {
        stage.say(who, base, ops).await;
    }
    stage
}

async fn of_the_log(stage: &Stage) -> LedgerBook {
    let mut state = LedgerBook::default();
    for entry in stage.mira.log(&stage.book).await {
        let entry: Entry<_> = serde_json::from_str(&entry.bytes).expect("an entry");
        state.apply_entry(&entry);
    }
    state
}

#[tokio::test]
async fn from_a_snapshot_and_from_nothing_are_the_same() {
    let mut stage = busy().await;
    let told = stage.mira.snapshot(&stage.book).await;
    let head = told["seq"].as_u64().expect("a seq");
    let snapshot: Snapshot<Ledger> = serde_json::from_value(told.clone()).expect("a snapshot");
    let state_hash = snapshot.state_hash;
    let (mut one, mut other) = (snapshot.into_state(), of_the_log(&stage).await);
    assert_eq!((one.hash(), other.hash()), (state_hash, state_hash));

    // Whatever is asked of either, from whichever base: the same changes, or the same rejection.
    let open = told["state"]["conflicts"].as_array().expect("a list");
    assert_eq!(open.len(), 3, "{told}");
    let mut asked: Vec<Value> = open
        .iter()
        .flat_map(|conflict| {
            [true, false].map(|apply| json!({"op": "resolve_conflict", "id": conflict["id"], "apply": apply}))
        })
        .collect();
    for id in ["@ana", "@bo", "@cy"] {
        asked.push(json!({"op": "update_contact", "id": id, "set": {"name": "N", "note": "x"}}));
        asked.push(json!({"op": "delete_contact", "id": id}));
        asked.push(json!({"op": "restore_contact", "id": id}));
    }
    for id in ["@lunch", "@taxi", "@tea"] {
        asked.push(json!({"op": "update_transaction", "id": id, "set": {"direction": "got", "contact": "@bo"}}));
        asked.push(json!({"op": "update_transaction", "id": id, "set": {"contact": "@cy"}}));
        asked.push(json!({"op": "delete_transaction", "id": id}));
        asked.push(json!({"op": "restore_transaction", "id": id}));
    }
    asked.push(json!({"op": "update_book", "set": {"name": "Quay", "currency": "JPY"}}));
    let mut compared = 0;
    for device in ["mira", "laptop", "jonas"] {
        let replica = stage.device(device).replica.parse().expect("an id");
        let user = if device == "jonas" { &stage.jonas.id } else { &stage.mira.id }.parse().expect("an id");
        for op in &asked {
            let op: LedgerOp = serde_json::from_value(stage.names.written(op)).expect("an op");
            for base in 1..=head {
                let draft = Draft {
                    seq: Seq(head + 1),
                    at: UnixMillis(1),
                    author: Author { user, replica },
                    mutation: MutationId(fresh().parse().expect("an id")),
                    made_at: UnixMillis(1),
                    base: Seq(base),
                    knows: Knows::Own,
                    index: 0,
                };
                let [mut decided_one, mut decided_other] = [&mut one, &mut other].map(|state| {
                    let decided = state.decide_and_apply(std::slice::from_ref(&op), draft);
                    let hash = state.hash();
                    let decided = decided.map(|decided| {
                        state.revert_all(decided.undos);
                        decided.changes
                    });
                    Some((decided, hash))
                });
                assert_eq!(decided_one.take(), decided_other.take(), "{op:?} from {base}");
                compared += 1;
            }
        }
    }
    assert!(compared > 900, "{compared}");
    assert_eq!((one.hash(), other.hash()), (state_hash, state_hash));
}

/// Deleted records are there and marked, each field with the entry and the replica that last changed it, where that is
/// not its creation; of conflicts the open ones.
#[tokio::test]
async fn a_snapshot_says_when_each_field_last_changed() {
    let mut stage = busy().await;
    let replicas = ["mira", "laptop", "jonas"].map(|device| stage.device(device).replica.clone());
    for (name, id) in ["@phone", "@laptop", "@his"].into_iter().zip(&replicas) {
        stage.names.give(name, id);
    }
    let state = stage.state().await;
    let record = |list: &str, id: &str| {
        let records = state[list].as_array().expect("a list");
        records.iter().find(|record| record["id"] == id).unwrap_or_else(|| panic!("no {id}: {state}")).clone()
    };
    let changed = |list: &str, id: &str| {
        let record = record(list, id);
        let fields = record["changed"].as_object().cloned().unwrap_or_default();
        let told: Vec<(String, Value, Value)> =
            fields.into_iter().map(|(field, stamp)| (field, stamp["seq"].clone(), stamp["replica"].clone())).collect();
        (record["deleted"].clone(), told)
    };
    let stamp = |field: &str, seq: u64, replica: &str| (field.to_owned(), json!(seq), json!(replica));
    let cases = [
        ("contacts", "@ana", false, vec![stamp("note", 4, "@phone"), stamp("phone", 6, "@his")]),
        ("contacts", "@bo", false, vec![]),
        ("contacts", "@cy", true, vec![stamp("deleted", 5, "@laptop")]),
        // The three are one field, and so have one stamp.
        ("transactions", "@lunch", false, ["amount", "currency", "direction"].map(|it| stamp(it, 5, "@laptop")).into()),
        ("transactions", "@taxi", true, vec![stamp("deleted", 5, "@laptop")]),
        ("transactions", "@tea", false, vec![]),
    ];
    for (list, id, deleted, stamps) in cases {
        assert_eq!(changed(list, id), (json!(deleted), stamps), "{id}");
    }
    let kinds: Vec<&Value> =
        state["conflicts"].as_array().expect("a list").iter().map(|conflict| &conflict["kind"]).collect();
    assert_eq!(kinds, ["edit_edit", "delete_edit", "edit_delete"]);
    assert_eq!((&state["book"]["name"], &state["book"]["currency"]), (&json!("Hill Road"), &json!("EUR")));
}
