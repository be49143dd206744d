//! The independent reader, against entries written by hand.

use tidebook_sim::fold::Fold;

const ANA: &str = "0199d4c2-5b1e-7c3a-8f00-00000000000a";
const C1: &str = "0199d4c2-5b1e-7c3a-8f00-0000000000c1";
const C2: &str = "0199d4c2-5b1e-7c3a-8f00-0000000000c2";
const T1: &str = "0199d4c2-5b1e-7c3a-8f00-0000000000d1";
const T2: &str = "0199d4c2-5b1e-7c3a-8f00-0000000000d2";

/// An entry line with these changes, in which ids stand in short.
fn line(seq: u64, changes: &str) -> String {
    let text = format!(
        r#"{{"seq":{seq},"at":1,"by":"ANA","replica":"ANA","n":{seq},"id":"ANA","made_at":1,"changes":[{changes}]}}"#
    );
    [("ANA", ANA), ("C1", C1), ("C2", C2), ("T1", T1), ("T2", T2)]
        .iter()
        .fold(text, |text, (short, id)| text.replace(short, id))
}

fn transaction(id: &str, contact: &str, direction: &str, amount: u64, currency: &str) -> String {
    format!(
        r#"{{"type":"transaction_created","id":"{id}","contact":"{contact}","direction":"{direction}","amount":{amount},"currency":"{currency}","date":"2026-11-22"}}"#
    )
}

/// A book of Ana's with two contacts; the first gave 20.50 and got 5 back.
fn book() -> Fold {
    let mut fold = Fold::default();
    let two = [transaction("T1", "C1", "gave", 2050, "EUR"), transaction("T2", "C1", "got", 500, "EUR")].join(",");
    for (seq, changes) in [
        (
            1,
            r#"{"type":"book_created","name":"Flat","currency":"EUR"},{"type":"member_added","user":"ANA","role":"owner"}"#,
        ),
        (2, r#"{"type":"contact_created","id":"C1","name":"Ben"},{"type":"contact_created","id":"C2","name":"Cleo"}"#),
        (3, &two),
    ] {
        fold.read_line(&line(seq, changes)).expect("it can be read");
    }
    fold
}

/// What the book comes to after one more entry: balances of both contacts, and the totals.
fn after(changes: &str) -> String {
    let mut fold = book();
    match fold.read_line(&line(4, changes)) {
        Ok(()) => format!("{:?} {:?} {:?}", fold.balances_of(C1), fold.balances_of(C2), fold.totals()),
        Err(_) => "cannot be".into(),
    }
}

#[test]
fn sums_follow_from_what_stands() {
    let owed = r#"{"EUR": 1550} {} {"EUR": 1550}"#;
    let jpy = transaction("C1", "C2", "got", 7, "JPY");
    let cases = [
        ("", owed),
        (
            r#"{"type":"transaction_updated","id":"T1","set":{"amount":1000},"was":{"amount":2050}}"#,
            r#"{"EUR": 500} {} {"EUR": 500}"#,
        ),
        (
            r#"{"type":"transaction_updated","id":"T2","set":{"direction":"gave"},"was":{}}"#,
            r#"{"EUR": 2550} {} {"EUR": 2550}"#,
        ),
        (
            r#"{"type":"transaction_updated","id":"T1","set":{"contact":"C2"},"was":{}}"#,
            r#"{"EUR": -500} {"EUR": 2050} {"EUR": 1550}"#,
        ),
        (r#"{"type":"transaction_deleted","id":"T1"}"#, r#"{"EUR": -500} {} {"EUR": -500}"#),
        (r#"{"type":"contact_deleted","id":"C1"}"#, r#"{"EUR": 1550} {} {}"#),
        (r#"{"type":"contact_deleted","id":"C1"},{"type":"contact_restored","id":"C1"}"#, owed),
        (&jpy, r#"{"EUR": 1550} {"JPY": -7} {"EUR": 1550, "JPY": -7}"#),
    ];
    for (changes, expected) in cases {
        assert_eq!(after(changes), expected, "{changes}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let unknown_contact = transaction("C2", "ANA", "gave", 1, "EUR");
    for changes in [
        r#"{"type":"transaction_created","id":"T1","contact":"C1"}"#,
        &unknown_contact,
        r#"{"type":"transaction_updated","id":"T1","set":{"amount":0},"was":{}}"#,
        r#"{"type":"transaction_updated","id":"C1","set":{},"was":{}}"#,
        r#"{"type":"contact_restored","id":"C1"}"#,
        r#"{"type":"member_added","user":"ANA","role":"editor"}"#,
        r#"{"type":"conflict_resolved","id":"C1","applied":true}"#,
        r#"{"type":"surprise"}"#,
    ] {
        assert_eq!(after(changes), "cannot be", "{changes}");
    }
    assert!(book().read_line(&line(5, "")).is_err(), "an entry is missing");
    let rejected =
        line(4, r#"{"type":"transaction_deleted","id":"T1"}"#).replace(r#""made_at""#, r#""rejected":{},"made_at""#);
    assert!(book().read_line(&rejected).is_err(), "rejected, and changes something");
}

#[test]
fn conflicts_members_and_fields_are_kept() {
    let mut fold = book();
    let raised = |id: &str| format!(r#"{{"type":"conflict_raised","id":"{id}","record":{{"kind":"book"}}}}"#);
    let cleared = r#"{"type":"contact_updated","id":"C1","set":{"name":"Benno","note":null},"was":{}}"#;
    let left = r#"{"type":"member_removed","user":"ANA"}"#;
    let resolved = r#"{"type":"conflict_resolved","id":"T1","applied":false}"#;
    let changes = [&raised("T1"), &raised("T2"), &raised("T2"), resolved, cleared, left].map(|text| text.to_string());
    fold.read_line(&line(4, &changes.join(","))).expect("it can be read");
    assert_eq!(fold.conflicts.iter().collect::<Vec<_>>(), [T2]);
    assert!(fold.members.is_empty());
    assert_eq!(fold.contacts[C1].fields["name"], "Benno");
    assert!(!fold.contacts[C1].fields.contains_key("note"));
    assert_eq!(fold.book["currency"], "EUR");
}
