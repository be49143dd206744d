//! Every planted bug is found, and by a check that names what is wrong.

use tidebook_sim::{Plant, catch_all};

const SEEDS_MAX: u64 = 1000;

#[test]
fn every_planted_bug_is_found_within_a_thousand_seeds_and_for_what_it_breaks() {
    let caught = catch_all(Plant::ALL, 0..SEEDS_MAX);
    let missed: Vec<String> = Plant::ALL
        .iter()
        .zip(&caught)
        .filter_map(|(plant, failure)| match failure {
            None => Some(format!("{}: unnoticed", plant.name())),
            Some(failure) if plant.explains(failure) => None,
            Some(failure) => Some(format!("{}: {failure}", plant.name())),
        })
        .collect();
    assert_eq!(missed, Vec::<String>::new());
    assert!(Plant::ALL.len() >= 20, "a checker is tried on many bugs");
}

#[test]
fn a_plant_has_one_name() {
    for plant in Plant::ALL {
        assert_eq!(Plant::by_name(plant.name()), Some(*plant));
    }
    assert_eq!(Plant::by_name("weeds"), None);
}
