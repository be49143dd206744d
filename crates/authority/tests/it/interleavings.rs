//! Any interleaving of pushes, commits and failures makes a log without a gap and without anything twice.

use std::collections::HashMap;

use proptest::prelude::*;
use tidebook_authority::Outcome;
use tidebook_book::{Author, MutationId, MutationNumber, Seq};
use tidebook_protocol::{RawMutation, Refusal};

use crate::checklist::{Checklist, ListOp, add, tick};
use crate::support::{ANA, BEN, Desk, EPOCH, OWNER, mutation, replica};

const MUTATIONS_EACH: usize = 12;

/// The third is a copy of the first device, which offers some of the same mutations under numbers of its own.
const AUTHORS: [Author; 3] = [ANA, BEN, Author { user: OWNER, replica: replica(0x3) }];

#[derive(Debug, Clone)]
enum Step {
    /// A slice of a replica's line, as it would be sent after answers were lost.
    Push {
        author: usize,
        from: usize,
        count: usize,
    },
    /// Other content under a number of the line.
    Fork {
        author: usize,
        n: usize,
    },
    StartCommit,
    EndCommit,
    FailCommit,
    Restart,
    /// As a push, but to another node, whose commit comes first.
    AnotherNode {
        author: usize,
        from: usize,
        count: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..AUTHORS.len(), 0..MUTATIONS_EACH, 1..5_usize)
            .prop_map(|(author, from, count)| Step::Push { author, from, count }),
        1 => (0..AUTHORS.len(), 1..=MUTATIONS_EACH).prop_map(|(author, n)| Step::Fork { author, n }),
        3 => Just(Step::StartCommit),
        3 => Just(Step::EndCommit),
        1 => Just(Step::FailCommit),
        1 => Just(Step::Restart),
        2 => (0..AUTHORS.len(), 0..MUTATIONS_EACH, 1..5_usize)
            .prop_map(|(author, from, count)| Step::AnotherNode { author, from, count }),
    ]
}

fn op() -> impl Strategy<Value = ListOp> {
    prop_oneof![(0..8_u32).prop_map(|id| add(id, "x")), (0..8_u32).prop_map(tick)]
}

type Line = Vec<RawMutation>;

/// What each replica has made, ids unique but for the copy's.
fn lines() -> impl Strategy<Value = [Line; 3]> {
    let ops = || prop::collection::vec(prop::collection::vec(op(), 0..3), MUTATIONS_EACH);
    let shared = prop::collection::vec(any::<bool>(), MUTATIONS_EACH);
    (ops(), ops(), ops(), shared).prop_map(|(first, second, third, shared)| {
        let line = |ops: &[Vec<ListOp>], first_id: u128| -> Line {
            (1..).zip(ops).map(|(n, ops)| mutation(n, first_id + u128::from(n), ops.clone())).collect()
        };
        let (first, second, mut third) = (line(&first, 100), line(&second, 200), line(&third, 300));
        for (index, _) in shared.iter().enumerate().filter(|(_, shared)| **shared) {
            // One further on, so that the same id has different numbers.
            let original = &first[(index + 1) % MUTATIONS_EACH];
            third[index].envelope.id = original.envelope.id;
            third[index].envelope.ops.clone_from(&original.envelope.ops);
        }
        [first, second, third]
    })
}

/// What answers have said so far, as far as it is still true after a failure.
#[derive(Default)]
struct Answers {
    staged: HashMap<MutationId, Seq>,
    durable: HashMap<MutationId, Seq>,
}

impl Answers {
    fn note(&mut self, mutation: MutationId, seq: Seq) {
        let before = self.durable.get(&mutation).copied().or_else(|| self.staged.insert(mutation, seq));
        assert!(before.is_none_or(|before| before == seq), "{mutation} was entry {before:?} and is {seq}");
    }
}

fn run(lines: &[Line; 3], steps: &[Step]) -> Desk<Checklist> {
    let mut desk = Desk::new();
    let mut answers = Answers::default();
    for step in steps {
        match *step {
            Step::Push { author, from, count } => {
                let mutations = &lines[author][from..(from + count).min(MUTATIONS_EACH)];
                push(&mut desk, AUTHORS[author], mutations, &mut answers);
            }
            Step::Fork { author, n } => {
                let forked = mutation(n as u64, 999, vec![tick(0)]);
                let used_up = MutationNumber(n as u64) <= desk.authority.last_number(AUTHORS[author].replica);
                if used_up {
                    assert_eq!(desk.push(AUTHORS[author], &[forked]), format!("{n} refused: Forked"));
                }
            }
            Step::StartCommit => drop(desk.start_commit()),
            Step::EndCommit if desk.is_committing() => desk.finish_commit(),
            Step::FailCommit if desk.is_committing() => {
                desk.fail_commit();
                answers.staged.clear();
            }
            Step::EndCommit | Step::FailCommit => {}
            Step::AnotherNode { author, from, count } => {
                let mutations = &lines[author][from..(from + count).min(MUTATIONS_EACH)];
                desk.another_node_takes(AUTHORS[author], mutations);
                answers.staged.clear();
                let head = desk.log.head();
                assert_eq!(desk.authority.head(), head);
                assert_eq!(desk.authority.state().hash(), desk.log.replay::<Checklist>(head).hash());
            }
            Step::Restart => {
                desk.restart();
                answers.staged.clear();
            }
        }
        answers.durable.extend(desk.log.places.iter().map(|place| (place.id, place.seq)));
    }
    desk
}

fn push(desk: &mut Desk<Checklist>, author: Author, mutations: &[RawMutation], answers: &mut Answers) {
    let last = desk.authority.last_number(author.replica);
    let outcomes = desk.offer(author, EPOCH, mutations);
    assert_eq!(outcomes.len(), mutations.len());
    let has_gap = mutations[0].envelope.n > last.next();
    for (mutation, outcome) in mutations.iter().zip(&outcomes) {
        match outcome {
            Outcome::Entry(seq) => answers.note(mutation.envelope.id, *seq),
            Outcome::Refused(refused) => {
                assert!(has_gap, "{refused:?}");
                assert_eq!((refused.code, refused.expected), (Refusal::Gap, Some(last.next())));
            }
        }
    }
}

/// Brings everything into the log, in order.
fn finish(desk: &mut Desk<Checklist>, lines: &[Line; 3]) {
    if desk.is_committing() {
        desk.finish_commit();
    }
    for (author, line) in AUTHORS.into_iter().zip(lines) {
        assert!(!desk.push(author, line).contains("refused"), "a whole line always enters");
    }
    if desk.start_commit() {
        desk.finish_commit();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    // That nothing is there twice, that the entries have no gap and that the chain holds is checked by the log itself,
    // whenever it takes a batch.
    #[test]
    fn any_interleaving_makes_one_log(lines in lines(), steps in prop::collection::vec(step(), 1..60)) {
        let mut desk = run(&lines, &steps);
        finish(&mut desk, &lines);

        let head = desk.log.head();
        prop_assert_eq!(desk.authority.head(), head);
        prop_assert_eq!(desk.authority.state().hash(), desk.log.replay::<Checklist>(head).hash());
        for (author, line) in AUTHORS.into_iter().zip(&lines) {
            prop_assert_eq!(desk.log.last_number(author.replica), MutationNumber(MUTATIONS_EACH as u64));
            for mutation in line {
                let place = desk.log.place_of(mutation.envelope.id).expect("every mutation has a fate");
                let entry = desk.entry(place.seq.0);
                prop_assert_eq!((entry.id, entry.replica, entry.n), (place.id, place.replica, place.n));
            }
        }
    }
}
