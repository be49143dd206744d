//! Whole files: the two fixtures, what is taken and what is refused, and what holds for any file.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use proptest::prelude::*;
use tidebook_book::BookId;
use uuid::Uuid;

use super::*;
use crate::import::decimal::round_to_units;
use crate::import::{Plan, PlannedTransaction};
use crate::{ContactId, Direction, minor_digits};

const FRIENDS: &str = include_str!("../../../tests/fixtures/splitwise-friends.csv");
const GROUP: &str = include_str!("../../../tests/fixtures/splitwise-group.csv");
const BOOK: BookId = BookId(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001));

fn plan_for(text: &str, me: &str) -> Result<Plan, SplitwiseError> {
    plan(&read(text)?, me, BOOK)
}

/// Two people and one row below a heading.
fn file(rows: &str) -> String {
    format!("Date,Description,Category,Cost,Currency,Mira,Jonas,Aiko\n{rows}\n")
}

/// `name +amount CUR` for each transaction.
fn brief(plan: &Plan) -> Vec<String> {
    let names: HashMap<ContactId, &str> =
        plan.contacts.iter().map(|contact| (contact.id, contact.name.as_str())).collect();
    let line = |transaction: &PlannedTransaction| {
        let sign = if transaction.direction == Direction::Gave { '+' } else { '-' };
        format!("{} {sign}{} {}", names[&transaction.contact], transaction.amount, transaction.currency)
    };
    plan.transactions.iter().map(line).collect()
}

fn ids(plan: &Plan) -> Vec<Uuid> {
    plan.transactions.iter().map(|transaction| transaction.id.0).collect()
}

#[test]
fn fixtures_come_to_their_own_closing_rows() {
    let cases = [
        (FRIENDS, 1, [("EUR", -7_785), ("JPY", 1_366), ("USD", -52_538)]),
        (GROUP, 3, [("EUR", 51_749), ("JPY", 51_895), ("USD", -41_917)]),
    ];
    for (text, contacts, expected) in cases {
        let plan = plan_for(text, "Mira").unwrap();
        let totals: Vec<_> = plan.totals.iter().map(|total| (total.currency.code(), total.planned)).collect();
        assert_eq!(totals, expected);
        assert!(plan.totals.iter().all(|total| total.source == Some(total.planned)), "{:?}", plan.totals);
        assert!(plan.checksum_agrees());
        assert_eq!(plan.contacts.len(), contacts);
    }
}

#[test]
fn fixtures_agree_for_everyone_in_them() {
    for text in [FRIENDS, GROUP] {
        let sheet = read(text).unwrap();
        for me in sheet.people() {
            let plan = plan(&sheet, me, BOOK).unwrap();
            assert!(plan.checksum_agrees(), "{me}: {:?}", plan.totals);
            assert_eq!(ids(&plan).into_iter().collect::<HashSet<_>>().len(), plan.transactions.len());
        }
    }
}

#[test]
fn fixture_rows_are_counted() {
    let count = |text| plan_for(text, "Mira").map(|plan| (plan.rows_read, plan.rows_skipped())).unwrap();
    assert_eq!(count(FRIENDS), (FRIENDS.lines().filter(|line| line.starts_with("20")).count() - 3, 0));
    assert_eq!(count(GROUP), (GROUP.lines().filter(|line| line.starts_with("20")).count() - 3, 101));
}

