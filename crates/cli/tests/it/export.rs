//! `tidebook export`, and a book's chain, as programs that are not ours see them: hledger adds the table up, and b3sum
//! hashes the log.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::dice::Dice;
use crate::person::Book;
use crate::program::{Place, run};
use crate::says::{contact, fresh, transaction, with};

/// How hledger reads our table: `gave` makes a contact owe more. Accounts are named by id, since names may repeat.
const RULES: &str = "skip 1
fields date, name, direction, number, money, note, due, contact, transaction
date-format %Y-%m-%d
description %note
account1 owed:%contact
account2 cash
amount %number %money
if %direction ^got$
 amount -%number %money
";

/// A book in which much was written, changed, deleted and brought back.
async fn random_book(place: &Place, seed: u64) -> Book {
    let book = place.mira.book("Harbour Street").await;
    let mut device = place.mira.device(&book).await;
    let mut dice = Dice(seed);
    let (mut contacts, mut transactions) = (Vec::<String>::new(), Vec::<String>::new());
    for round in 0..300 {
        let op = match dice.below(10) {
            0 | 1 => {
                contacts.push(fresh());
                let name = *dice.pick(&["Ana", "=1+1", "O\"Neil, \"Bo\"", "Åse; {x}"]);
                contact(contacts.last().expect("it was just made"), name)
            }
            _ if contacts.is_empty() => continue,
            2..=5 => {
                let currency = *dice.pick(&["EUR", "EUR", "JPY", "KWD", "USD"]);
                let direction = *dice.pick(&["gave", "got"]);
                let amount = dice.roll() % 1_000_000 + 1;
                let of = dice.pick(&contacts).clone();
                let op = transaction(&of, direction, amount, currency);
                transactions.push(op["id"].as_str().expect("an id").to_owned());
                with(op, &json!({"note": format!("round {round}, \"quoted\"; x")}))
            }
            _ if transactions.is_empty() => continue,
            6 => {
                json!({"op": "update_transaction", "id": dice.pick(&transactions), "set": {"amount": dice.roll() % 500 + 1}})
            }
            7 => {
                json!({"op": "update_transaction", "id": dice.pick(&transactions), "set": {"contact": dice.pick(&contacts)}})
            }
            8 => json!({"op": "delete_transaction", "id": dice.pick(&transactions)}),
            _ => {
                let verb = *dice.pick(&["restore_transaction", "delete_contact", "restore_contact"]);
                let id = dice.pick(if verb == "restore_transaction" { &transactions } else { &contacts });
                json!({"op": verb, "id": id})
            }
        };
        // Some are rejected, as what they name is deleted: entries too.
        device.write(&[op]).await;
    }
    book
}

#[tokio::test]
async fn hledger_finds_the_same_balances() {
    let place = Place::new().await;
    let book = random_book(&place, 7).await;
    let exported = run(&mut place.signed(&["export", "csv", &book.id]), "").await;
    assert_eq!(exported.code, Some(0), "{}", exported.err);
    let (table, rules) = (place.home.path().join("book.csv"), place.home.path().join("book.rules"));
    fs::write(&table, &exported.out).expect("it is written");
    fs::write(&rules, RULES).expect("it is written");

    let mut hledger = Command::new("hledger");
    hledger.arg("--file").arg(format!("csv:{}", table.display())).arg("--rules-file").arg(&rules);
    hledger.args(["balance", "owed", "--flat", "--no-total", "--layout", "bare", "--output-format", "csv"]);
    let balances = run(&mut hledger, "").await;
    assert_eq!(balances.code, Some(0), "{}", balances.err);

    let expected = balances_of(&place, &book).await;
    assert!(expected.len() > 30, "a book with something in it");
    assert_eq!(read_balances(&balances.out), expected);
}

/// By contact and currency, in minor units, from the server's own records.
async fn balances_of(place: &Place, book: &Book) -> BTreeMap<(String, String), i64> {
    let page = place.mira.get(&format!("/api/v1/books/{}/contacts?limit=1000", book.id)).await.json();
    let contacts = page["items"].as_array().expect("contacts").iter();
    let sums = contacts.flat_map(|contact| {
        let sums = contact["balances"].as_object().expect("balances").iter();
        let id = contact["id"].as_str().expect("an id").to_owned();
        sums.map(move |(currency, sum)| ((id.clone(), currency.clone()), sum.as_i64().expect("a sum")))
    });
    sums.collect()
}

/// hledger's lines: account, commodity, amount. Zeros are left out on our side.
fn read_balances(out: &str) -> BTreeMap<(String, String), i64> {
    let lines = out.lines().skip(1).map(|line| line.split(',').map(|cell| cell.trim_matches('"')).collect::<Vec<_>>());
    let sums = lines.map(|cells| {
        let [account, currency, amount] = cells[..] else { panic!("{cells:?}") };
        let id = account.strip_prefix("owed:").expect("an account of ours");
        ((id.to_owned(), currency.to_owned()), minor(amount, currency))
    });
    sums.filter(|(_, sum)| *sum != 0).collect()
}

fn minor(amount: &str, currency: &str) -> i64 {
    let digits = match currency {
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    };
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    format!("{whole}{fraction:0<digits$}").parse().expect("an amount")
}

#[tokio::test]
async fn b3sum_and_a_shell_verify_the_chain() {
    let place = Place::new().await;
    let book = random_book(&place, 11).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify-chain.sh");
    let mut verify = Command::new("sh");
    verify.args([script, &place.url(), &book.id]);
    let verified = run(&mut verify, &format!("{}\n", place.mira.token)).await;
    assert_eq!(verified.code, Some(0), "{}", verified.err);
    let head = place.mira.head(&book).await;
    let hash = place.mira.get(&format!("/api/v1/books/{}/entries/{head}/hash", book.id)).await.json();
    assert_eq!(verified.out, format!("{head} {}\n", hash["hash"].as_str().expect("a hash")));
}

#[tokio::test]
async fn the_table_is_one_that_anything_reads() {
    let place = Place::new().await;
    let book = place.mira.book("Harbour Street").await;
    let mut device = place.mira.device(&book).await;
    let (ana, ben) = (fresh(), fresh());
    let lunch = with(transaction(&ana, "gave", 2050, "EUR"), &json!({"note": "soup, \"hot\"", "due": "2026-12-01"}));
    let gone = transaction(&ben, "got", 7, "JPY");
    device.write(&[contact(&ana, "=Ana"), contact(&ben, "Ben"), lunch.clone(), gone]).await;
    device.write(&[json!({"op": "delete_contact", "id": ben})]).await;
    let exported = run(&mut place.signed(&["export", "csv", "Harbour Street"]), "").await;
    let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
    let expected = format!(
        "date,contact,direction,amount,currency,note,due,contact_id,transaction_id\n\
         2026-11-22,'=Ana,gave,20.50,EUR,\"soup, \"\"hot\"\"\",2026-12-01,{ana},{}\n",
        id(&lunch)
    );
    assert_eq!((exported.code, exported.out, exported.err), (Some(0), expected, String::new()));
}
