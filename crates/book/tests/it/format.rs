//! What the log and snapshots say, letter by letter: stored bytes are read for as long as there are books.

use expect_test::{Expect, expect};
use tidebook_book::{
    BookChange, BookId, BookState, ChainHash, Change, Entry, Epoch, MemberChange, MutationId, MutationNumber, Person,
    Rejected, ReplicaId, Role, Seq, Snapshot, SortedMap, UnixMillis, UserId,
};
use uuid::Uuid;

use crate::checklist::{Checklist, ItemId, ListChange};

const fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

fn entry(changes: Vec<BookChange<Checklist>>) -> Entry<BookChange<Checklist>> {
    Entry {
        seq: Seq(42),
        at: UnixMillis(1_700_000_000_123),
        by: user(0xa),
        replica: ReplicaId(Uuid::from_u128(0x1)),
        n: MutationNumber(7),
        id: MutationId(Uuid::from_u128(0x2)),
        made_at: UnixMillis(-5),
        undoes: None,
        rejected: None,
        changes,
    }
}

fn check(entry: &Entry<BookChange<Checklist>>, expected: Expect) {
    let text = serde_json::to_string(entry).expect("an entry serialises");
    expected.assert_eq(&text);
    let read: Entry<BookChange<Checklist>> = serde_json::from_str(&text).expect("what was written reads back");
    assert_eq!(&read, entry);
    let newer = text.replacen('{', r#"{"newer":[{"x":null}],"#, 1).replace(r#"{"type""#, r#"{"newer":1,"type""#);
    let read: Entry<BookChange<Checklist>> = serde_json::from_str(&newer).expect("unknown fields are ignored");
    assert_eq!(&read, entry);
}

#[test]
fn an_entry_with_changes_of_the_engine_and_of_the_domain() {
    let changes = vec![
        Change::Domain(ListChange::ItemAdded { id: ItemId(3), text: "crème \"brûlée\"\n".into() }),
        Change::Member(MemberChange::Added { user: user(0xb), role: Role::Viewer }),
        Change::Member(MemberChange::RoleChanged { user: user(0xb), role: Role::Owner }),
        Change::Member(MemberChange::Removed { user: user(0xb) }),
    ];
    check(
        &entry(changes),
        expect![[
            r#"{"seq":42,"at":1700000000123,"by":"00000000-0000-0000-0000-00000000000a","replica":"00000000-0000-0000-0000-000000000001","n":7,"id":"00000000-0000-0000-0000-000000000002","made_at":-5,"changes":[{"type":"item_added","id":3,"text":"crème \"brûlée\"\n"},{"type":"member_added","user":"00000000-0000-0000-0000-00000000000b","role":"viewer"},{"type":"member_role_changed","user":"00000000-0000-0000-0000-00000000000b","role":"owner"},{"type":"member_removed","user":"00000000-0000-0000-0000-00000000000b"}]}"#
        ]],
    );
}

#[test]
fn an_entry_that_changes_nothing_and_undoes_another() {
    check(
        &Entry { undoes: Some(Seq(40)), ..entry(Vec::new()) },
        expect![[
            r#"{"seq":42,"at":1700000000123,"by":"00000000-0000-0000-0000-00000000000a","replica":"00000000-0000-0000-0000-000000000001","n":7,"id":"00000000-0000-0000-0000-000000000002","made_at":-5,"undoes":40,"changes":[]}"#
        ]],
    );
}

#[test]
fn an_entry_that_rejects() {
    let rejected = Rejected { code: "invalid_field".into(), detail: "why".into(), op: 3, field: Some("name".into()) };
    check(
        &Entry { rejected: Some(rejected), ..entry(Vec::new()) },
        expect![[
            r#"{"seq":42,"at":1700000000123,"by":"00000000-0000-0000-0000-00000000000a","replica":"00000000-0000-0000-0000-000000000001","n":7,"id":"00000000-0000-0000-0000-000000000002","made_at":-5,"rejected":{"code":"invalid_field","detail":"why","op":3,"field":"name"},"changes":[]}"#
        ]],
    );
}

#[test]
fn entries_that_cannot_be_read_are_errors() {
    let good = serde_json::to_string(&entry(vec![Change::Domain(ListChange::ListCreated)])).expect("serialises");
    let cases = [
        (r#""type":"list_created""#, r#""type":"list_painted""#),
        (r#""type":"list_created""#, r#""kind":"list_created""#),
        (r#""type":"list_created""#, r#""type":"member_added""#),
        (r#""seq":42"#, r#""seq":-1"#),
        (r#""seq":42,"#, ""),
        ("0000000a", "0000000A"),
    ];
    for (from, to) in cases {
        let wrong = good.replacen(from, to, 1);
        assert_ne!(wrong, good, "{from}");
        assert!(serde_json::from_str::<Entry<BookChange<Checklist>>>(&wrong).is_err(), "{wrong}");
    }
    serde_json::from_str::<Entry<BookChange<Checklist>>>(&good).expect("the case they were made from is fine");
}

#[test]
fn a_snapshot_holds_the_state_and_leaves_former_members_out_of_it() {
    let mut state = BookState::<Checklist>::default();
    state.apply_entry(&entry(vec![
        Change::Domain(ListChange::ItemAdded { id: ItemId(3), text: "tea".into() }),
        Change::Member(MemberChange::Added { user: user(0xa), role: Role::Owner }),
    ]));
    let person = |id, name: &str, role| Person { id, name: name.into(), role };
    let snapshot = Snapshot::<Checklist> {
        book: BookId(Uuid::from_u128(0xc)),
        epoch: Epoch(Uuid::from_u128(0xd)),
        seq: Seq(42),
        hash: ChainHash::ZERO,
        state_version: 1,
        state_hash: state.hash(),
        replicas: SortedMap::from_iter([(ReplicaId(Uuid::from_u128(1)), MutationNumber(7))]),
        people: vec![person(user(0xa), "Ana", Some(Role::Owner)), person(user(0xb), "Ben", None)],
        state: state.domain.clone(),
    };
    let text = serde_json::to_string(&snapshot).expect("a snapshot serialises");
    expect![[r#"{"book":"00000000-0000-0000-0000-00000000000c","epoch":"00000000-0000-0000-0000-00000000000d","seq":42,"hash":"0000000000000000000000000000000000000000000000000000000000000000","state_version":1,"state_hash":"ba9c4b7b14d7e36b3dc3b7aa3d08dc953b62b712468a2ffc993bf3cf11e67bf7","replicas":{"00000000-0000-0000-0000-000000000001":7},"people":[{"id":"00000000-0000-0000-0000-00000000000a","name":"Ana","role":"owner"},{"id":"00000000-0000-0000-0000-00000000000b","name":"Ben","role":null}],"state":{"3":{"text":"tea","added":[42,0],"ticked":null}}}"#]].assert_eq(&text);
    let read: Snapshot<Checklist> = serde_json::from_str(&text).expect("what was written reads back");
    assert_eq!(read.into_state().hash(), state.hash());
}