#[test]
fn rows_become_transactions() {
    let cases: [(&str, &[&str]); 13] = [
        ("2025-03-02,Taxi,Taxi,20,EUR,10,-10,0", &["Jonas +1000 EUR"]),
        ("2025-03-02,Taxi,Taxi,20,EUR,-10,10,0", &["Jonas -1000 EUR"]),
        ("2025-03-02,Taxi,Taxi,20,EUR,0.00,10,-10", &[]),
        ("2025-03-02,Taxi,Taxi,30,EUR,20,-10,-10", &["Jonas +1000 EUR", "Aiko +1000 EUR"]),
        ("2025-03-02,Taxi,Taxi,30,EUR,-10,-10,20", &["Aiko -1000 EUR"]),
        ("2025-03-02,Taxi,Taxi,30,EUR,-20,5,15", &["Jonas -500 EUR", "Aiko -1500 EUR"]),
        ("2025-03-02,Taxi,Taxi,0.05,EUR,-0.05,0.01,0.01", &["Jonas -3 EUR", "Aiko -2 EUR"]),
        ("2025-03-02,Taxi,Taxi,10.00,JPY,10.00,-1.00,-1.00", &["Jonas +5 JPY", "Aiko +5 JPY"]),
        ("2025-03-02,Taxi,Taxi,9.00,JPY,9.00,-1.00,-1.00", &["Jonas +5 JPY", "Aiko +4 JPY"]),
        ("2025-03-02,Taxi,Taxi,3,KWD,3.001,-3.001,0", &["Jonas +3001 KWD"]),
        ("2025-03-02,Taxi,Taxi,3,EUR,0.004,-0.004,0", &[]),
        ("2025-03-02,Taxi,Taxi,3,EUR,0.004,-0.004,0\n2025-03-02,Taxi,Taxi,3,EUR,0.004,-0.004,0", &["Jonas +1 EUR"]),
        // 0.006 is 1, then 0.012 less 0.009 is 0: the direction turns.
        (
            "2025-03-02,Taxi,Taxi,3,EUR,0.006,-0.006,0\n2025-03-02,Taxi,Taxi,3,EUR,-0.003,0.003,0",
            &["Jonas +1 EUR", "Jonas -1 EUR"],
        ),
    ];
    for (rows, expected) in cases {
        assert_eq!(brief(&plan_for(&file(rows), "Mira").unwrap()), expected, "{rows}");
    }
}

#[test]
fn files_are_taken_in_many_shapes() {
    let row = "2025-03-02,Taxi,Taxi,20,EUR,10,-10";
    let cases = [
        ("BOM", format!("\u{feff}Date,Description,Category,Cost,Currency,Mira,Jonas\n{row}")),
        ("CRLF", format!("Date,Description,Category,Cost,Currency,Mira,Jonas\r\n\r\n{row}\r\n")),
        ("localised", format!("Datum,Beschreibung,Kategorie,Kosten,Währung,Mira,Jonas\n{row}\n")),
        (
            "preamble",
            format!("Note: one, two\n\nmore\n\nDate,Description,Category,Cost,Currency,Mira,Jonas\n\n{row}\n"),
        ),
        ("wide preamble", format!("a,b,c,d,e,f,g\nDate,Description,Category,Cost,Currency,Mira,Jonas\n\n{row}\n")),
        ("spreadsheet", format!("Note,,,,,,,\n,,,,,,,\nDate,D,C,Cost,Currency,Mira,Jonas,\n,,,,,,,\n{row},\n")),
        (
            "quoted",
            "\"D\",\"D\",\"C\",\"C\",\"C\",\"Mira\",\"Jonas\"\n2025-03-02,Taxi,\"a \"\"b\"\"\nc\",20,EUR,\"10\",-10"
                .into(),
        ),
        ("spaces", "D , D, C, C, C, Mira , Jonas\n 2025-03-02 , Taxi, , 20.0 , EUR , 10 , -10.00 ".into()),
    ];
    for (name, text) in cases {
        let plan = plan_for(&text, "Mira").unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(brief(&plan), ["Jonas +1000 EUR"], "{name}");
    }
}

