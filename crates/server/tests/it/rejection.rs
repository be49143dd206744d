//! Content at fault is an entry that says so: every field on both sides of each of its bounds.

use serde_json::{Value, json};

use crate::person::{Device, Person};
use crate::says::{contact, fresh, mutation, someone, transaction, with};
use crate::server::TestServer;

/// 2^53 − 1: what the amounts of one book and currency may add up to.
const GROSS_MAX: u64 = 9_007_199_254_740_991;
const AMOUNT_MAX: u64 = 1_000_000_000_000_000;

const ENTERS: (&str, &str) = ("", "");

/// Writes each case as one mutation and compares the code and field of its rejection; then the rejections are seen to
/// have used up their numbers and changed nothing.
async fn check(mira: &Person, device: &mut Device, cases: &[(Value, (&str, &str))]) {
    let before = mira.snapshot(&device.book).await;
    let mut entered = 0;
    for (ops, expected) in cases {
        let ops = ops.as_array().cloned().unwrap_or_else(|| vec![ops.clone()]);
        let entry = device.write(&ops).await;
        let shown: String = json!(ops).to_string().chars().take(300).collect();
        assert_eq!(entry.rejection(), *expected, "{shown}");
        assert_eq!(entry.value["n"], device.n);
        let rejected = &entry.value["rejected"];
        if *expected == ENTERS {
            assert!(rejected.is_null());
            entered += entry.value["changes"].as_array().expect("changes").len();
        } else {
            assert!(rejected["detail"].is_string() && rejected["op"].is_u64(), "{rejected}");
            assert_eq!(entry.value["changes"], json!([]), "{shown}");
        }
    }
    let after = mira.snapshot(&device.book).await;
    let records = |snapshot: &Value| {
        let state = &snapshot["state"];
        [&state["contacts"], &state["transactions"]]
            .map(|list| list.as_array().expect("a list").len())
            .iter()
            .sum::<usize>()
    };
    assert_eq!(records(&after), records(&before) + entered);
    assert_eq!(after["replicas"][&device.replica], device.n);
}

fn invalid(field: &'static str) -> (&'static str, &'static str) {
    ("invalid_field", field)
}

#[tokio::test]
async fn a_contacts_fields_have_bounds() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut device = mira.device(&mira.book("Harbour Street").await).await;
    let named = |name: &str| contact(&fresh(), name);
    let noted = |note: &str| with(someone(), &json!({"note": note}));
    let detail = |field: &str, text: &str| with(someone(), &json!({field: text}));
    let mut cases = vec![
        (named("A"), ENTERS),
        (named(&"é".repeat(200)), ENTERS),
        (named("<script>alert(1)</script>"), ENTERS),
        (named("=SUM(A1)"), ENTERS),
        (named("e\u{301}"), ENTERS),
        (named(""), invalid("name")),
        (named(&"é".repeat(201)), invalid("name")),
        (named("two\nlines"), invalid("name")),
        (named("nul\u{0}"), invalid("name")),
        (named("del\u{7f}"), invalid("name")),
        (named("c1\u{85}"), invalid("name")),
        (noted(""), ENTERS),
        (noted("two\nlines"), ENTERS),
        (noted(&"日".repeat(4000)), ENTERS),
        (noted(&"日".repeat(4001)), invalid("note")),
        (noted("a\ttab"), invalid("note")),
        (noted("return\r\n"), invalid("note")),
    ];
    for field in ["username", "phone", "email"] {
        cases.extend([
            (detail(field, &"ü".repeat(320)), ENTERS),
            (detail(field, &"ü".repeat(321)), invalid(field)),
            (detail(field, "two\nlines"), invalid(field)),
            (with(someone(), &json!({field: 7})), ("malformed", "")),
        ]);
    }
    check(&mira, &mut device, &cases).await;
}

#[tokio::test]
async fn text_is_kept_as_it_came() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut device = mira.device(&mira.book("Harbour Street").await).await;
    for name in ["e\u{301}", "é", "\u{202e}desrever", " spaced ", "👩‍🚀", "\u{fffd}", "a\u{2028}b", "A\u{300}\u{316}"]
    {
        let entry = device.write(&[contact(&fresh(), name)]).await;
        assert_eq!(entry.value["changes"][0]["name"], name);
    }
}

