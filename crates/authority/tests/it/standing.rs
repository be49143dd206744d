//! Who may write, and on what grounds the others are refused. A refusal of standing uses up no number.

use tidebook_book::{Author, Epoch, Mutation, MutationNumber, Seq};
use uuid::Uuid;

use crate::checklist::add;
use crate::support::{ANA, AT, BEN, Desk, EDITOR, EPOCH, OWNER, STRANGER, VIEWER, id, in_words, raw, replica};

const OTHER_EPOCH: Epoch = Epoch(Uuid::from_u128(0xee));

fn author(user: tidebook_book::UserId) -> Author {
    Author { user, replica: replica(0x99) }
}

#[test]
fn standing_decides_before_anything_else() {
    let ok = "entry 3";
    let cases = [
        ("an owner", author(OWNER), EPOCH, 0, ok),
        ("an editor", author(EDITOR), EPOCH, 0, ok),
        ("a viewer", author(VIEWER), EPOCH, 0, "1 refused: ReadOnly"),
        ("a stranger", author(STRANGER), EPOCH, 0, "1 refused: NotAMember"),
        ("another history", author(OWNER), OTHER_EPOCH, 0, "1 refused: WrongEpoch"),
        ("a base at the head", author(OWNER), EPOCH, 2, ok),
        ("a base above the head", author(OWNER), EPOCH, 3, "1 refused: WrongEpoch"),
        ("the replica of someone else", Author { user: EDITOR, replica: ANA.replica }, EPOCH, 0, TAKEN),
        ("a stranger learns nothing of epochs", author(STRANGER), OTHER_EPOCH, 9, "1 refused: NotAMember"),
        ("nor does a viewer of bases", author(VIEWER), EPOCH, 9, "1 refused: ReadOnly"),
    ];
    for (what, author, epoch, base, expected) in cases {
        let mut desk = Desk::new();
        if expected == TAKEN {
            assert_eq!(desk.push_one(ANA, 1, 7, vec![add(7, "x")]), "entry 3");
            desk.commit();
            desk.restart();
        }
        let before = (desk.authority.head(), desk.authority.last_number(author.replica));
        let (n, base, ops) = (MutationNumber(1), Seq(base), vec![add(1, "milk")]);
        let offered = raw(&Mutation { id: id(1), n, made_at: AT, base, ops, undoes: None });
        assert_eq!(in_words(&desk.offer(author, epoch, &[offered])), expected, "{what}");
        let after = (desk.authority.head(), desk.authority.last_number(author.replica));
        assert_eq!(before == after, expected != ok, "{what}");
        assert_eq!(desk.start_commit(), expected == ok, "{what}: a refusal leaves nothing to commit");
    }
}

const TAKEN: &str = "1 refused: ReplicaTaken";

#[test]
fn a_replica_belongs_to_the_person_of_its_first_mutation_from_when_it_is_decided() {
    let mut desk = Desk::new();
    let thief = Author { user: OWNER, replica: BEN.replica };
    assert_eq!(desk.push_one(BEN, 1, 1, vec![add(1, "milk")]), "entry 3");
    assert_eq!(desk.push_one(thief, 2, 2, vec![add(2, "tea")]), "2 refused: ReplicaTaken", "staged already counts");
    assert!(desk.start_commit());
    desk.fail_commit();
    assert_eq!(desk.push_one(thief, 1, 2, vec![add(2, "tea")]), "entry 3", "what failed to commit does not");
}

#[test]
fn the_role_counts_that_stands_when_the_mutation_is_decided() {
    let mut desk = Desk::new();
    desk.push_one(BEN, 1, 1, vec![add(1, "milk")]);
    desk.commit();
    let mut state = desk.authority.state().clone();
    state.members.remove(&EDITOR);
    let (head, numbers) = (desk.log.head(), desk.log.numbers.values().copied().collect::<Vec<_>>());
    let hash = desk.log.hash_at(head).expect("the head");
    desk.authority = tidebook_authority::Authority::new(EPOCH, state, head, hash, numbers);
    assert_eq!(desk.push_one(BEN, 2, 2, vec![add(2, "tea")]), "2 refused: NotAMember");
}
