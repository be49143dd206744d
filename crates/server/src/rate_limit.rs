//! How often someone may try. One bucket per key, kept as the single time at which it will be full again (the generic
//! cell rate algorithm, ITU-T I.371): a key costs 48 bytes, and one that is full needs no place at all.

use tidebook_book::UserId;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Keys remembered per limit. 3 MiB, and more than the people who sign in within one refill.
const KEYS_MAX: usize = 65_536;

/// `burst` tries at once, then one per `interval`.
#[derive(Debug)]
pub(crate) struct RateLimit {
    interval: Duration,
    burst: u32,
    /// When each key's bucket will be full again.
    full_at: Mutex<HashMap<Key, Instant>>,
}

/// Whom a limit counts for. A hash, so that what callers send takes no room and no e-mail address stays in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn of_address(address: IpAddr) -> Self {
        Self(*blake3::hash(&network(address)).as_bytes())
    }

    pub(crate) fn of_person(user: UserId) -> Self {
        Self(*blake3::hash(user.0.as_bytes()).as_bytes())
    }

    pub(crate) fn of_address_and(address: IpAddr, text: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&network(address)).update(text.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }
}

/// What one customer of an internet provider has: an IPv4 address, or the first half of an IPv6 one.
fn network(address: IpAddr) -> [u8; 8] {
    let mut network = [0; 8];
    match address.to_canonical() {
        IpAddr::V4(v4) => network[..4].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => network.copy_from_slice(&v6.octets()[..8]),
    }
    network
}

impl RateLimit {
    pub(crate) fn new(burst: u32, interval: Duration) -> Self {
        Self { interval, burst, full_at: Mutex::default() }
    }

    /// Takes one try out of the key's bucket, or says how long until there is one. What is refused costs nothing.
    pub(crate) fn take(&self, now: Instant, key: Key) -> Result<(), Duration> {
        // A panic between two statements leaves the map whole, so a poisoned lock is as good as any.
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= KEYS_MAX {
            forget_the_fullest(&mut full_at, now);
        }
        let before = full_at.get(&key).copied().unwrap_or(now).max(now);
        let after = before + self.interval;
        let empty_at = now + self.interval * self.burst;
        if after > empty_at {
            return Err(after - empty_at);
        }
        full_at.insert(key, after);
        Ok(())
    }
}

/// Makes room: those that are full anyway, then the fuller half. Whoever has tried most is remembered longest.
fn forget_the_fullest(full_at: &mut HashMap<Key, Instant>, now: Instant) {
    full_at.retain(|_, at| *at > now);
    if full_at.len() < KEYS_MAX {
        return;
    }
    let mut times: Vec<Instant> = full_at.values().copied().collect();
    let middle = times.len() / 2;
    let median = *times.select_nth_unstable(middle).1;
    full_at.retain(|_, at| *at > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(n: u32) -> Key {
        Key::of_address_and(IpAddr::from([127, 0, 0, 1]), &n.to_string())
    }

    #[test]
    fn a_burst_then_one_per_interval() {
        let limit = RateLimit::new(3, SECOND);
        let start = Instant::now();
        // (milliseconds since the start, milliseconds to wait or 0 where it goes through)
        let cases = [(0, 0), (0, 0), (0, 0), (0, 1000), (400, 600), (1000, 0), (1000, 1000), (60_000, 0), (60_000, 0)];
        for (at_ms, wait_ms) in cases {
            let taken = limit.take(start + Duration::from_millis(at_ms), key(1));
            let expected = if wait_ms == 0 { Ok(()) } else { Err(Duration::from_millis(wait_ms)) };
            assert_eq!(taken, expected, "at {at_ms}");
        }
        assert_eq!(limit.take(start, key(2)), Ok(()), "others have buckets of their own");
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_stay_limited() {
        let limit = RateLimit::new(2, SECOND);
        let now = Instant::now();
        limit.take(now, key(0)).unwrap();
        limit.take(now, key(0)).unwrap();
        for n in 1..=u32::try_from(KEYS_MAX).unwrap() + 10 {
            limit.take(now, key(n)).unwrap();
        }
        assert!(limit.full_at.lock().unwrap().len() <= KEYS_MAX);
        assert_eq!(limit.take(now, key(0)), Err(SECOND));
    }

    #[test]
    fn a_key_is_a_customers_network() {
        let same = |a: &str, b: &str| Key::of_address(a.parse().unwrap()) == Key::of_address(b.parse().unwrap());
        assert!(same("1.2.3.4", "::ffff:1.2.3.4"));
        assert!(same("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"));
        assert!(!same("2001:db8:0:1::1", "2001:db8:0:2::1"));
        assert!(!same("1.2.3.4", "1.2.3.5"));
        let address = IpAddr::from([1, 2, 3, 4]);
        assert_ne!(Key::of_address_and(address, "a@b"), Key::of_address_and(address, "a@c"));
    }
}