#[tokio::test]
async fn a_transactions_fields_have_bounds() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut device = mira.device(&mira.book("Harbour Street").await).await;
    let ana = fresh();
    device.write(&[contact(&ana, "Ana")]).await;
    let changed = |field: &str, value: Value| with(transaction(&ana, "gave", 1, "EUR"), &json!({field: value}));
    let malformed = ("malformed", "");
    let cases = [
        (changed("amount", json!(1)), ENTERS),
        (changed("amount", json!(AMOUNT_MAX)), ENTERS),
        (changed("amount", json!(0)), invalid("amount")),
        (changed("amount", json!(AMOUNT_MAX + 1)), invalid("amount")),
        (changed("amount", json!(-1)), invalid("amount")),
        (changed("amount", json!(i64::MIN)), invalid("amount")),
        (changed("amount", json!("1")), malformed),
        (changed("amount", json!(1.5)), malformed),
        (changed("amount", json!(null)), malformed),
        (changed("currency", json!("JPY")), ENTERS),
        (changed("currency", json!("eur")), invalid("currency")),
        (changed("currency", json!("XXX")), invalid("currency")),
        (changed("currency", json!("")), invalid("currency")),
        (changed("currency", json!(978)), malformed),
        (changed("direction", json!("got")), ENTERS),
        (changed("direction", json!("took")), invalid("direction")),
        (changed("direction", json!("GAVE")), invalid("direction")),
        (changed("direction", json!(true)), malformed),
        (changed("date", json!("0001-01-01")), ENTERS),
        (changed("date", json!("9999-12-31")), ENTERS),
        (changed("date", json!("2024-02-29")), ENTERS),
        (changed("date", json!("2026-02-29")), invalid("date")),
        (changed("date", json!("0000-12-31")), invalid("date")),
        (changed("date", json!("10000-01-01")), invalid("date")),
        (changed("date", json!("2026-11-22T00:00:00Z")), invalid("date")),
        (changed("date", json!("22.11.2026")), invalid("date")),
        (changed("date", json!(20_261_122)), malformed),
        (changed("due", json!("2027-01-01")), ENTERS),
        (changed("due", json!(null)), ENTERS),
        (changed("due", json!("2027-1-1")), invalid("due")),
        (changed("due", json!("")), invalid("due")),
        (changed("note", json!("日".repeat(4000))), ENTERS),
        (changed("note", json!("日".repeat(4001))), invalid("note")),
        (changed("note", json!("bell\u{7}")), invalid("note")),
        (changed("contact", json!(fresh())), ("unknown_contact", "")),
        (changed("contact", json!("ana")), malformed),
        (changed("id", json!("ID")), malformed),
    ];
    check(&mira, &mut device, &cases).await;
}

#[tokio::test]
async fn what_cannot_be_read_or_comes_twice_is_rejected() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut device = mira.device(&mira.book("Harbour Street").await).await;
    let ana = fresh();
    let first = transaction(&ana, "gave", 5, "EUR");
    device.write(&[contact(&ana, "Ana"), first.clone()]).await;
    let malformed = ("malformed", "");
    let cases = [
        (json!([contact(&ana, "Ana")]), ("id_taken", "")),
        (json!([first.clone()]), ("id_taken", "")),
        (json!([7]), malformed),
        (json!([null]), malformed),
        (json!([{}]), malformed),
        (json!([{"op": 7}]), malformed),
        (json!([{"op": "create_contact"}]), malformed),
        (json!([{"op": "create_contact", "id": fresh(), "name": null}]), malformed),
        (json!([with(someone(), &json!({"id": fresh().to_uppercase()}))]), malformed),
        // One that is wrong takes those before it along.
        (json!([someone(), someone(), contact(&ana, "Ana")]), ("id_taken", "")),
        (json!([someone(), contact(&fresh(), "")]), invalid("name")),
        (json!([]), ("withdrawn", "")),
        // Ids are unique within a book, whatever they name.
        (json!([contact(first["id"].as_str().expect("an id"), "Tomás")]), ("id_taken", "")),
    ];
    check(&mira, &mut device, &cases).await;
    // An op sees what those before it did.
    let bo = fresh();
    check(&mira, &mut device, &[(json!([contact(&bo, "Bo"), transaction(&bo, "got", 1, "EUR")]), ENTERS)]).await;
    check(&mira, &mut device, &[(json!([transaction(&bo, "got", 1, "EUR"), contact(&bo, "Bo")]), ("id_taken", ""))])
        .await;
}

