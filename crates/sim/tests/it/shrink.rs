//! A failure in less of its world.

use tidebook_sim::{Fault, Limits, Options, Plant, Run, catch, run, shrink};

#[test]
fn what_is_left_shows_the_same_and_less_would_not() {
    let options = Options { plant: Some(Plant::CommitUnknown), ..Options::default() };
    let failure = catch(Plant::CommitUnknown, 0..1000).expect("it is found");
    let shrunk = shrink(&failure, options);
    assert_eq!(shrunk.failure.violation.invariant, failure.violation.invariant);
    let again = run(failure.seed, Options { limits: shrunk.limits, ..options });
    assert_eq!(again.as_ref().err(), Some(&shrunk.failure), "the command shows what was told");
    let left: Vec<Fault> = Fault::ALL.iter().copied().filter(|fault| shrunk.limits.allow(*fault)).collect();
    assert!(left.len() < Fault::ALL.len() / 2, "{left:?}");
}

#[test]
fn a_world_without_faults_has_none() {
    let limits = Limits::default().only(&[]);
    let Run { fired, .. } = run(11, Options { limits, ..Options::default() }).expect("the seed holds");
    assert_eq!(fired.iter().sum::<u32>(), 0);
    assert!(limits.only(&[Fault::Liar]).allow(Fault::Liar) && !limits.allow(Fault::Crash));
    assert!(!Limits::default().without(Fault::Crash).allow(Fault::Crash));
}