#[test]
fn errors_name_the_line_and_what_to_do() {
    let with_row = |row: &str| format!("Note\n\nDate,Description,Category,Cost,Currency,Mira,Jonas\r\n\r\n\n{row}\n");
    let cases = [
        ("".to_owned(), "no heading line found"),
        ("Date,Description,Category,Cost,Currency\n".to_owned(), "no heading line found"),
        ("2025-03-02,Taxi,Taxi,20,EUR,10,-10".to_owned(), "no heading line found"),
        ("\nD,D,C,C,C,Mira,Mira".to_owned(), "line 2: two columns are named \"Mira\""),
        ("D,D,C,C,C,Mira,,Jonas".to_owned(), "line 1: the name in column 7 must have 1 to 200"),
        (format!("D,D,C,C,C,Mira,{}", "x".repeat(201)), "line 1: the name in column 7 must have 1 to 200"),
        (format!("D,D,C,C,C{}", ",x".repeat(501)), "line 1 names 501 people, the most is 500"),
        (with_row("2025-03-02,Taxi,Taxi,20,EUR,10"), "line 6 has 6 columns, the heading has 7"),
        (with_row("2025-03-02,Taxi,Taxi,20,EUR,10,-10,1"), "line 6 has 8 columns, the heading has 7"),
        (with_row("2025-03-02,\"Taxi,Taxi,20,EUR,10,-10"), "line 6 has 2 columns, the heading has 7"),
        (with_row("02.03.2025,Taxi,Taxi,20,EUR,10,-10"), "line 6: \"02.03.2025\" is not a date"),
        (with_row("2025-02-30,Taxi,Taxi,20,EUR,10,-10"), "line 6: \"2025-02-30\" is not a date"),
        (with_row("2025-03-02,Taxi,Taxi,x,EUR,10,-10"), "line 6, column \"cost\": \"x\" is not an amount"),
        (
            with_row("2025-03-02,Taxi,Taxi,20,EUR,10,\"-10,00\""),
            "line 6, column \"Jonas\": \"-10,00\" is not an amount",
        ),
        (with_row("2025-03-02,Taxi,Taxi,20,eur,10,-10"), "line 6: \"eur\" is not a currency code"),
        (with_row("2025-03-02,Taxi,Taxi,20,EURO,10,-10"), "line 6: \"EURO\" is not a currency code"),
        (with_row("2025-03-02,Taxi,Taxi,20,XYZ,10,-10"), "line 6: the currency XYZ is not known here"),
        (with_row("2025-03-02,Total,,,XYZ,10,-10"), "line 6: the currency XYZ is not known here"),
        (with_row("2025-03-02,Total,,,EUR,1,-1\n,Total,,,EUR,1,-1"), "line 7 is a second closing row for EUR"),
        (with_row("2025-03-02,Taxi,Taxi,20,EUR,10,0"), "line 6: Mira's share is not zero, but nobody"),
        (with_row("2025-03-02,Taxi,Taxi,20,EUR,10000000000000.01,-1"), "line 6: the amounts are too large"),
        (with_row("2025-03-02,Taxi,Taxi,20,EUR,99999999999999.99,-99999999999999.999999"), "line 6: the amounts"),
        ("D,D,C,C,C,Jonas,Aiko".to_owned(), "nobody in this file is named \"Mira\": it has \"Jonas\", \"Aiko\""),
    ];
    for (text, expected) in cases {
        let error = plan_for(&text, "Mira").expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error:?} should begin with {expected:?}");
    }
}

#[test]
fn the_largest_amount_is_taken() {
    let text = file("2025-03-02,House,Home,1,EUR,10000000000000.00,-10000000000000.00,0");
    assert_eq!(brief(&plan_for(&text, "Mira").unwrap()), ["Jonas +1000000000000000 EUR"]);
}

#[test]
fn currencies_that_are_not_mine_need_not_be_known() {
    let text = file("2025-03-02,Taxi,Taxi,20,XBT,0,10,-10\n2025-03-02,Saldo,,,XBT,0,10,-10");
    let plan = plan_for(&text, "Mira").unwrap();
    assert_eq!((plan.rows_read, plan.rows_skipped(), plan.checksum_agrees()), (1, 1, true));
}

