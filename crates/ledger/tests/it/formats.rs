//! Books that go out as a file and come back: as JSON with all that was in them, as a table with what stands. And out to
//! hledger, which adds them up for itself.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use expect_test::expect;
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tidebook_book::{BookId, ChainHash, Epoch, Person, Role, Seq, UserId};
use tidebook_ledger::export::{self, Origin};
use tidebook_ledger::import::{self, Plan, csv::Destination, missing_ops};
use tidebook_ledger::{AMOUNT_MAX, LedgerOp, LedgerState};
use uuid::Uuid;

use crate::stage::{Stage, Who, id_of};

const BOOK: BookId = BookId(Uuid::from_u128(0xb0));

/// Names and notes that some format or other would trip over.
const TEXTS: [&str; 14] = [
    "Ana",
    "Ana",
    "=1+1",
    "'=1",
    "O\"Neil, \"Bo\"",
    "Åse; {x}",
    "a:b  c",
    "* (x) ! y",
    "@home | away",
    " ",
    "\u{3000}two\u{a0}\u{a0}spaces\u{2028}",
    "[2026-11-22] date:2020-01-01",
    "#",
    "2026-11-22 (1) x  5 EUR",
];

fn op_of(value: Value) -> LedgerOp {
    serde_json::from_value(value).expect("an op")
}

fn contact() -> impl Strategy<Value = Uuid> {
    (1..7_u8).prop_map(|number| id_of(&format!("c{number}")))
}

fn transaction() -> impl Strategy<Value = Uuid> {
    (1..14_u8).prop_map(|number| id_of(&format!("t{number}")))
}

fn text() -> impl Strategy<Value = &'static str> {
    prop::sample::select(TEXTS.as_slice())
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1..100_000_u64, 1 => Just(AMOUNT_MAX)]
}

fn op() -> impl Strategy<Value = LedgerOp> {
    let new_contact = (contact(), text(), text()).prop_map(|(id, name, detail)| {
        let detail = detail.replace('\u{2028}', "");
        json!({"op": "create_contact", "id": id, "name": name, "username": detail, "email": "a@b", "note": format!("{detail}\nx")})
    });
    let currency = prop::sample::select(["EUR", "JPY", "KWD", "CLF"].as_slice());
    let way = prop::sample::select(["gave", "got"].as_slice());
    let date = prop::sample::select(["0001-01-01", "2026-01-01", "2026-11-22"].as_slice());
    let new_transaction = (transaction(), contact(), amount(), currency, way, date, text()).prop_map(
        |(id, contact, amount, currency, direction, date, note)| {
            json!({"op": "create_transaction", "id": id, "contact": contact, "amount": amount, "currency": currency,
                "direction": direction, "date": date, "note": note, "due": "2027-01-31"})
        },
    );
    let edit = (transaction(), amount())
        .prop_map(|(id, amount)| json!({"op": "update_transaction", "id": id, "set": {"amount": amount, "due": null}}));
    let verb = |verb: &'static str, id: BoxedStrategy<Uuid>| id.prop_map(move |id| json!({"op": verb, "id": id}));
    prop_oneof![
        4 => new_contact,
        8 => new_transaction,
        2 => edit,
        1 => verb("delete_contact", contact().boxed()),
        1 => verb("restore_contact", contact().boxed()),
        2 => verb("delete_transaction", transaction().boxed()),
        1 => verb("restore_transaction", transaction().boxed()),
    ]
    .prop_map(op_of)
}

fn book() -> impl Strategy<Value = Stage> {
    prop::collection::vec(op(), 0..80).prop_map(|ops| {
        let mut stage = Stage::new();
        for op in ops {
            // What names nothing is rejected: part of life.
            let _either_way = stage.say_ops(Who::Ana, stage.head, &[op]);
        }
        stage
    })
}

/// Another book, into which a plan was written in mutations of a few ops.
fn written(plan: &Plan) -> Stage {
    let mut stage = Stage::new();
    write(&mut stage, plan);
    stage
}

