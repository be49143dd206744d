//! Bytes are promises: what enters a log is hashed, stored and sent as it is, for as long as there are books.

use expect_test::{Expect, expect};
use tidebook_authority::{Authority, MemberRow};
use tidebook_book::{ChainHash, Mutation, MutationNumber, Role, Seq, UnixMillis};
use tidebook_ledger::{ContactId, Ledger, LedgerChange, LedgerOp, TransactionId};
use tidebook_protocol::RawMutation;
use uuid::Uuid;

use crate::support::{ANA, AT, Desk, OWNER, id, opening, raw};

const CONTACT: ContactId = ContactId(Uuid::from_u128(0xc0));
const TRANSACTION: TransactionId = TransactionId(Uuid::from_u128(0xd0));

fn book_created() -> LedgerChange {
    LedgerChange::BookCreated { name: "Flat 4".into(), currency: "EUR".parse().expect("a currency") }
}

fn create_contact() -> LedgerOp {
    LedgerOp::CreateContact {
        id: CONTACT,
        name: "Ána \"Anna\"".into(),
        username: None,
        phone: Some("+49 30 1234".into()),
        email: None,
        note: Some("two\nlines".into()),
    }
}

fn create_transaction() -> LedgerOp {
    serde_json::from_value(serde_json::json!({
        "op": "create_transaction", "id": TRANSACTION, "contact": CONTACT, "direction": "gave", "amount": 2050,
        "currency": "EUR", "date": "2026-11-22", "due": "2026-12-01",
    }))
    .expect("an op")
}

fn offered(n: u64, ops: Vec<LedgerOp>, undoes: Option<Seq>) -> RawMutation {
    raw(&Mutation { id: id(n.into()), n: MutationNumber(n), made_at: UnixMillis(AT.0 - 5), base: Seq(0), ops, undoes })
}

/// The bytes of the entry these ops become, in a book that has a contact already.
fn check(ops: Vec<LedgerOp>, undoes: Option<Seq>, expected: Expect) {
    let mut desk = Desk::<Ledger>::opened(book_created());
    assert_eq!(desk.push(ANA, &[offered(1, vec![create_contact()], None)]), "entry 3");
    assert_eq!(desk.push(ANA, &[offered(2, ops, undoes)]), "entry 4");
    desk.commit();
    expected.assert_eq(std::str::from_utf8(&desk.log.entries[3].bytes).expect("UTF-8"));
}

#[test]
fn the_first_entry_of_a_book() {
    let batch = Authority::<Ledger>::open(opening(book_created()));
    assert_eq!(batch.expected_head, Seq::ZERO);
    assert_eq!(batch.members, [MemberRow { user: OWNER, role: Some(Role::Owner), at: AT }]);
    let [staged] = &*batch.entries else { panic!("one entry") };
    expect![[r#"{"seq":1,"at":1700000000000,"by":"00000000-0000-0000-0000-00000000000a","replica":"00000000-0000-0000-0000-00000000000f","n":1,"id":"ffffffff-ffff-ffff-ffff-fffffffffffe","made_at":1700000000000,"changes":[{"type":"book_created","name":"Flat 4","currency":"EUR"},{"type":"member_added","user":"00000000-0000-0000-0000-00000000000a","role":"owner"}]}"#]].assert_eq(std::str::from_utf8(&staged.entry.bytes).expect("UTF-8"));
    assert_eq!(staged.entry.hash, ChainHash::ZERO.followed_by(&staged.entry.bytes));
    assert_eq!((staged.n, batch.numbers[0].n), (MutationNumber(1), MutationNumber(1)));
    expect!["a0c4d3f8fddbe1d02984e390a482f49e72b6dc216eb6366c155764167fa4e9d6"]
        .assert_eq(&staged.entry.hash.to_string());
}

#[test]
fn a_contact() {
    let other = match create_contact() {
        LedgerOp::CreateContact { name, username, phone, email, note, .. } => {
            LedgerOp::CreateContact { id: ContactId(Uuid::from_u128(0xc1)), name, username, phone, email, note }
        }
        op => op,
    };
    check(
        vec![other],
        None,
        expect![[
            r#"{"seq":4,"at":1700000000000,"by":"00000000-0000-0000-0000-00000000000a","replica":"00000000-0000-0000-0000-000000000001","n":2,"id":"00000000-0000-0000-0000-000000000002","made_at":1699999999995,"changes":[{"type":"contact_created","id":"00000000-0000-0000-0000-0000000000c1","name":"Ána \"Anna\"","phone":"+49 30 1234","note":"two\nlines"}]}"#
        ]],
    );
}

#[test]
fn a_transaction() {
    check(
        vec![create_transaction()],
        None,
        expect![[
            r#"{"seq":4,"at":1700000000000,"by":"00000000-0000-0000-0000-00000000000a","replica":"00000000-0000-0000-0000-000000000001","n":2,"id":"00000000-0000-0000-0000-000000000002","made_at":1699999999995,"changes":[{"type":"transaction_created","id":"00000000-0000-0000-0000-0000000000d0","contact":"00000000-0000-0000-0000-0000000000c0","direction":"gave","amount":2050,"currency":"EUR","date":"2026-11-22","due":"2026-12-01"}]}"#
        ]],
    );
}

#[test]
fn a_rejection_of_an_undo() {
    check(
        vec![create_transaction(), create_contact()],
        Some(Seq(3)),
        expect![[
            r#"{"seq":4,"at":1700000000000,"by":"00000000-0000-0000-0000-00000000000a","replica":"00000000-0000-0000-0000-000000000001","n":2,"id":"00000000-0000-0000-0000-000000000002","made_at":1699999999995,"undoes":3,"rejected":{"code":"id_taken","detail":"a record of this id is there already","op":1},"changes":[]}"#
        ]],
    );
}

#[test]
fn the_chain_runs_over_a_batch() {
    let mut desk = Desk::<Ledger>::opened(book_created());
    let before = desk.log.hash_at(Seq(2)).expect("the head");
    let mutations = [
        offered(1, vec![create_contact()], None),
        offered(2, vec![create_transaction()], None),
        offered(3, vec![], None),
    ];
    assert_eq!(desk.push(ANA, &mutations), "entry 3, entry 4, entry 5");
    let batch = desk.authority.poll_batch().expect("three entries");
    let mut hash = before;
    for staged in &batch.entries {
        hash = hash.followed_by(&staged.entry.bytes);
        assert_eq!(staged.entry.hash, hash, "entry {}", staged.entry.seq);
    }
    expect!["a7814f42a35fc83e7b6bd67a8f7b2eb6e2dd859f56cbcf90ebfd567a563529ff"].assert_eq(&hash.to_string());
}
