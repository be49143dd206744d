//! A journal that hledger takes, in its strict mode too.
//!
//! What a contact owes is an asset, and what is owed to them is the same account below zero: `assets:owed:NAME`. Where the
//! money came from or went to is not known here, so the other side of every transaction is `equity:tidebook`; somebody
//! who keeps a journal of their own can rename it to the account that paid.
//!
//! A transaction's code, in parentheses, is its id; its description is the contact's name, a bar, and the note.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use super::decimal::decimal;
use super::standing;
use crate::{Contact, ContactId, Currency, Direction, LedgerState, Transaction};

const OWED: &str = "assets:owed";
const ELSEWHERE: &str = "equity:tidebook";

/// How much of an id tells two contacts of one name apart: its last digits, since ids made at one time begin alike.
const SHORT_ID_CHARS: usize = 8;

/// The transactions that stand, oldest first, as a journal. Amounts are decimals with their currency's own number of
/// digits; declared are the currencies and the accounts, in alphabetical order.
#[must_use]
pub fn hledger(state: &LedgerState) -> String {
    let standing = standing(state);
    let names = names(state);
    let currencies: BTreeSet<Currency> = standing.iter().map(|(transaction, _)| transaction.currency).collect();
    let accounts: BTreeSet<String> = standing.iter().map(|(_, contact)| account(&names, contact)).collect();

    let mut journal = String::new();
    for currency in currencies {
        line(&mut journal, &format!("commodity {}", sample(currency)));
    }
    line(&mut journal, &format!("account {OWED}  ; type: A"));
    line(&mut journal, &format!("account {ELSEWHERE}  ; type: E"));
    for account in accounts {
        line(&mut journal, &format!("account {account}"));
    }
    for (transaction, contact) in standing {
        journal.push('\n');
        write_transaction(&mut journal, transaction, &names[&contact.id], &account(&names, contact));
    }
    journal
}

fn write_transaction(journal: &mut String, transaction: &Transaction, name: &str, account: &str) {
    let Transaction { id, date, currency, .. } = transaction;
    let note = transaction.note.as_deref().map(one_line).unwrap_or_default();
    let payee = one_line(name).replace('|', "/");
    let bar = if note.is_empty() { "" } else { " | " };
    line(journal, &format!("{date} ({id}) {payee}{bar}{note}"));
    if let Some(due) = transaction.due {
        line(journal, &format!("    ; due: {due}"));
    }
    let amount = decimal(transaction.amount.into(), *currency);
    let (owed, elsewhere) = match transaction.direction {
        Direction::Gave => ("", "-"),
        Direction::Got => ("-", ""),
    };
    line(journal, &format!("    {account}  {owed}{amount} {currency}"));
    line(journal, &format!("    {ELSEWHERE}  {elsewhere}{amount} {currency}"));
}

fn line(journal: &mut String, text: &str) {
    writeln!(journal, "{text}").expect("a text takes all that is written");
}

/// An amount that shows how many decimals a currency has. The decimal sign must be there, also where none follow.
fn sample(currency: Currency) -> String {
    let amount = decimal(10_u128.pow(3 + currency.minor_digits()), currency);
    let point = if amount.contains('.') { "" } else { "." };
    format!("{amount}{point} {currency}")
}

fn account(names: &HashMap<ContactId, String>, contact: &Contact) -> String {
    format!("{OWED}:{}", names[&contact.id])
}

/// What each standing contact's account is called: their name, and behind it part of their id where one is called so
/// already.
fn names(state: &LedgerState) -> HashMap<ContactId, String> {
    let mut contacts: Vec<&Contact> = state.contacts().filter(|contact| !contact.deleted).collect();
    contacts.sort_by_key(|contact| (contact.created.seq, contact.created.index, contact.id));
    let mut taken: HashSet<String> = HashSet::new();
    let mut names = HashMap::new();
    for contact in contacts {
        let (clean, id) = (account_name(&contact.name), contact.id.to_string());
        let short = format!("{clean} {}", &id[id.len() - SHORT_ID_CHARS..]);
        let numbered = (1_u64..).map(|number| format!("{clean} {id} {number}"));
        let mut candidates = [clean.clone(), short].into_iter().chain(numbered);
        let name = candidates.find(|name| taken.insert(name.clone())).expect("numbers don't end");
        names.insert(contact.id, name);
    }
    names
}

/// A name as part of an account's: a colon would part it, a semicolon begin a comment, and two spaces end it.
fn account_name(name: &str) -> String {
    let name = one_line(name).replace(':', "-");
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// A text on one line, without what begins a comment; all space in it is single spaces.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|char: char| char.is_whitespace() || char.is_control()).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>();
    words.join(" ").replace(';', ",")
}