fn write(stage: &mut Stage, plan: &Plan) {
    for ops in missing_ops(plan, &stage.book.domain).chunks(3) {
        stage.say_ops(Who::Ben, stage.head, ops).expect("what a plan has can stand");
    }
}

/// Everything but where a record came from, in the order of creation.
fn records(state: &LedgerState) -> Vec<Value> {
    let mut state = serde_json::to_value(state).expect("serialises");
    let lists = ["contacts", "transactions"].map(|list| state[list].take());
    let mut records: Vec<Value> = lists.into_iter().flat_map(|list| list.as_array().expect("a list").clone()).collect();
    for record in &mut records {
        let record = record.as_object_mut().expect("a record");
        ["seq", "created", "changed", "past_amounts"].iter().for_each(|member| drop(record.remove(*member)));
    }
    records
}

fn origin() -> Origin {
    Origin { book: BOOK, epoch: Some(Epoch(Uuid::from_u128(0xe0))), seq: Seq(7), hash: ChainHash::ZERO, pending: 0 }
}

fn json_of(stage: &Stage) -> String {
    let ana = Person { id: UserId(Uuid::from_u128(0xa)), name: "Ana".into(), role: None };
    export::json(origin(), &[ana], &stage.book, None)
}

fn csv_plan(text: &str) -> Plan {
    let destination = Destination { book: BOOK, me: None, currency: "EUR".parse().expect("a currency") };
    import::csv::plan(text, destination).expect("our own table")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_book_comes_back_from_json_with_every_record(stage in book()) {
        let plan = import::json::plan(&json_of(&stage)).expect("our own file");
        prop_assert!(plan.checksum_agrees(), "{:?}", plan.totals);
        let again = written(&plan);
        let (state, other) = (&stage.book.domain, &again.book.domain);
        prop_assert_eq!(records(state), records(other));
        prop_assert_eq!(state.totals(), other.totals());
        for contact in state.contacts() {
            prop_assert_eq!(state.balances_of(contact.id), other.balances_of(contact.id));
        }
        prop_assert_eq!(missing_ops(&plan, other), []);
        prop_assert_eq!(export::csv(state), export::csv(other));
    }

    #[test]
    fn a_table_comes_back_as_the_same_table(stage in book()) {
        let table = export::csv(&stage.book.domain);
        let plan = csv_plan(&table);
        let again = written(&plan);
        prop_assert_eq!(export::csv(&again.book.domain), table);
        prop_assert_eq!(stage.book.domain.totals(), again.book.domain.totals());
        prop_assert_eq!(missing_ops(&plan, &stage.book.domain), [], "all of it is in the book it came from");
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(stage in book(), at in 0.0..1.0_f64, with in "[\\{\\}\\[\\],:\"0-9a-z-]{0,6}") {
        let mut bytes = json_of(&stage).into_bytes();
        let at = (at * bytes.len() as f64) as usize;
        bytes.splice(at..(at + 3).min(bytes.len()), with.bytes());
        let _either_way = import::json::plan(&String::from_utf8_lossy(&bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hledger_takes_the_journal_and_finds_the_same_balances(stage in book()) {
        let state = &stage.book.domain;
        let journal = export::hledger(state);
        hledger(&journal, &["check", "--strict"]);
        let arguments = ["balance", "assets:owed", "--flat", "--no-total", "--layout", "bare", "--output-format", "csv"];
        let mut found: Vec<(String, i128)> = hledger(&journal, &arguments).lines().skip(1).filter_map(sum_of).collect();
        let standing = state.contacts().filter(|contact| !contact.deleted);
        let balances = standing.flat_map(|contact| state.balances_of(contact.id));
        let mut expected: Vec<(String, i128)> = balances.map(|(currency, sum)| (currency.to_string(), sum)).collect();
        // Names are cleaned on their way, so that accounts are compared by what is in them, one by one.
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected, "{}", journal);
    }
}

/// What hledger says of a journal, which it must take.
fn hledger(journal: &str, arguments: &[&str]) -> String {
    use std::io::Write as _;
    let mut hledger = Command::new("hledger");
    hledger.args(["--file", "-"]).args(arguments).env("LANG", "C.UTF-8");
    let mut child =
        hledger.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("hledger");
    child.stdin.take().expect("a pipe").write_all(journal.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}\n{journal}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The currency and the minor units of one of hledger's lines, `"account","EUR","20.50"`; zeros are left out on our side.
fn sum_of(line: &str) -> Option<(String, i128)> {
    let (rest, amount) = line.rsplit_once(',').expect("an amount");
    let (_, currency) = rest.rsplit_once(',').expect("a currency");
    let [amount, currency] = [amount, currency].map(|cell| cell.trim_matches('"'));
    let digits = tidebook_ledger::minor_digits(currency)? as usize;
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let sum: i128 = format!("{whole}{fraction:0<digits$}").parse().expect("an amount");
    (sum != 0).then(|| (currency.to_owned(), sum))
}

/// A book with something of everything in it.
fn small_book() -> Stage {
    let mut stage = Stage::new();
    let ops = [
        json!({"op": "create_contact", "id": id_of("c1"), "name": "Ana: x", "phone": "+49 30"}),
        json!({"op": "create_contact", "id": id_of("c2"), "name": "Ana- x"}),
        json!({"op": "create_transaction", "id": id_of("t1"), "contact": id_of("c1"), "direction": "gave", "amount": 2050,
            "currency": "EUR", "date": "2026-11-22", "note": "soup;\nhot", "due": "2026-12-01"}),
        json!({"op": "create_transaction", "id": id_of("t2"), "contact": id_of("c2"), "direction": "got", "amount": 7,
            "currency": "KWD", "date": "2026-11-21"}),
        json!({"op": "create_transaction", "id": id_of("t3"), "contact": id_of("c2"), "direction": "got", "amount": 700,
            "currency": "JPY", "date": "2026-11-23", "note": "tea"}),
        json!({"op": "create_transaction", "id": id_of("t4"), "contact": id_of("c2"), "direction": "got", "amount": 1,
            "currency": "USD", "date": "2026-11-23"}),
        json!({"op": "delete_transaction", "id": id_of("t4")}),
    ];
    stage.say_ops(Who::Ana, 1, &ops.map(op_of)).expect("fine");
    stage
}

#[test]
fn a_journal_letter_by_letter() {
    expect![[r#"
        commodity 1000.00 EUR
        commodity 1000. JPY
        commodity 1000.000 KWD
        account assets:owed  ; type: A
        account equity:tidebook  ; type: E
        account assets:owed:Ana- x
        account assets:owed:Ana- x 0000c002

        2026-11-21 (00000000-0000-0000-0000-00000000d002) Ana- x 0000c002
            assets:owed:Ana- x 0000c002  -0.007 KWD
            equity:tidebook  0.007 KWD

        2026-11-22 (00000000-0000-0000-0000-00000000d001) Ana- x | soup, hot
            ; due: 2026-12-01
            assets:owed:Ana- x  20.50 EUR
            equity:tidebook  -20.50 EUR

        2026-11-23 (00000000-0000-0000-0000-00000000d003) Ana- x 0000c002 | tea
            assets:owed:Ana- x 0000c002  -700 JPY
            equity:tidebook  700 JPY
    "#]]
    .assert_eq(&export::hledger(&small_book().book.domain));
}

/// Files are kept for years, and read by versions to come.
#[test]
fn a_json_file_letter_by_letter() {
    let mut stage = Stage::new();
    stage
        .say_ops(Who::Ana, 1, &[op_of(json!({"op": "create_contact", "id": id_of("c1"), "name": "Ana"}))])
        .expect("fine");
    // However an entry is spelled, its bytes are what is hashed.
    let entries: Vec<&RawValue> =
        ["{\"seq\":1, \"x\" : 1.0}", "{}"].map(|raw| serde_json::from_str(raw).expect("JSON")).into();
    let people = [Person { id: UserId(Uuid::from_u128(0xb)), name: "Ben".into(), role: Some(Role::Owner) }];
    let text = export::json(Origin { pending: 2, ..origin() }, &people, &stage.book, Some(&entries));
    expect![[r#"{"format":"tidebook-book","version":1,"book":"00000000-0000-0000-0000-0000000000b0","epoch":"00000000-0000-0000-0000-0000000000e0","seq":7,"hash":"0000000000000000000000000000000000000000000000000000000000000000","pending":2,"state_version":1,"state_hash":"570199711064bc0139d9b74f746746788f84646ce8e3a23f5927bc586bad4a57","people":[{"id":"00000000-0000-0000-0000-00000000000a","name":"","role":"owner"},{"id":"00000000-0000-0000-0000-00000000000b","name":"Ben","role":null}],"state":{"book":{"name":"Flat","currency":"EUR","seq":1,"created":{"seq":1,"index":0,"by":"00000000-0000-0000-0000-00000000000a","replica":"00000000-0000-0000-0000-0000000000a1","at":1001}},"contacts":[{"id":"00000000-0000-0000-0000-00000000c001","name":"Ana","deleted":false,"seq":2,"created":{"seq":2,"index":0,"by":"00000000-0000-0000-0000-00000000000a","replica":"00000000-0000-0000-0000-0000000000a1","at":1002}}],"transactions":[],"conflicts":[]},"entries":[{"seq":1, "x" : 1.0},{}]}"#]].assert_eq(&text);
    let plan = import::json::plan(&text).expect("our own file");
    assert_eq!((plan.contacts.len(), plan.rows_read), (1, 1));
}

#[test]
fn what_is_no_book_is_refused() {
    let with = |pointer: &str, value: Value| small_book_with(pointer, value).to_string();
    let cases = [
        ("".to_owned(), "the file is not a book that was exported as JSON"),
        ("[]".to_owned(), "the file is not a book that was exported as JSON"),
        ("{\"expenses\":[]}".to_owned(), "the file is not a book that was exported as JSON: missing field"),
        (with("/format", json!("spliit")), "the file is of the format \"spliit\""),
        (with("/version", json!(2)), "the file was written by a newer version (version 2, known up to 1)"),
        (with("/state_version", json!(2)), "the file was written by a newer version (state version 2"),
        (with("/state", json!({"new": true})), "the file's contents do not read: missing field"),
        (with("/state/transactions/0/amount", json!(2051)), "the state's hash is "),
        (with("/people/0/role", json!("viewer")), "the state's hash is "),
    ];
    for (text, expected) in cases {
        check_refused(&text, expected);
    }
}

/// Whoever edits a file by hand leaves its hash out.
#[test]
fn what_cannot_stand_in_a_book_is_refused() {
    let unhashed = |pointer: &str, value: Value| {
        let mut file = small_book_with(pointer, value);
        file.as_object_mut().expect("an object").remove("state_hash");
        file.to_string()
    };
    let t1 = id_of("t1");
    let cases = [
        (
            unhashed("/state/transactions/0/amount", json!(0)),
            format!("the transaction {t1} cannot stand in a book: its"),
        ),
        (unhashed("/state/transactions/0/amount", json!(u64::MAX)), format!("the transaction {t1} cannot stand in a")),
        (
            unhashed("/state/transactions/0/id", json!(id_of("t2"))),
            "the transaction 00000000-0000-0000-0000-00000000d002 c".into(),
        ),
        (
            unhashed("/state/transactions/0/id", json!(id_of("c2"))),
            "the transaction 00000000-0000-0000-0000-00000000c002 c".into(),
        ),
        (
            unhashed("/state/transactions/0/contact", json!(t1)),
            format!("the transaction {t1} cannot stand in a book: there"),
        ),
        (
            unhashed("/state/transactions/0/note", json!("a\u{7}")),
            format!("the transaction {t1} cannot stand in a book: its note"),
        ),
        (
            unhashed("/state/contacts/0/name", json!("")),
            "the contact 00000000-0000-0000-0000-00000000c001 cannot stand".into(),
        ),
        (
            unhashed("/state/contacts/0/id", json!(id_of("c2"))),
            "the contact 00000000-0000-0000-0000-00000000c002 cannot".into(),
        ),
    ];
    for (text, expected) in cases {
        check_refused(&text, &expected);
    }
}

#[test]
fn more_than_a_book_holds_is_refused() {
    let mut many: Value = serde_json::from_str(&json_of(&small_book())).expect("JSON");
    let first = many["state"]["transactions"][0].clone();
    let of = |number: u32| {
        let mut one = first.clone();
        one["id"] = json!(Uuid::from_u128(number.into()));
        one["amount"] = json!(AMOUNT_MAX);
        one
    };
    many["state"]["transactions"] = (0..10).map(of).collect();
    let error = import::json::plan(&many.to_string()).expect_err("ten are too many").to_string();
    assert_eq!(error, "the amounts in EUR add up to more than a book holds");
}

#[test]
fn what_a_newer_version_adds_is_passed_over() {
    let mut newer: Value = serde_json::from_str(&json_of(&small_book())).expect("JSON");
    newer["what is this"] = json!([1]);
    newer["state"]["contacts"][0]["nickname"] = json!("A");
    assert_eq!(import::json::plan(&newer.to_string()).expect("it is passed over").contacts.len(), 2);
}

/// The file of [`small_book`], with this value in the place of its own.
fn small_book_with(pointer: &str, value: Value) -> Value {
    let mut file: Value = serde_json::from_str(&json_of(&small_book())).expect("JSON");
    *file.pointer_mut(pointer).expect(pointer) = value;
    file
}

fn check_refused(text: &str, expected: &str) {
    let error = import::json::plan(text).expect_err(expected).to_string();
    assert!(error.starts_with(expected), "{error:?} should begin with {expected:?}");
}

#[test]
fn open_conflicts_are_counted_and_left() {
    let mut stage = Stage::new();
    stage.say(Who::Ana, 1, "+c1; +t1 c1 20 EUR");
    stage.say(Who::Ana, 2, "t1 note=soup");
    stage.say(Who::Ben, 2, "t1 note=tea");
    let plan = import::json::plan(&json_of(&stage)).expect("our own file");
    let skipped: BTreeMap<String, usize> =
        plan.skipped.iter().map(|(reason, count)| (reason.to_string(), *count)).collect();
    assert_eq!(skipped, [("open conflicts, which only their own book can decide".to_owned(), 1)].into());
    assert_eq!((plan.rows_read, plan.rows_skipped()), (3, 1));
}

#[test]
fn what_is_in_the_book_is_left_as_it_is_there() {
    let table = |more: &str| {
        format!("date,contact,direction,amount,currency\n2026-11-22,Ana,gave,1,EUR\n2026-11-22,Ben,gave,1,EUR\n{more}")
    };
    let mut stage = written(&csv_plan(&table("")));
    let ids: Vec<Uuid> = csv_plan(&table("")).contacts.iter().map(|contact| contact.id.0).collect();
    let ops = [
        json!({"op": "update_contact", "id": ids[0], "set": {"name": "Anna"}}),
        json!({"op": "delete_contact", "id": ids[1]}),
    ];
    stage.say_ops(Who::Ana, stage.head, &ops.map(op_of)).expect("fine");
    let before = stage.book.hash();
    write(&mut stage, &csv_plan(&table("")));
    assert_eq!(stage.book.hash(), before, "nothing was new");

    write(&mut stage, &csv_plan(&table("2026-11-23,Ben,got,3,EUR\n2026-11-23,Ana,got,3,EUR\n")));
    let state = &stage.book.domain;
    let mut people: Vec<(&str, bool, usize)> = state
        .contacts()
        .map(|contact| (contact.name.as_str(), contact.deleted, state.transactions_of(contact.id).count()))
        .collect();
    people.sort_unstable();
    assert_eq!(people, [("Anna", false, 2), ("Ben", true, 2)]);
}
