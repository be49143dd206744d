//! Rust without what it only says: braces and words in comments and texts are no code.

/// The code alone: comments, texts and characters are blank, and each line is where it was.
pub(crate) fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let said = said_len(&bare, rest);
        if said == 0 {
            bare.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            bare.extend(rest[..said].chars().map(|c| if c == '\n' { c } else { ' ' }));
            rest = &rest[said..];
        }
    }
    bare
}

/// How many bytes long the comment, text or character is that `rest` begins with; 0 where it begins with code.
fn said_len(before: &str, rest: &str) -> usize {
    let mut chars = rest.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('/'), Some('/'), _) => rest.find('\n').unwrap_or(rest.len()),
        (Some('/'), Some('*'), _) => block_comment_len(rest),
        (Some('"'), ..) => raw_end(before).map_or_else(|| quoted_len(rest, '"'), |end| len_until(rest, &end)),
        (Some('\''), Some('\\'), _) | (Some('\''), _, Some('\'')) => quoted_len(rest, '\''),
        // Also of a lifetime, which has no second quote.
        _ => 0,
    }
}

/// Block comments stand in each other.
fn block_comment_len(rest: &str) -> usize {
    let (mut depth, mut len) = (0_usize, 0);
    while len < rest.len() {
        let ahead = &rest.as_bytes()[len..];
        if ahead.starts_with(b"/*") {
            (depth, len) = (depth + 1, len + 2);
        } else if ahead.starts_with(b"*/") {
            (depth, len) = (depth - 1, len + 2);
        } else {
            len += 1;
        }
        if depth == 0 {
            break;
        }
    }
    len
}

/// What ends a text that begins here, where what is before it makes it a raw one: `r#` is ended by `"#`.
fn raw_end(before: &str) -> Option<String> {
    let prefix = before.trim_end_matches('#');
    let hashes = &before[prefix.len()..];
    let word = prefix.rsplit(|c: char| !is_of_word(c)).next();
    matches!(word, Some("r" | "br" | "cr")).then(|| format!("\"{hashes}"))
}

fn len_until(rest: &str, end: &str) -> usize {
    rest[1..].find(end).map_or(rest.len(), |at| 1 + at + end.len())
}

/// Up to the next quote that has no backslash before it.
fn quoted_len(rest: &str, quote: char) -> usize {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return at + 1;
        }
    }
    rest.len()
}

pub(crate) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code, with one space for all that is blank.
    fn code(text: &str) -> String {
        bare(text).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_only_said_is_blank() {
        for (text, expected) in [
            ("a // { b\nc", "a c"),
            ("a /* { /* } */ { */ b", "a b"),
            (r#"a("{", b)"#, "a( , b)"),
            (r#"a("\"{\\", b)"#, "a( , b)"),
            (r##"a(r#"{"b"#, c)"##, "a(r# , c)"),
            (r#"a(br"\", c)"#, "a(br , c)"),
            ("a('{', b'\\'', '\\u{7b}', '\"')", "a( , b , , )"),
            ("a(\"// b\", c)", "a( , c)"),
            ("a // \"b\n{ c }", "a { c }"),
            ("a(\"b\n{\", c)", "a( , c)"),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_code() {
        for text in ["fn a<'b, 'c>(b: &'b str) -> &'static [&'c str] {", "'a: loop { break 'a; }", "a / b * c", "r#fn"]
        {
            assert_eq!(bare(text), text);
        }
    }

    #[test]
    fn each_line_stays_where_it_was() {
        for text in
            ["a(\"b\nc\nd\")\ne", "/* a\n/* b\n*/\n*/\nc", "r#\"\n\"\n\"#\n", "\"never closed\n", "/* nor this\n"]
        {
            assert_eq!(bare(text).lines().count(), text.lines().count(), "{text}");
        }
    }
}
