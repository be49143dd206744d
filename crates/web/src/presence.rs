//! Who else is in the book: people, not devices, and what they have open.

use tidebook_book::{UnixMillis, UserId};
use tidebook_ledger::{ContactId, RecordRef, TransactionId};

/// A device that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    pub user: UserId,
    pub since: UnixMillis,
    pub editing: Option<RecordRef>,
}

/// Somebody who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    pub user: UserId,
    /// When the first of their devices came.
    pub since: UnixMillis,
    /// The records they edit; with a transaction, the contact it is with as well.
    pub editing: Vec<RecordRef>,
}

/// The others, in the order they came: so nobody changes places when somebody else comes or goes.
#[must_use]
pub fn here(
    devices: &[Device],
    me: Option<UserId>,
    contact_of: impl Fn(TransactionId) -> Option<ContactId>,
) -> Vec<Here> {
    let mut here: Vec<Here> = Vec::new();
    for Device { user, since, editing } in devices.iter().copied().filter(|device| Some(device.user) != me) {
        let known = here.iter().position(|other| other.user == user).map(|place| here.remove(place));
        let mut person = known.unwrap_or(Here { user, since, editing: Vec::new() });
        person.since = person.since.min(since);
        person.editing.extend(editing);
        if let Some(RecordRef::Transaction(id)) = editing {
            person.editing.extend(contact_of(id).map(RecordRef::Contact));
        }
        let place = here.iter().position(|other| (other.since, other.user) > (person.since, user));
        here.insert(place.unwrap_or(here.len()), person);
    }
    here
}

/// "Here now: Ana, Tomás, Jun and 2 more"
#[must_use]
pub fn here_words(names: &[String], shown: usize) -> String {
    let more = names.len().saturating_sub(shown);
    let listed = names[..names.len() - more].join(", ");
    if more > 0 { format!("Here now: {listed} and {more} more") } else { format!("Here now: {listed}") }
}

/// "Ana is editing", "Ana and 2 more are editing"
#[must_use]
pub fn editing_words(first: &str, more: usize) -> String {
    if more > 0 { format!("{first} and {more} more are editing") } else { format!("{first} is editing") }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ME: UserId = UserId(Uuid::from_u128(1));
    const ANA: UserId = UserId(Uuid::from_u128(2));
    const BEN: UserId = UserId(Uuid::from_u128(3));
    const C: ContactId = ContactId(Uuid::from_u128(10));
    const T: TransactionId = TransactionId(Uuid::from_u128(11));

    fn device(user: UserId, since: i64, editing: Option<RecordRef>) -> Device {
        Device { user, since: UnixMillis(since), editing }
    }

    fn with_c(id: TransactionId) -> Option<ContactId> {
        (id == T).then_some(C)
    }

    #[test]
    fn people_stand_once_in_the_order_they_came_and_without_oneself() {
        let devices = vec![
            device(BEN, 5, None),
            device(ME, 1, Some(RecordRef::Contact(C))),
            device(ANA, 3, None),
            device(BEN, 2, Some(RecordRef::Contact(C))),
        ];
        let expected = [
            Here { user: BEN, since: UnixMillis(2), editing: vec![RecordRef::Contact(C)] },
            Here { user: ANA, since: UnixMillis(3), editing: vec![] },
        ];
        assert_eq!(here(&devices, Some(ME), with_c), expected);
    }

    #[test]
    fn who_edits_a_transaction_edits_something_of_its_contact() {
        let devices = vec![device(ANA, 1, Some(RecordRef::Transaction(T)))];
        assert_eq!(here(&devices, None, with_c)[0].editing, [RecordRef::Transaction(T), RecordRef::Contact(C)]);
        let unknown = RecordRef::Transaction(TransactionId(Uuid::from_u128(12)));
        assert_eq!(here(&[device(ANA, 1, Some(unknown))], None, with_c)[0].editing, [unknown]);
    }

    #[test]
    fn words() {
        let names: Vec<String> = ["Ana", "Tomás", "Jun", "Ben"].map(str::to_owned).into();
        assert_eq!(here_words(&names[..1], 3), "Here now: Ana");
        assert_eq!(here_words(&names[..3], 3), "Here now: Ana, Tomás, Jun");
        assert_eq!(here_words(&names, 3), "Here now: Ana, Tomás, Jun and 1 more");
        assert_eq!(editing_words("Ana", 0), "Ana is editing");
        assert_eq!(editing_words("Ana", 1), "Ana and 1 more are editing");
    }
}
