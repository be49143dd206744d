//! What a person wrote that is not in its book, as a file of their own: so that it is never lost without their say.

use tidebook_book::BookId;
use tidebook_replica::Unsent;

/// The same of one book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentOf {
    pub book: BookId,
    pub name: String,
    pub unsent: Unsent,
}

/// How many changes there are in all.
#[must_use]
pub fn count(books: &[UnsentOf]) -> usize {
    books.iter().map(|of| of.unsent.len()).sum()
}

/// The file, as JSON: each book with its mutations as they are pushed, and with what it did not take, and why.
#[must_use]
pub fn file_text(books: &[UnsentOf]) -> String {
    let books: Vec<String> = books.iter().filter(|of| !of.unsent.is_empty()).map(book_text).collect();
    format!("{{\"format\":\"tidebook-unsent\",\"version\":1,\"books\":[{}]}}\n", books.join(","))
}

fn book_text(UnsentOf { book, name, unsent }: &UnsentOf) -> String {
    let name = serde_json::to_string(name).expect("a text serialises into memory");
    let (mutations, rejections) = (unsent.mutations.join(","), unsent.rejections.join(","));
    format!("{{\"book\":\"{book}\",\"name\":{name},\"mutations\":[{mutations}],\"rejections\":[{rejections}]}}")
}

/// What signing out would do to them.
#[must_use]
pub fn sign_out_words(count: usize) -> String {
    match count {
        1 => "One change is on this device only. Signing out loses it.".into(),
        count => format!("{count} changes are on this device only. Signing out loses them."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn of(book: u128, name: &str, mutations: &[&str], rejections: &[&str]) -> UnsentOf {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let unsent = Unsent { mutations: texts(mutations), rejections: texts(rejections) };
        UnsentOf { book: BookId(Uuid::from_u128(book)), name: name.into(), unsent }
    }

    #[test]
    fn a_file_holds_each_book_that_lacks_something() {
        let rejection = r#"{"mutation":{"n":3},"rejected":{"code":"no"}}"#;
        let books = [
            of(1, "Harbour \"12\"", &[r#"{"n":1}"#, r#"{"n":2}"#], &[rejection]),
            of(2, "Even", &[], &[]),
            of(3, "Club", &[], &[rejection]),
        ];
        assert_eq!(count(&books), 4);
        let file: Value = serde_json::from_str(&file_text(&books)).expect("JSON");
        let rejection: Value = serde_json::from_str(rejection).expect("JSON");
        let expected = json!({ "format": "tidebook-unsent", "version": 1, "books": [
            { "book": Uuid::from_u128(1), "name": "Harbour \"12\"", "mutations": [{ "n": 1 }, { "n": 2 }], "rejections": [rejection] },
            { "book": Uuid::from_u128(3), "name": "Club", "mutations": [], "rejections": [rejection] },
        ] });
        assert_eq!(file, expected);
    }

    #[test]
    fn words() {
        assert_eq!(sign_out_words(1), "One change is on this device only. Signing out loses it.");
        assert_eq!(sign_out_words(3), "3 changes are on this device only. Signing out loses them.");
    }
}
