//! One seed, one story.

use tidebook_sim::{Options, Telling, run};

#[test]
fn a_seed_run_twice_tells_one_story() {
    let story = |seed| run(seed, Options { telling: Telling::Hashed, ..Options::default() }).expect("the seed holds");
    for seed in 0..20 {
        assert_eq!(story(seed), story(seed), "seed {seed}");
    }
    assert_ne!(story(0).trace_hash, story(1).trace_hash);
}

/// Telling a story changes nothing in it.
#[test]
fn a_seed_comes_to_the_same_in_silence() {
    let run = |telling| run(7, Options { telling, ..Options::default() }).expect("the seed holds");
    let (told, silent) = (run(Telling::Hashed), run(Telling::Silent));
    assert_eq!((told.entries, told.client_ms, told.fired), (silent.entries, silent.client_ms, silent.fired));
}