/// `op` says which of them it was.
#[tokio::test]
async fn a_rejection_names_the_op() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut device = mira.device(&mira.book("Harbour Street").await).await;
    for at in [0, 1, 5] {
        let mut ops: Vec<Value> = (0..6).map(|_| someone()).collect();
        ops[at] = contact(&fresh(), "");
        assert_eq!(device.write(&ops).await.value["rejected"]["op"], at);
        ops[at] = json!({"op": "create_contact", "id": 7});
        assert_eq!(device.write(&ops).await.value["rejected"]["op"], at);
    }
}

/// A lone surrogate is no text: it can be written in JSON and must get no further.
#[tokio::test]
async fn a_lone_surrogate_is_malformed() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let mutation = mutation(1, &[contact(&fresh(), "SURROGATE")]);
    let frame = crate::says::push(&book, std::slice::from_ref(&mutation)).to_string();
    device.raw.send_text(frame.replace("SURROGATE", "\\ud800")).await;
    assert_eq!(device.fates(&[mutation]).await.remove(0).entry().rejection(), ("malformed", ""));
}

#[tokio::test]
async fn a_mutation_has_at_most_1000_ops() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut device = mira.device(&mira.book("Harbour Street").await).await;
    for (count, expected) in [(1000, ENTERS), (1001, ("too_large", ""))] {
        let ops: Vec<Value> = (0..count).map(|_| someone()).collect();
        check(&mira, &mut device, &[(json!(ops), expected)]).await;
    }
}

#[tokio::test]
async fn a_mutation_has_at_most_128_kib() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut device = mira.device(&mira.book("Harbour Street").await).await;
    for (bytes, expected) in [(131_072, ENTERS), (131_073, ("too_large", ""))] {
        device.n += 1;
        let bare = with(mutation(device.n, &[someone()]), &json!({"padding": ""})).to_string().len();
        let mutation = with(mutation(device.n, &[someone()]), &json!({"padding": "x".repeat(bytes - bare)}));
        assert_eq!(mutation.to_string().len(), bytes);
        let entry = device.offer(&[mutation]).await.remove(0).entry();
        assert_eq!(entry.rejection(), expected, "{bytes}");
    }
}

/// Per currency, whichever way the money went.
#[tokio::test]
async fn a_book_holds_so_much_of_a_currency() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut device = mira.device(&mira.book("Harbour Street").await).await;
    let ana = fresh();
    device.write(&[contact(&ana, "Ana")]).await;
    let most = |direction: &str| transaction(&ana, direction, AMOUNT_MAX, "EUR");
    let nine: Vec<Value> = (0..9).map(|at| most(if at % 2 == 0 { "gave" } else { "got" })).collect();
    let room = GROSS_MAX - 9 * AMOUNT_MAX;
    let too_much = ("total_too_large", "");
    let cases = [
        (json!(nine), ENTERS),
        (most("gave"), too_much),
        (transaction(&ana, "got", room + 1, "EUR"), too_much),
        // What fits and what doesn't, in one: neither enters.
        (json!([transaction(&ana, "gave", room, "EUR"), transaction(&ana, "gave", 1, "EUR")]), too_much),
        (transaction(&ana, "got", room, "EUR"), ENTERS),
        (transaction(&ana, "gave", 1, "EUR"), too_much),
        (transaction(&ana, "gave", 1, "USD"), ENTERS),
    ];
    check(&mira, &mut device, &cases).await;
}