#[test]
fn the_checksum_disagrees_where_totals_differ() {
    let row = "2025-03-02,Taxi,Taxi,20,EUR,10,-10,0";
    let cases = [
        ("2025-03-02,Total balance, , ,EUR,10.00,-10.00,0.00", true),
        ("irgendwann,Gesamtsaldo,,,EUR,10.00,-10.00,", true),
        ("2025-03-02,Total balance, , ,EUR,10.01,-10.01,0.00", false),
        ("2025-03-02,Total balance, , ,EUR,-10.00,10.00,0.00", false),
        ("2025-03-02,Total balance, , ,USD,10.00,-10.00,0.00", false),
        ("", false),
    ];
    for (closing, expected) in cases {
        let plan = plan_for(&file(&format!("{row}\n{closing}")), "Mira").unwrap();
        assert_eq!(plan.checksum_agrees(), expected, "{closing:?}");
    }
    assert!(plan_for(&file(""), "Mira").unwrap().checksum_agrees());
}

#[test]
fn notes_hold_no_control_characters_and_an_end() {
    let long = "ä".repeat(4001);
    let cases = [
        ("Rent \"\"March\"\"", "Rent \"March\""),
        ("two\r\nlines\t\u{7}", "two\nlines"),
        ("", ""),
        (long.as_str(), &long[..8000]),
    ];
    for (description, expected) in cases {
        let text = file(&format!("2025-03-02,\"{description}\",Taxi,20,EUR,10,-10,0"));
        assert_eq!(plan_for(&text, "Mira").unwrap().transactions[0].note.as_deref().unwrap_or_default(), expected);
    }
}

/// Ids are a promise to every book that was ever imported into: these never change.
#[test]
fn ids_are_golden() {
    let row = "2025-03-02,Taxi,Taxi,20,EUR,10,-10,0";
    let plan = plan_for(&file(&format!("{row}\n{row}")), "Mira").unwrap();
    assert_eq!(plan.contacts[0].id.to_string(), "808a6ef1-f27a-87cc-966c-680dcef256b9");
    assert_eq!(plan.transactions[0].id.to_string(), "18e0e94b-7e6f-8537-9f48-e6f070ed5287");
    assert_eq!(plan.transactions[1].id.to_string(), "b56ccae4-cbc3-8cf6-ad90-8cd5b4a21317");
    assert!(ids(&plan).iter().all(|id| id.get_version_num() == 8 && id.get_variant() == uuid::Variant::RFC4122));
}

#[test]
fn ids_depend_on_book_row_and_contact() {
    let (text, changed) = ("2025-03-02,Taxi,Taxi,20,EUR,20,-10,-10", "2025-03-02,Taxi,Taxi,21,EUR,20,-10,-10");
    let here = plan_for(&file(text), "Mira").unwrap();
    let there = plan(&read(&file(text)).unwrap(), "Mira", BookId(Uuid::nil())).unwrap();
    let other = plan_for(&file(changed), "Mira").unwrap();
    let all: HashSet<Uuid> = [&here, &there, &other].into_iter().flat_map(ids).collect();
    assert_eq!(all.len(), 6);
    assert_eq!(here.contacts, other.contacts);
    assert_ne!(here.contacts, there.contacts);
}

#[test]
fn ids_survive_a_new_member_and_another_spelling_of_numbers() {
    let before = "D,D,C,C,C,Mira,Jonas\n2025-03-02,Taxi,Taxi,20.00,EUR,10.00,-10.00\n";
    let after = "Datum,D,C,C,C,Aiko,Mira,Jonas\n2025-03-02,Taxi,Taxi,20,EUR,0.00,10,-10\n";
    assert_eq!(ids(&plan_for(before, "Mira").unwrap()), ids(&plan_for(after, "Mira").unwrap()));
}

#[test]
fn samples_are_valid_and_agree() {
    for rows in [0, 1, 2, 20_000] {
        let text = sample::generate(rows, 7);
        let plan = plan_for(&text, "Mira").unwrap();
        assert_eq!((plan.rows_read, plan.contacts.len(), plan.totals.len()), (rows, 11, 3));
        assert!(plan.checksum_agrees(), "{:?}", plan.totals);
        assert!(plan.transactions.len() >= plan.rows_read - plan.rows_skipped());
        assert_eq!(text, sample::generate(rows, 7));
    }
    assert_ne!(sample::generate(10, 7), sample::generate(10, 8));
}

