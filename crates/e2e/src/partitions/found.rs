//! What the partitions came to, as docs/proofs.md tells it.

use std::fmt;
use std::time::Duration;

use super::client::WentThrough;
use super::partition::{BACK_FROM_SILENCE_WITHIN, BACK_WITHIN};

/// What it came to. Its words are what was done, a colon, and what was found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Partitions {
    pub(super) lasted: Duration,
    pub(super) rounds: usize,
    pub(super) natives: Kind,
    pub(super) browsers: Kind,
    pub(super) kills: usize,
    pub(super) entries: usize,
    pub(super) meetings: usize,
    /// Of these, those of everybody.
    pub(super) full_meetings: usize,
    /// Clients at all meetings.
    pub(super) guests: usize,
    /// How long it took at most until everybody at a meeting had the same.
    pub(super) equal: Duration,
}

/// What the clients of one kind wrote and went through.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kind {
    pub(super) clients: usize,
    pub(super) written: usize,
    went_through: WentThrough,
}

impl Kind {
    pub(super) fn add(&mut self, written: usize, one: WentThrough) {
        self.clients += 1;
        self.written += written;
        let all = &mut self.went_through;
        all.silent += one.silent;
        all.long += one.long;
        all.longest = all.longest.max(one.longest);
        all.back = [0, 1].map(|kind| all.back[kind].max(one.back[kind]));
    }
}

impl fmt::Display for Partitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lasted, rounds, natives, browsers, kills, entries, meetings, full_meetings, guests, equal } = *self;
        let (of_natives, of_browsers) = (natives.went_through, browsers.went_through);
        let minutes = lasted.as_secs_f64() / 60.0;
        let silent = of_natives.silent + of_browsers.silent;
        let long = of_natives.long + of_browsers.long;
        let longest = of_natives.longest.max(of_browsers.longest).as_secs_f64();
        let clients = natives.clients + browsers.clients;
        write!(
            f,
            "{rounds} partitions healed in {minutes:.1} min between a server, {} native clients (each a process with a store in a file, {kills} times killed and started again) and {} browsers, on loopback through a proxy each; after {silent} of them the lines were dead in silence, {long} lasted 20 s and more, the longest {longest:.1} s; {} changes written natively and {} in browsers meanwhile: ",
            natives.clients, browsers.clients, natives.written, browsers.written,
        )?;
        let at_a_meeting = guests as f64 / meetings.max(1) as f64;
        write!(
            f,
            "0 stuck, 0 diverged; equal to the server, state and log, at {meetings} meetings of {at_a_meeting:.1} clients on average ({full_meetings} of all {clients}), at most {:.1} s after they began; all that was written is in the log of {entries} once; all came back by themselves",
            equal.as_secs_f64()
        )?;
        for (who, went) in [("native clients", of_natives), ("browsers", of_browsers)] {
            let [told, silent] = went.back.map(|took| took.as_secs_f64());
            write!(f, ", {who} after at most {told:.1} s (from silence {silent:.1} s)")?;
        }
        let (told, silent) = (BACK_WITHIN.as_secs(), BACK_FROM_SILENCE_WITHIN.as_secs());
        write!(f, ", where {told} s ({silent} s) are allowed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_words_tell_the_longest_of_each_kind() {
        let went = |seconds: [u64; 2]| WentThrough {
            silent: 1,
            long: 2,
            longest: Duration::from_secs(80 + seconds[0]),
            back: seconds.map(Duration::from_secs),
        };
        let mut found = Partitions { rounds: 9, meetings: 2, guests: 5, ..Partitions::default() };
        found.natives.add(4, went([3, 20]));
        found.natives.add(5, went([7, 10]));
        found.browsers.add(6, went([1, 2]));
        let words = found.to_string();
        let (amount, result) = words.split_once(": ").unwrap();
        let done = "after 3 of them the lines were dead in silence, 6 lasted 20 s and more, the longest 87.0 s; 9 changes written natively and 6";
        assert!(amount.starts_with("9 partitions healed") && amount.contains(done), "{amount}");
        let back = "native clients after at most 7.0 s (from silence 20.0 s), browsers after at most 1.0 s (from silence 2.0 s), where 20 s (35 s) are allowed";
        assert!(result.contains("2 meetings of 2.5 clients") && result.ends_with(back), "{result}");
    }
}
