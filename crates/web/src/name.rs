//! Names: initials, tints, and the form in which they are compared and searched.

/// How many tints people have.
const TINTS: u32 = 6;

/// One or two letters to stand for a name: of its first and its last word, as far as they begin with a letter. The look
/// writes them as capitals.
#[must_use]
pub fn initials(name: &str) -> String {
    let letters: Vec<char> = name.split_whitespace().filter_map(|word| word.chars().next()).collect();
    let letters: Vec<char> = letters.into_iter().filter(is_letter).collect();
    let last = if letters.len() > 1 { letters.last() } else { None };
    letters.first().into_iter().chain(last).collect()
}

/// A letter or a figure, as far as blocks of code points tell: the tables for all of them are large.
fn is_letter(c: &char) -> bool {
    let is_sign = matches!(*c, '\u{80}'..='\u{bf}' | '×' | '÷' | '\u{2000}'..='\u{2bff}' | '\u{3000}'..='\u{303f}')
        || ('\u{1f000}'..='\u{1ffff}').contains(c);
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { !is_sign }
}

/// A tint from 1 to 6, the same for a name on every device.
#[must_use]
pub fn tint(name: &str) -> u32 {
    // FNV-1a: well spread over short texts.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % TINTS + 1
}

/// A name without case and accents, from the canonical decomposition (NFD) of its small letters: so "kovac" finds
/// "Kovač".
#[must_use]
pub fn fold(decomposed: &str) -> String {
    let is_accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    decomposed.chars().filter(|c| !is_accent(c)).collect()
}

/// Whether each word of a folded query is somewhere in a folded name.
#[must_use]
pub fn matches(folded_name: &str, folded_query: &str) -> bool {
    folded_query.split_whitespace().all(|word| folded_name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_last_word() {
        let cases = [
            ("Ana Kovač", "AK"),
            ("Maximiliane von Hohenstein-Oettingen", "MH"),
            ("Hannah & Wim", "HW"),
            ("Theo (upstairs)", "T"),
            ("élodie", "é"),
            ("", ""),
            ("… 🎉", ""),
            ("日本 太郎", "日太"),
        ];
        for (name, expected) in cases {
            assert_eq!(initials(name), expected, "{name}");
        }
    }

    #[test]
    fn tints_are_within_the_palette() {
        assert!(["", "Ana", "Bäckerei Sommer", "日本"].iter().all(|name| (1..=TINTS).contains(&tint(name))));
    }

    #[test]
    fn search_passes_over_case_and_accents() {
        let folded = fold("ana kovac\u{30c}");
        assert_eq!(folded, "ana kovac");
        for (query, found) in [("kov", true), ("kov an", true), ("", true), ("kova\u{301}c", true), ("anna", false)] {
            assert_eq!(matches(&folded, &fold(query)), found, "{query}");
        }
    }
}
