//! What must hold of every plan of an import.

use std::collections::HashSet;

use tidebook_book::ChainHash;
use tidebook_ledger::export;
use tidebook_ledger::import::{Plan, csv, json, missing_ops};
use tidebook_ledger::{AMOUNT_MAX, LedgerBook};

use crate::book::{BOOK, EPOCH, EURO, draft, new_book};

/// All of it can be written, comes to what it says, is not written twice, and leaves a book that can be exported and read
/// back without loss.
pub(crate) fn check(plan: &Plan) {
    let contacts: HashSet<_> = plan.contacts.iter().map(|contact| contact.id).collect();
    for transaction in &plan.transactions {
        assert!(contacts.contains(&transaction.contact), "{transaction:?} is with nobody");
        assert!((1..=AMOUNT_MAX).contains(&transaction.amount), "{transaction:?}");
    }
    let Some(book) = carried_out(plan) else { return };
    for total in &plan.totals {
        let sum = book.domain.totals().get(&total.currency).copied().unwrap_or(0);
        assert_eq!(sum, total.planned, "{}", total.currency);
    }
    assert_eq!(missing_ops(plan, &book.domain), [], "a second import writes nothing");
    check_exports(&book);
}

/// None where a book cannot hold as much.
fn carried_out(plan: &Plan) -> Option<LedgerBook> {
    let mut book = new_book();
    for (seq, op) in (2..).zip(missing_ops(plan, &book.domain)) {
        match book.decide_and_apply(&[op], draft(seq)) {
            Ok(_) => {}
            Err(rejected) => {
                assert_eq!(rejected.code, "total_too_large", "{rejected:?}");
                return None;
            }
        }
    }
    Some(book)
}

fn check_exports(book: &LedgerBook) {
    let currency = EURO.parse().expect("a currency");
    let table = export::csv(&book.domain);
    let from_table = csv::plan(&table, csv::Destination { book: BOOK, me: None, currency }).expect("our own CSV reads");
    let standing = book.domain.transactions().filter(|it| !it.deleted);
    let standing = standing.filter(|it| book.domain.contact(it.contact).is_some_and(|contact| !contact.deleted));
    assert_eq!(from_table.transactions.len(), standing.count());

    let (seq, hash) = (tidebook_book::Seq(1), ChainHash::ZERO);
    let origin = export::Origin { book: BOOK, epoch: Some(EPOCH), seq, hash, pending: 0 };
    let text = export::json(origin, &[], book, None);
    let from_text = json::plan(&text).expect("our own JSON reads");
    assert_eq!(missing_ops(&from_text, &book.domain), []);
    assert_eq!(from_text.contacts.len(), book.domain.contacts().count());
    assert_eq!(from_text.transactions.len(), book.domain.transactions().count());
}