/// A file of rows given in 10^−`decimals`, all in one currency; cells of a row sum to zero.
fn file_of(rows: &[[i64; 3]], currency: &str, decimals: usize) -> String {
    let mut text = "Date,Description,Category,Cost,Currency,Mira,Jonas,Aiko,Noor\n".to_owned();
    let number = |units: i64| {
        let digits = format!("{:0width$}", units.abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        format!("{}{whole}.{fraction}", if units < 0 { "-" } else { "" })
    };
    for others in rows {
        let mine = -others.iter().sum::<i64>();
        let cells = [mine, others[0], others[1], others[2]].map(number).join(",");
        writeln!(text, "2025-03-02,Taxi,Taxi,1.00,{currency},{cells}").unwrap();
    }
    text
}

fn rows() -> impl Strategy<Value = Vec<[i64; 3]>> {
    prop::collection::vec(prop::array::uniform3(prop_oneof![Just(0), -9_999..9_999_i64]), 0..40)
}

proptest! {
    #[test]
    fn totals_are_my_column_rounded(
        rows in rows(),
        decimals in 0_usize..6,
        currency in prop::sample::select(vec!["EUR", "JPY", "KWD"]),
    ) {
        let plan = plan_for(&file_of(&rows, currency, decimals), "Mira").unwrap();
        let mine: i64 = -rows.iter().flatten().sum::<i64>();
        let unit = 10_i128.pow(decimals as u32);
        let expected = round_to_units(i128::from(mine) * 10_i128.pow(minor_digits(currency).unwrap()), unit);
        prop_assert_eq!(plan.totals.first().map_or(0, |total| total.planned), expected);

        let signed = |one: &PlannedTransaction| one.direction.signed(one.amount);
        prop_assert_eq!(plan.transactions.iter().map(signed).sum::<i128>(), expected);
    }

    #[test]
    fn whole_minor_units_are_never_rounded(rows in rows()) {
        let plan = plan_for(&file_of(&rows, "EUR", 2), "Mira").unwrap();
        let mine: u64 = rows.iter().map(|others| others.iter().sum::<i64>().unsigned_abs()).sum();
        prop_assert_eq!(plan.transactions.iter().map(|one| one.amount).sum::<u64>(), mine);
    }

    #[test]
    fn a_longer_file_begins_with_the_same_transactions(rows in rows(), cut in 0_usize..40) {
        let longer = plan_for(&file_of(&rows, "EUR", 3), "Mira").unwrap();
        let shorter = plan_for(&file_of(&rows[..cut.min(rows.len())], "EUR", 3), "Mira").unwrap();
        prop_assert!(longer.transactions.starts_with(&shorter.transactions));
    }

    #[test]
    fn ids_are_unique(rows in rows()) {
        let twice = [rows.clone(), rows].concat();
        let plan = plan_for(&file_of(&twice, "EUR", 2), "Mira").unwrap();
        prop_assert_eq!(ids(&plan).into_iter().collect::<HashSet<_>>().len(), plan.transactions.len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|[,\"\n\r.0-9-]){0,200}") {
        let _ = plan_for(&text, "Mira");
    }

    #[test]
    fn damaged_files_are_read_or_refused(at in 0..GROUP.len(), len in 0_usize..40, with in "[,\"\n\r.0-9A-Z-]{0,8}") {
        let mut bytes = GROUP.as_bytes().to_vec();
        bytes.splice(at..(at + len).min(GROUP.len()), with.bytes());
        let _ = plan_for(&String::from_utf8_lossy(&bytes), "Mira");
    }

    #[test]
    fn extreme_numbers_are_planned_or_refused(
        cells in prop::collection::vec(prop::array::uniform3("-?[0-9]{1,16}(\\.[0-9]{1,19})?"), 1..20),
    ) {
        let rows: Vec<String> =
            cells.iter().map(|[mine, jonas, aiko]| format!("2025-03-02,T,T,1,EUR,{mine},{jonas},{aiko}")).collect();
        let _ = plan_for(&file(&rows.join("\n")), "Mira");
    }
}
