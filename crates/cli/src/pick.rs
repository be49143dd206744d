//! What a person means by what they type: a contact by name, a record by the end of its id.

use anyhow::{Result, bail};
use tidebook_ledger::{Contact, LedgerState, OpenConflict, Transaction};
use uuid::Uuid;

use crate::say::{one_line, short};

/// Fewer digits of an id than this could be a word.
const ID_DIGITS_MIN: usize = 4;

/// Somebody of this name who stands in the book: of exactly this name, else the only one whose name, or a word of whose
/// name, begins like it. Case does not count.
pub(crate) fn known_contact<'a>(state: &'a LedgerState, typed: &str) -> Result<Option<&'a Contact>> {
    contact_among(state.contacts().filter(|contact| !contact.deleted), typed)
}

/// The same, where there must be one.
pub(crate) fn contact<'a>(state: &'a LedgerState, typed: &str) -> Result<&'a Contact> {
    known_contact(state, typed)?.ok_or_else(|| anyhow::anyhow!("nobody in this book is called {typed:?}"))
}

/// The same, among those who were deleted.
pub(crate) fn deleted_contact<'a>(state: &'a LedgerState, typed: &str) -> Result<&'a Contact> {
    let found = contact_among(state.contacts().filter(|contact| contact.deleted), typed)?;
    found.ok_or_else(|| anyhow::anyhow!("nobody deleted from this book is called {typed:?}"))
}

fn contact_among<'a>(contacts: impl Iterator<Item = &'a Contact>, typed: &str) -> Result<Option<&'a Contact>> {
    let mut contacts: Vec<&Contact> = contacts.collect();
    contacts.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    let wanted = typed.trim().to_lowercase();
    let is_id = |contact: &&&Contact| names_id(contact.id.0, &wanted);
    let is_called = |contact: &&&Contact| contact.name.to_lowercase() == wanted;
    let begins = |contact: &&&Contact| {
        let name = contact.name.to_lowercase();
        !wanted.is_empty() && (name.starts_with(&wanted) || name.split(' ').any(|word| word.starts_with(&wanted)))
    };
    let mut found: Vec<&Contact> = contacts.iter().filter(is_called).copied().collect();
    if found.is_empty() {
        found = contacts.iter().filter(is_id).copied().collect();
    }
    if found.is_empty() {
        found = contacts.iter().filter(begins).copied().collect();
    }
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => {
            let named = |contact: &&Contact| format!("{} ({})", one_line(&contact.name), short(contact.id.0));
            bail!(
                "{typed:?} could be {}; give more of the name, or the id",
                found.iter().map(named).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

/// The transaction of this id, or whose id ends like this.
pub(crate) fn transaction<'a>(state: &'a LedgerState, typed: &str) -> Result<&'a Transaction> {
    only(state.transactions().filter(|it| names_id(it.id.0, typed)).collect(), "transaction", typed)
}

/// The open conflict of this id, or whose id ends like this.
pub(crate) fn conflict<'a>(state: &'a LedgerState, typed: &str) -> Result<&'a OpenConflict> {
    only(state.conflicts().filter(|it| names_id(it.conflict.id.0, typed)).collect(), "open conflict", typed)
}

/// The only one found.
pub(crate) fn only<T>(mut found: Vec<T>, what: &str, typed: &str) -> Result<T> {
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => bail!("no {what} has the id {typed:?}"),
        many => bail!("{many} ids end with {typed:?}; give more of it"),
    }
}

/// Whether this is the id, or the end of it.
pub(crate) fn names_id(id: Uuid, typed: &str) -> bool {
    let digits = id.simple().to_string();
    let typed = typed.to_lowercase().replace('-', "");
    typed.len() >= ID_DIGITS_MIN && typed.chars().all(|c| c.is_ascii_hexdigit()) && digits.ends_with(&typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_id_names_it() {
        let id = Uuid::from_u128(0x0199_d4c2_5b1e_7c3a_8f00_0123_4567_89ab);
        let cases = [("456789ab", true), ("89AB", true), ("9ab", false), ("89ac", false), ("0199d4c2", false)];
        for (typed, is_it) in cases {
            assert_eq!(names_id(id, typed), is_it, "{typed}");
        }
        assert!(names_id(id, &id.to_string()));
    }
}
