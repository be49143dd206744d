//! Passwords: which are strong enough, and how they are kept. Argon2id with the parameters of OWASP's Password Storage
//! Cheat Sheet (19 MiB, two passes, one lane).

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::SaltString,
};
use tokio::sync::Semaphore;

use crate::random;

/// Fewer characters are guessed too soon.
const CHARACTERS_MIN: usize = 8;

/// More than any passphrase; there is a bound so that nobody sends a book to be hashed.
const CHARACTERS_MAX: usize = 256;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes computed at the same time. Each fills a core for tens of milliseconds and takes 19 MiB: two keep a small
/// machine's cores free enough for the books, and are still some fifty sign-ins a second.
const HASHES_AT_ONCE: usize = 2;

/// Hashes asked for at the same time, the waiting ones included: about five seconds' work. Who comes on top is told
/// that the server is busy, rather than waiting longer than anyone does.
const HASHES_ASKED_MAX: usize = 256;

/// Hashed with the parameters above, from a password nobody knows: the hash is all zeros, which no password gives.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Passwords of at least eight characters that guessers try first, lower-case, one a line.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Why a password isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WeakPassword {
    #[error("The password needs at least {CHARACTERS_MIN} characters.")]
    Short,
    #[error("The password may have at most {CHARACTERS_MAX} characters.")]
    Long,
    #[error("This password is among the first that anyone would guess.")]
    Common,
}

/// Length is counted in Unicode scalar values.
pub(crate) fn check_strength(password: &str) -> Result<(), WeakPassword> {
    match password.chars().count() {
        ..CHARACTERS_MIN => Err(WeakPassword::Short),
        CHARACTERS_MIN..=CHARACTERS_MAX if COMMON.contains(password.to_lowercase().as_str()) => {
            Err(WeakPassword::Common)
        }
        CHARACTERS_MIN..=CHARACTERS_MAX => Ok(()),
        _ => Err(WeakPassword::Long),
    }
}

/// More people are signing in than the machine can hash for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// Hashes and verifies, a bounded number at a time, away from the threads that serve requests.
#[derive(Debug)]
pub(crate) struct Passwords {
    at_work: Arc<Semaphore>,
    asked: Semaphore,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self { at_work: Arc::new(Semaphore::new(HASHES_AT_ONCE)), asked: Semaphore::new(HASHES_ASKED_MAX) }
    }

    /// A hash to keep, in PHC format: it carries its salt and its parameters.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Busy> {
        self.work(move || {
            let salt = SaltString::encode_b64(&random::bytes::<16>()).expect("16 bytes are a salt");
            let hash = argon2().hash_password(password.as_bytes(), &salt);
            hash.expect("the parameters are valid and the password is short").to_string()
        })
        .await
    }

    /// Whether the password is the one that gave the hash.
    pub(crate) async fn verify(&self, password: String, hash: String) -> Result<bool, Busy> {
        self.work(move || match PasswordHash::new(&hash) {
            Ok(hash) => argon2().verify_password(password.as_bytes(), &hash).is_ok(),
            Err(error) => {
                tracing::error!(%error, "an account's password hash can't be read");
                false
            }
        })
        .await
    }

    /// Takes as long as [`Self::verify`] and says no: for an e-mail nobody has, so that nobody learns who has one.
    pub(crate) async fn dummy_verify(&self, password: String) -> Result<bool, Busy> {
        self.verify(password, NOBODYS_HASH.to_owned()).await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _asked = self.asked.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.at_work).acquire_owned().await.map_err(|_| Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller that goes away doesn't end a hash that has begun.
            let _turn = turn;
            work()
        });
        // A task that is never run means that the server is going down.
        task.await.map_err(|_| Busy)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_commonness_decide() {
        let cases = [
            ("", Err(WeakPassword::Short)),
            ("äöüäöüä", Err(WeakPassword::Short)),
            ("äöüäöüäö", Ok(())),
            ("tr4wl-net", Ok(())),
            ("password", Err(WeakPassword::Common)),
            ("PassWord", Err(WeakPassword::Common)),
            ("12345678", Err(WeakPassword::Common)),
            ("qwertyui", Err(WeakPassword::Common)),
            ("iloveyou", Err(WeakPassword::Common)),
            ("sunshine2024", Err(WeakPassword::Common)),
            (&"ab".repeat(128), Ok(())),
            (&"a".repeat(257), Err(WeakPassword::Long)),
        ];
        for (password, expected) in cases {
            assert_eq!(check_strength(password), expected, "{password}");
        }
    }

    #[test]
    fn the_common_list_is_one_that_can_match() {
        assert!(COMMON.len() > 1000);
        for password in COMMON.iter() {
            assert!(password.chars().count() >= CHARACTERS_MIN, "{password}");
            assert_eq!(*password, password.to_lowercase().trim());
        }
    }

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let passwords = Passwords::new();
        let hash = passwords.hash("right horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.verify("right horse".to_owned(), hash.clone()).await, Ok(true));
        assert_eq!(passwords.verify("wrong horse".to_owned(), hash).await, Ok(false));
        assert_eq!(passwords.verify("right horse".to_owned(), "no hash".to_owned()).await, Ok(false));
    }

    /// The same work, or the time would tell.
    #[tokio::test]
    async fn nobodys_hash_costs_what_a_real_one_costs() {
        let passwords = Passwords::new();
        let real = passwords.hash("right horse".to_owned()).await.unwrap();
        let (real, nobodys) = (PasswordHash::new(&real).unwrap(), PasswordHash::new(NOBODYS_HASH).unwrap());
        assert_eq!((real.algorithm, real.version, &real.params), (nobodys.algorithm, nobodys.version, &nobodys.params));
        assert_eq!(real.hash.unwrap().len(), nobodys.hash.unwrap().len());
        assert_eq!(real.salt.unwrap().len(), nobodys.salt.unwrap().len());
        assert_eq!(passwords.dummy_verify("right horse".to_owned()).await, Ok(false));
    }

    #[tokio::test]
    async fn a_full_queue_says_so() {
        let passwords = Passwords::new();
        let all = passwords.asked.try_acquire_many(HASHES_ASKED_MAX as u32).unwrap();
        assert_eq!(passwords.hash("right horse".to_owned()).await, Err(Busy));
        drop(all);
        assert!(passwords.hash("right horse".to_owned()).await.is_ok());
    }
}
