//! Whole tables: what each becomes, what is refused, and what holds for any text.

use std::collections::{HashMap, HashSet};

use expect_test::{Expect, expect};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{ContactId, Direction};

const BOOK: BookId = BookId(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001));

const BILLS: &str = "what,bill_type,amount,currency,date,payer_name,payer_weight,owers";

fn plan_of(text: &str, me: Option<&str>) -> Result<Plan, CsvError> {
    plan(text, Destination { book: BOOK, me, currency: "EUR".parse().expect("a currency") })
}

/// `date name +amount CUR note` for each transaction, then sums, skipped rows and doubts.
fn brief(plan: &Plan) -> String {
    let names: HashMap<ContactId, &str> =
        plan.contacts.iter().map(|contact| (contact.id, contact.name.as_str())).collect();
    let mut lines: Vec<String> = Vec::new();
    for one in &plan.transactions {
        let sign = if one.direction == Direction::Gave { '+' } else { '-' };
        let due = one.due.map(|due| format!(" due {due}")).unwrap_or_default();
        let (name, note) = (names[&one.contact], one.note.as_deref().unwrap_or("no note"));
        lines.push(format!("{} {name} {sign}{} {} {note:?}{due}", one.date, one.amount, one.currency));
    }
    lines.extend(plan.totals.iter().map(|total| format!("= {} {}", total.planned, total.currency)));
    lines.extend(plan.skipped.iter().map(|(reason, count)| format!("{count} skipped: {reason}")));
    lines.extend(plan.doubts.iter().map(ToString::to_string));
    lines.join("\n")
}

fn check(text: &str, me: Option<&str>, expected: Expect) {
    expected.assert_eq(&match plan_of(text, me) {
        Ok(plan) => brief(&plan),
        Err(error) => format!("! {error}"),
    });
}

