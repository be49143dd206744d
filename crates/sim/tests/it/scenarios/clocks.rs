//! Clocks at 1970 and 2099, on devices and on the server: times are shown as they were told, and nothing else is another.

use serde_json::Value;

use super::words::{amount, gave, note, someone};
use super::world::{BEGINS_AT, World};

/// 2099-01-01.
const LATE: i64 = 4_070_908_800_000;
/// By how much a clock is off that shows 1970, the right time, or 2099 as the story begins.
const OFF: [i64; 3] = [-BEGINS_AT, 0, LATE - BEGINS_AT];

#[test]
fn clocks_at_1970_and_2099() {
    let expected = play(0, 0, 0);
    assert!(expected.iter().any(|entry| entry.to_string().contains("conflict_raised")));
    for ana in OFF {
        for ben in OFF {
            for server in OFF {
                assert_eq!(play(ana, ben, server), expected, "off by {ana}, {ben} and {server} ms");
            }
        }
    }
}

/// Two people write, together and apart, and are at odds. The log without its times.
fn play(ana_off: i64, ben_off: i64, server_off: i64) -> Vec<Value> {
    let mut world = World::new();
    let (ana, ben) = (world.device(0), world.device(1));
    world.server_clock_off_ms = server_off;
    world.tabs[ana].clock_off_ms = ana_off;
    world.tabs[ben].clock_off_ms = ben_off;
    world.settle();
    let first = world.write(ana, vec![someone(1), gave(1, 1, 20)]);
    world.settle();
    world.cut(ana);
    world.write(ben, vec![amount(1, 25)]);
    world.run_for(30_000);
    world.write(ana, vec![amount(1, 30), note(1, "lunch")]);
    world.run_for(30_000);
    world.kill(ana);
    world.start(ana);
    world.mend(ana);
    world.settle();
    world.write(ben, vec![note(1, "dinner")]);
    world.settle();
    world.check();

    let shown = world.server.log.read::<tidebook_ledger::Ledger>(world.seq_of(first));
    assert!((shown.made_at.0 - BEGINS_AT - ana_off).abs() < 60_000, "as Ana's clock had it: {}", shown.made_at);
    assert!((shown.at.0 - BEGINS_AT - server_off).abs() < 60_000, "as the server's had it: {}", shown.at);
    let entries = world.server.log.entries.iter().skip(2);
    let read = |bytes: &[u8]| without_times(serde_json::from_slice(bytes).expect("an entry is JSON"));
    entries.map(|entry| read(&entry.bytes)).collect()
}

fn without_times(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_times).collect(),
        Value::Object(members) => {
            let stays = members.into_iter().filter(|(name, _)| name != "at" && name != "made_at");
            Value::Object(stays.map(|(name, value)| (name, without_times(value))).collect())
        }
        other => other,
    }
}
