//! What is known of a contact, as a form's texts and back.

use tidebook_ledger::{Contact, ContactId, Field, FieldSet, LedgerOp};

use crate::entry::{changed, text};

/// The fields of a contact in the order of the form; the name is the first.
pub const FIELDS: [Field; 5] = [Field::Name, Field::Username, Field::Phone, Field::Email, Field::Note];

/// A form's texts, by [`FIELDS`].
pub type Texts = [String; 5];

/// The form as it opens on a contact.
#[must_use]
pub fn texts_of(contact: &Contact) -> Texts {
    let Contact { name, username, phone, email, note, .. } = contact;
    [Some(name), username.as_ref(), phone.as_ref(), email.as_ref(), note.as_ref()]
        .map(|text| text.cloned().unwrap_or_default())
}

/// The op of the form: a new contact, or what it changed of the one it opened on; none where nothing changed.
#[must_use]
pub fn read_person(typed: &Texts, before: Option<&Contact>, new: ContactId) -> Option<LedgerOp> {
    let Some(before) = before else { return Some(LedgerOp::create_contact(new, typed[0].trim())) };
    let was = texts_of(before);
    let changes = FIELDS.into_iter().zip(typed.iter().zip(&was));
    let set: FieldSet = changed(changes.map(|(field, (now, was))| (now.trim() != was.trim(), field, text(now.trim()))));
    (!set.is_empty()).then_some(LedgerOp::UpdateContact { id: before.id, set })
}

#[cfg(test)]
mod tests {
    use tidebook_book::Seq;
    use tidebook_ledger::LedgerState;

    use super::*;
    use crate::entry::tests::{apply, id};

    #[test]
    fn only_what_changed_is_named() {
        let mut state = LedgerState::default();
        let phone = Some("123".to_owned());
        let op =
            LedgerOp::CreateContact { id: id(1), name: "Ana".into(), username: None, phone, email: None, note: None };
        apply(&mut state, Seq(1), &op);
        let ana = state.contact(id(1)).expect("just made");
        let same = texts_of(ana);
        assert_eq!(read_person(&same, Some(ana), id(2)), None);
        let [name, username, _, email, note] = same;
        let typed = [format!(" {name} "), username, String::new(), "ana@example.org".to_owned() + &email, note];
        let Some(LedgerOp::UpdateContact { set, .. }) = read_person(&typed, Some(ana), id(2)) else { panic!() };
        let set: Vec<_> = set.iter().map(|(field, value)| (field, value.as_text())).collect();
        assert_eq!(set, [(Field::Phone, None), (Field::Email, Some("ana@example.org"))]);
    }

    #[test]
    fn somebody_new_has_a_name() {
        let typed = [" Ana ".into(), String::new(), String::new(), String::new(), String::new()];
        assert_eq!(read_person(&typed, None, id(2)), Some(LedgerOp::create_contact(id(2), "Ana")));
    }
}
