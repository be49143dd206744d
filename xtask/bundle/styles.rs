//! Takes the comments out of the styles: they are for us.

use crate::assets::File;

pub(crate) fn strip_comments(files: &mut [File]) {
    for file in files.iter_mut().filter(|file| file.extension() == "css") {
        if let Some(stripped) = file.text().map(without_comments) {
            file.content = stripped.into_bytes();
        }
    }
}

/// Without `/* … */` outside of strings, and without the lines that leaves empty.
fn without_comments(css: &str) -> String {
    let mut kept = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find(['/', '"', '\'']) {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let length = if from.starts_with("/*") {
            from.find("*/").map_or(from.len(), |end| end + 2)
        } else {
            let length = if from.starts_with('/') { 1 } else { string_length(from) };
            kept.push_str(&from[..length]);
            length
        };
        rest = &from[length..];
    }
    kept.push_str(rest);
    kept.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The bytes of the string that `text` begins with, both quotes included.
fn string_length(text: &str) -> usize {
    let quote = &text[..1];
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if text[at..].starts_with(quote) => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_strings_stay() {
        for (css, stripped) in [
            ("a{} /* one */\n\n/* two\n */b{}", "a{}\nb{}"),
            ("a{content:\"/* no */\"}", "a{content:\"/* no */\"}"),
            ("a{content:'\\'/*x*/'}/*y*/", "a{content:'\\'/*x*/'}"),
            ("a{width:calc(1px / 2)}", "a{width:calc(1px / 2)}"),
            ("a{} /* never closed", "a{}"),
        ] {
            assert_eq!(without_comments(css), stripped, "{css}");
        }
    }
}
