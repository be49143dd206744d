//! Finds the numbers of events in a stream of bytes, whatever the protocol around them is.

use memchr::memmem::Finder;

const MARK: &[u8] = b"\"seq\":";

/// What may have to be kept of one read until the next: a mark, the longest number, and not quite what ends it.
pub(crate) const CARRY_BYTES_MAX: usize = MARK.len() + 20;

/// Knows what a number of an event looks like; shared by all streams.
#[derive(Debug)]
pub(crate) struct Scanner(Finder<'static>);

impl Scanner {
    pub(crate) fn new() -> Self {
        Self(Finder::new(MARK))
    }

    /// Calls `found` with each number. Returns how many bytes at the end belong to one that is not complete: they must
    /// come again before what follows.
    pub(crate) fn scan(&self, bytes: &[u8], mut found: impl FnMut(u64)) -> usize {
        let mut after = 0;
        for mark in self.0.find_iter(bytes) {
            let digits = mark + MARK.len();
            let mut number = 0_u64;
            let mut end = digits;
            while let Some(digit) = bytes.get(end).filter(|byte| byte.is_ascii_digit()) {
                number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
                end += 1;
            }
            if end == bytes.len() {
                return (bytes.len() - mark).min(CARRY_BYTES_MAX);
            }
            found(number);
            after = end;
        }
        let rest = &bytes[after..];
        let longest = rest.len().min(MARK.len() - 1);
        (1..=longest).rev().find(|length| rest.ends_with(&MARK[..*length])).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_wherever_the_stream_is_cut() {
        let text =
            br#"{"type":"entries","entries":[{"seq":1,"x":"seq"},{"seq":23,"y":0}]}xx{"seq":18446744073709551615}"#;
        let scanner = Scanner::new();
        for step in 1..text.len() {
            let (mut carried, mut found) = (Vec::new(), Vec::new());
            for chunk in text.chunks(step) {
                carried.extend(chunk);
                let carry = scanner.scan(&carried, |seq| found.push(seq));
                carried.drain(..carried.len() - carry);
                assert!(carry <= CARRY_BYTES_MAX);
            }
            assert_eq!(found, [1, 23, u64::MAX], "in steps of {step}");
        }
    }
}
