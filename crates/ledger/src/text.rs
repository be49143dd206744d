//! What people may write: lengths count Unicode scalar values, and nothing is normalised.

/// The longest name of a contact or a book.
pub(crate) const NAME_CHARS_MAX: usize = 200;
/// The longest note: a page of writing.
pub(crate) const NOTE_CHARS_MAX: usize = 4000;
/// The longest username, phone number or e-mail address; 320 is the longest address RFC 3696 allows.
pub(crate) const DETAIL_CHARS_MAX: usize = 320;

/// The longest text an entry carries along as replaced: enough to show what it was. Older entries have the rest.
pub(crate) const WAS_CHARS_MAX: usize = 200;

/// What kind of text a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TextKind {
    Name,
    Note,
    Detail,
}

/// Why a text cannot stand in a field, in words for people; `None` where it can.
pub(crate) fn fault(kind: TextKind, text: &str) -> Option<String> {
    let (chars_max, newlines) = match kind {
        TextKind::Name => (NAME_CHARS_MAX, false),
        TextKind::Note => (NOTE_CHARS_MAX, true),
        TextKind::Detail => (DETAIL_CHARS_MAX, false),
    };
    if matches!(kind, TextKind::Name) && text.is_empty() {
        return Some("must not be empty".into());
    }
    if !has_at_most(chars_max, text) {
        return Some(format!("must have at most {chars_max} characters"));
    }
    // Nearly no text has a byte that a control character begins with.
    let may_be_control = |byte: u8| byte < b' ' || byte == 0x7f || byte == 0xc2;
    if !text.bytes().any(may_be_control) {
        return None;
    }
    let forbidden = |c: char| c.is_control() && !(newlines && c == '\n');
    text.contains(forbidden).then(|| "must not contain control characters".into())
}

/// Whether a text is no longer than this.
pub(crate) fn has_at_most(chars_max: usize, text: &str) -> bool {
    // No character takes less than a byte.
    text.len() <= chars_max || text.chars().count() <= chars_max
}

/// Why a name of a book or a contact cannot stand, in words that follow "the name"; `None` where it can.
#[must_use]
pub fn name_fault(name: &str) -> Option<String> {
    fault(TextKind::Name, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_each_bound() {
        let cases = [
            (TextKind::Name, String::new(), false),
            (TextKind::Name, " ".into(), true),
            (TextKind::Name, "é".repeat(200), true),
            (TextKind::Name, "é".repeat(201), false),
            (TextKind::Name, "two\nlines".into(), false),
            (TextKind::Note, String::new(), true),
            (TextKind::Note, "two\nlines".into(), true),
            (TextKind::Note, "a\ttab".into(), false),
            (TextKind::Note, "日".repeat(4000), true),
            (TextKind::Note, "日".repeat(4001), false),
            (TextKind::Detail, "a".repeat(320), true),
            (TextKind::Detail, "a".repeat(321), false),
            (TextKind::Detail, "bell\u{7}".into(), false),
            (TextKind::Detail, "del\u{7f}".into(), false),
            (TextKind::Detail, "first of the upper ones\u{80}".into(), false),
            (TextKind::Detail, "last of them\u{9f}, then no more\u{a0}".into(), false),
            (TextKind::Detail, "no\u{a0}break, £, é, €".into(), true),
        ];
        for (kind, text, stands) in cases {
            assert_eq!(fault(kind, &text).is_none(), stands, "{kind:?} {text:?}");
        }
    }
}