#[test]
fn our_own_rows_become_the_records_they_were() {
    let text = "date,contact,direction,amount,currency,note,due,contact_id,transaction_id\n\
        2026-11-22,'=Ana,gave,20.50,EUR,\"soup, \"\"hot\"\"\",2026-12-01,00000000-0000-0000-0000-00000000c001,00000000-0000-0000-0000-00000000d001\n\
        2026-11-23,'=Ana,got,7,JPY,''+1,,00000000-0000-0000-0000-00000000c001,00000000-0000-0000-0000-00000000d002\n\
        2026-11-24,'=Ana,got,0.007,KWD,,,,\n\
        2026-11-24, Ben,gave,1.5,EUR,\"two\nlines\",,,\n";
    check(
        text,
        None,
        expect![[r#"
            2026-11-22 =Ana +2050 EUR "soup, \"hot\"" due 2026-12-01
            2026-11-23 =Ana -7 JPY "'+1"
            2026-11-24 =Ana -7 KWD "no note"
            2026-11-24  Ben +150 EUR "two\nlines"
            = 2200 EUR
            = -7 JPY
            = -7 KWD"#]],
    );
    let plan = plan_of(text, None).unwrap();
    let ids: Vec<String> = plan.contacts.iter().map(|contact| contact.id.to_string()).collect();
    assert_eq!(ids.len(), 2, "a row without an id is with the contact of that name: {ids:?}");
    assert_eq!(ids[0], "00000000-0000-0000-0000-00000000c001");
    assert_eq!(plan.transactions[1].id.to_string(), "00000000-0000-0000-0000-00000000d002");
}

#[test]
fn our_own_columns_go_by_name() {
    let cases = [
        "currency,amount,direction,contact,date\nEUR,1,gave,Ana,2026-11-22",
        "\u{feff}date,contact,direction,amount,currency\r\n\r\n2026-11-22,Ana,gave,1.00,EUR\r\n",
        "date , contact,direction,amount,currency,note,,\n 2026-11-22 ,Ana, gave , 1,EUR ,,,\n,,,,,,,\n",
    ];
    for text in cases {
        let plan = plan_of(text, None).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(brief(&plan), "2026-11-22 Ana +100 EUR \"no note\"\n= 100 EUR", "{text}");
    }
}

#[test]
fn bills_become_what_is_mine_of_them() {
    let rows = [
        "Wine,Expense,30.0,EUR,2026-11-23,Ana,2.0,\"Ana, Me\"",
        "Sweets,Expense,5.0,EUR,2026-11-23,Ana,2.0,\"Ana, Ben\"",
        "Alone,Expense,5.0,EUR,2026-11-22,Me,1.0,Me",
        "Back,Reimbursement,4.0,EUR,2026-11-22,Me,1.0,Ana",
        "'=Soup,Expense,10.0,XXX,2026-11-21,Me,1.0,\"Ana, Ben, Me\"",
    ];
    check(
        &format!("{BILLS}\n{}\n", rows.join("\n")),
        Some("Me"),
        expect![[r#"
            2026-11-21 Ana +500 EUR "=Soup"
            2026-11-21 Ben +250 EUR "=Soup"
            2026-11-22 Ana +400 EUR "Back"
            2026-11-23 Ana -1000 EUR "Wine"
            = 150 EUR
            1 skipped: between others
            1 skipped: nobody owes anything for them
            the file does not say how much Ben weighs in shared bills; 1 was assumed"#]],
    );
}

#[test]
fn shares_are_rounded_on_the_running_total() {
    let thirds = "Soup,Expense,1.0,EUR,2026-11-21,Me,1.0,\"Ana, Ben, Me\"\n".repeat(3);
    check(
        &format!(
            "{BILLS}\n{thirds}Back,Expense,-0.05,EUR,2026-11-20,Ana,1.5,\"Ana, Me\"\nX,,0.5,JPY,2026-11-20,Ben,1,Me"
        ),
        Some("Me"),
        expect![[r#"
            2026-11-20 Ben -1 JPY "X"
            2026-11-20 Ana +2 EUR "Back"
            2026-11-21 Ben +28 EUR "Soup"
            2026-11-21 Ana +43 EUR "Soup"
            2026-11-21 Ben +29 EUR "Soup"
            2026-11-21 Ana +43 EUR "Soup"
            2026-11-21 Ben +29 EUR "Soup"
            2026-11-21 Ana +42 EUR "Soup"
            = 216 EUR
            = -1 JPY"#]],
    );
}

#[test]
fn bills_without_a_currency_are_in_the_only_one_or_in_the_books() {
    let row = |currency: &str| format!("Soup,Expense,10,{currency},2026-11-21,Me,1,Ana\n");
    let cases = [
        (row("XXX"), "= 1000 EUR"),
        (row(""), "= 1000 EUR"),
        (row("JPY") + &row("XXX"), "= 20 JPY"),
        (row("JPY") + &row("XXX") + &row("KWD"), "= 1000 EUR\n= 10 JPY\n= 10000 KWD"),
    ];
    for (rows, expected) in cases {
        let plan = plan_of(&format!("{BILLS}\n{rows}"), Some("Me")).unwrap();
        assert!(brief(&plan).ends_with(expected), "{rows}: {}", brief(&plan));
    }
    // An old export has neither column.
    let old = "date,what,amount,payer_name,payer_weight,owers\n2026-11-21,Soup,10,Me,1,Ana";
    assert_eq!(brief(&plan_of(old, Some("Me")).unwrap()), "2026-11-21 Ana +1000 EUR \"Soup\"\n= 1000 EUR");
}

#[test]
fn headings_that_are_of_no_file_are_told() {
    let cases = [
        ("", "the heading \"\" is of no file known here"),
        ("a,b\n1,2", "the heading \"a,b\" is of no file known here: known are"),
        ("what,amount,date,timestamp,payer_name,payer_weight,payer_active,owers\n", "the heading \"what,am"),
        ("date,contact,direction,amount,currency,date\n", "the heading \"date,contact"),
    ];
    for (text, expected) in cases {
        check_refused(text, expected);
    }
}

#[test]
fn errors_in_our_own_rows_name_the_line_and_what_is_expected() {
    let cases = [
        (ours("2026-11-22,Ana,gave,1"), "line 3 has 4 columns, the heading has 9"),
        (ours("2026-11-22,Ana,gave,1,EUR,,,,,x"), "line 3 has 10 columns, the heading has 9"),
        (ours("22.11.2026,Ana,gave,1,EUR,,,,"), "line 3, column \"date\": \"22.11.2026\" is not a day"),
        (ours("2026-11-22,,gave,1,EUR,,,,"), "line 3, column \"contact\": \"\" must not be empty"),
        (ours("2026-11-22,Ana,lent,1,EUR,,,,"), "line 3, column \"direction\": \"lent\" is neither gave nor got"),
        (ours("2026-11-22,Ana,gave,-1,EUR,,,,"), "line 3, column \"amount\": \"-1\" is not an amount of EUR"),
        (ours("2026-11-22,Ana,gave,0,EUR,,,,"), "line 3, column \"amount\": \"0\" is not an amount of EUR"),
        (ours("2026-11-22,Ana,gave,1.5,JPY,,,,"), "line 3, column \"amount\": \"1.5\" is not an amount of JPY"),
        (ours("2026-11-22,Ana,gave,10000000000000.01,EUR,,,,"), "line 3, column \"amount\": \"10000000000000.01\" is"),
        (ours("2026-11-22,Ana,gave,1,eur,,,,"), "line 3, column \"currency\": \"eur\" is not the code"),
        (ours("2026-11-22,Ana,gave,1,EUR,a\tb,,,"), "line 3, column \"note\": \"a\tb\" must not contain control"),
        (ours("2026-11-22,Ana,gave,1,EUR,,soon,,"), "line 3, column \"due\": \"soon\" is not a day"),
        (ours("2026-11-22,Ana,gave,1,EUR,,,7,"), "line 3, column \"contact_id\": \"7\" is not an id"),
        (ours("2026-11-22,Ana,gave,1,EUR,,,,7"), "line 3, column \"transaction_id\": \"7\" is not an id"),
    ];
    for (text, expected) in cases {
        check_refused(&text, expected);
    }
}

#[test]
fn rows_that_contradict_each_other_are_told() {
    let id = "00000000-0000-0000-0000-00000000d001";
    let cases = [
        (
            ours(&format!("2026-11-22,Ana,gave,1,EUR,,,,{id}\n2026-11-22,Ana,gave,1,EUR,,,,{id}")),
            "line 4: the transaction 00000000-0000-0000-0000-00000000d001 stands in line 3 already",
        ),
        (
            ours(&format!("2026-11-22,Ana,gave,1,EUR,,,,{id}\n2026-11-22,Ben,gave,1,EUR,,,{id},")),
            "line 3: the transaction_id 00000000-0000-0000-0000-00000000d001 is a contact's",
        ),
        (
            ours(&format!("2026-11-22,Ana,gave,1,EUR,,,{id},\n2026-11-22,Anna,gave,1,EUR,,,{id},")),
            "line 4: the contact 00000000-0000-0000-0000-00000000d001 is called \"Anna\" here and \"Ana\" before",
        ),
        (
            ours(&format!(
                "2026-11-22,Ana,gave,1,EUR,,,{id},\n2026-11-22,Ana,gave,1,EUR,,,{},\n2026-11-22,Ana,gave,1,EUR,,,,",
                id.replace('d', "c")
            )),
            "line 5: several contacts are called \"Ana\"",
        ),
    ];
    for (text, expected) in cases {
        check_refused(&text, expected);
    }
}

#[test]
fn errors_in_bills_name_the_line_and_what_is_expected() {
    let cases = [
        (bills("Soup,Expense,x,EUR,2026-11-21,Me,1,Ana"), "line 2, column \"amount\": \"x\" is not an amount"),
        (bills("Soup,Expense,1e3,EUR,2026-11-21,Me,1,Ana"), "line 2, column \"amount\": \"1e3\" is not an amount"),
        (bills("Soup,Gift,1,EUR,2026-11-21,Me,1,Ana"), "line 2, column \"bill_type\": \"Gift\" is none of Expense, R"),
        (bills("Soup,Expense,1,BTC,2026-11-21,Me,1,Ana"), "line 2, column \"currency\": \"BTC\" is not the code"),
        (bills("Soup,Expense,1,EUR,2026-11-31,Me,1,Ana"), "line 2, column \"date\": \"2026-11-31\" is not a day"),
        (bills("Soup,Expense,1,EUR,2026-11-21,,1,Ana"), "line 2, column \"payer_name\": \"\" must not be empty"),
        (bills("Soup,Expense,1,EUR,2026-11-21,Me,0,Ana"), "line 2, column \"payer_weight\": \"0\" is not a weight"),
        (bills("Soup,Expense,1,EUR,2026-11-21,Me,1,"), "line 2, column \"owers\": \"\" must not be empty"),
        (
            bills("Soup,Expense,1,EUR,2026-11-21,Me,1.50,Ana\nSoup,Expense,1,EUR,2026-11-21,Me,2,Ana"),
            "line 2: Me weighs 1.5 here and 2 in another line",
        ),
        (
            bills("Soup,Expense,1,EUR,2026-11-21,Ana,1,Ben"),
            "nobody in this file is named \"Me\": it has \"Ana\", \"Ben\"",
        ),
        (bills("Soup,Expense,999999999999999,EUR,2026-11-21,Me,1,Ana"), "line 2: the amounts are too large"),
    ];
    for (text, expected) in cases {
        check_refused(&text, expected);
    }
    check(
        &bills("Soup,Expense,1,EUR,2026-11-21,Me,1,Ana"),
        None,
        expect![[r#"! the file has bills of several people: say which of them you are (--me NAME): "Me", "Ana""#]],
    );
}

fn check_refused(text: &str, expected: &str) {
    let error = plan_of(text, Some("Me")).expect_err(expected).to_string();
    assert!(error.starts_with(expected), "{error:?} should begin with {expected:?}");
}

/// A file of ours with this in line 3.
fn ours(row: &str) -> String {
    format!("date,contact,direction,amount,currency,note,due,contact_id,transaction_id\n\n{row}\n")
}

/// A file of bills with this in line 2.
fn bills(row: &str) -> String {
    format!("{BILLS}\r\n{row}\r\n")
}

/// Ids are a promise to every book that was ever imported into: these never change.
#[test]
fn ids_are_golden() {
    let row = "2026-11-22,Ana,gave,1,EUR";
    let ours = plan_of(&format!("date,contact,direction,amount,currency\n{row}\n{row}\n"), None).unwrap();
    let bill = "Soup,Expense,1,EUR,2026-11-21,Me,1,Ana";
    let bills = plan_of(&format!("{BILLS}\n{bill}\n{bill}\n"), Some("Me")).unwrap();
    let ids = |plan: &Plan| {
        let transactions = plan.transactions.iter().map(|one| one.id.to_string());
        plan.contacts.iter().map(|one| one.id.to_string()).chain(transactions).collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        914be827-4369-8d4f-afdd-2ca961cd3f74
        1800e786-7c32-8d45-a677-a4d2d9643cd7
        85511a0a-dd62-815a-b70f-dd2687840c70"#]]
    .assert_eq(&ids(&ours));
    expect![[r#"
        d2a52021-4104-8e9d-9f27-df937047e9f4
        40b34f07-0a27-8efb-af7e-e8ebf990f580
        cf29de19-dda1-874e-b4c9-69bb20d77be9"#]]
    .assert_eq(&ids(&bills));
}

/// However numbers are spelled, whatever came to weigh more since, and whatever was paid after it.
#[test]
fn a_bill_is_the_same_in_a_later_export() {
    let first = plan_of(&format!("{BILLS}\nSoup,Expense,1.00,EUR,2026-11-21,Me,1,\"Ben, Ana\"\n"), Some("Me")).unwrap();
    let again = format!(
        "{BILLS}\nSoup,Expense,1,EUR,2026-11-21,Me,1,\"Ana, Ben\"\nTea,Expense,3,EUR,2026-11-21,Cem,1,\"Cem, Me\"\n\
         Soup,Expense,1,EUR,2026-11-21,Me,1,\"Ana, Ben\"\n"
    );
    let later = plan_of(&again, Some("Me")).unwrap();
    assert_eq!(first.transactions[..], later.transactions[..2]);
    assert_eq!(later.transactions.iter().map(|one| one.id).collect::<HashSet<_>>().len(), 5);
    let weights =
        plan_of(&format!("{BILLS}\nSoup,Expense,1,EUR,2026-11-21,Me,7,\"Ana, Ben, Me\"\n"), Some("Me")).unwrap();
    let before =
        plan_of(&format!("{BILLS}\nSoup,Expense,1,EUR,2026-11-21,Me,1,\"Ana, Ben, Me\"\n"), Some("Me")).unwrap();
    let ids = |plan: &Plan| plan.transactions.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(&weights), ids(&before));
}

/// A real project's export, and the balances its server reported (by `cargo xtask prove ihatemoney`).
const REAL: &str = include_str!("../../../tests/fixtures/ihatemoney.csv");
const REAL_BALANCES: &str = include_str!("../../../tests/fixtures/ihatemoney-balances.json");

#[test]
fn every_member_of_a_real_project_gets_the_balance_its_server_reports() {
    let balances: HashMap<String, f64> = serde_json::from_str(REAL_BALANCES).expect("names and balances");
    assert!(balances.len() >= 5, "a project with people in it");
    for (me, reported) in balances {
        let plan = plan_of(REAL, Some(&me)).unwrap_or_else(|error| panic!("{me}: {error}"));
        let planned: i128 = plan.totals.iter().map(|total| total.planned).sum();
        // The server adds floats up and rounds nothing; half a cent is what rounding to whole ones may take or give.
        assert!((planned as f64 - reported * 100.0).abs() < 0.5 + 1e-6, "{me}: {planned} and {reported}");
        assert!(plan.doubts.is_empty() && plan.totals.len() == 1, "{me}: {:?}", plan.doubts);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|[,\"\n\r.0-9-]){0,200}", heading in 0..3_usize) {
        let headings = ["", BILLS, "date,contact,direction,amount,currency"];
        let _ = plan_of(&format!("{}\n{text}", headings[heading]), Some("Me"));
    }

    #[test]
    fn damaged_files_are_read_or_refused(at in 0..REAL.len(), len in 0_usize..40, with in "[,\"\n\r.0-9A-Z-]{0,8}") {
        let mut bytes = REAL.as_bytes().to_vec();
        bytes.splice(at..(at + len).min(REAL.len()), with.bytes());
        let _ = plan_of(&String::from_utf8_lossy(&bytes), Some("Mira"));
    }

    #[test]
    fn extreme_numbers_are_planned_or_refused(
        bills in prop::collection::vec(("-?[0-9]{1,16}(\\.[0-9]{1,19})?", "[0-9]{1,15}(\\.[0-9]{1,18})?"), 1..10),
    ) {
        let row = |(amount, weight): &(String, String)| format!("X,,{amount},EUR,2026-11-21,Me,{weight},\"Ana, Me\"");
        let _ = plan_of(&format!("{BILLS}\n{}", bills.iter().map(row).collect::<Vec<_>>().join("\n")), Some("Me"));
    }
}
