//! A function is short enough to be seen whole.

use super::code::{bare, is_of_word};
use super::files::SourceFile;

/// What a screen shows. Lines are counted from the one with `fn` to the one with the closing brace.
const LINES_MAX: usize = 70;

pub(crate) fn check(files: &[SourceFile]) -> Vec<String> {
    files.iter().filter(|file| file.is_rust()).flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Vec<String> {
    let code = bare(&file.text);
    let is_fn = |at: usize| code[at + 2..].starts_with(' ') && !code[..at].ends_with(is_of_word);
    let begins = code.match_indices("fn").map(|(at, _)| at).filter(|at| is_fn(*at));
    begins.filter_map(|at| finding(&file.path, &code, at)).collect()
}

/// Of the function whose `fn` stands at `begin`.
fn finding(path: &str, code: &str, begin: usize) -> Option<String> {
    let signature = &code[begin + 3..];
    let function = &code[begin..=begin + 3 + closing_brace(signature)?];
    let lines = function.lines().count();
    let name = signature.split(|c| !is_of_word(c)).next().unwrap_or_default();
    let number = code[..begin].matches('\n').count() + 1;
    (lines > LINES_MAX)
        .then(|| format!("{path}:{number}: {name} has {lines} lines, more than {LINES_MAX}: two functions?"))
}

/// Where the first block is closed; nowhere for a function without a body.
fn closing_brace(code: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        match c {
            '}' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::files::file;
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&[file(path, text)])
    }

    /// `head`, `line` as often as it takes, and `}`.
    fn function(head: &str, line: &str, lines: usize) -> String {
        let body = format!("{line}\n").repeat(lines - 1 - head.lines().count());
        format!("{head}\n{body}}}\n")
    }

    #[test]
    fn a_long_function_is_found_in_sources_and_tests() {
        for path in ["crates/book/src/id.rs", "crates/book/tests/it/id.rs", "xtask/src/main.rs"] {
            assert_eq!(findings(path, &function("fn a() {", "    b();", LINES_MAX)), [""; 0]);
            let long = format!("\n#[test]\n{}", function("fn a() {", "    b();", LINES_MAX + 1));
            assert_eq!(findings(path, &long), [format!("{path}:3: a has 71 lines, more than 70: two functions?")]);
        }
        assert_eq!(findings("README.md", &function("fn a() {", "    b();", LINES_MAX + 1)), [""; 0]);
    }

    #[test]
    fn every_kind_of_function_is_measured() {
        for head in [
            "pub(crate) const unsafe extern \"C\" fn a() {",
            "async fn a<'b>(\n    b: &'b [u8; 3],\n) -> [u8; 3]\nwhere\n    u8: Copy,\n{",
            "fn outer() {\n    fn inner() {}",
            "macro! {fn a() {}\n    #[test]\n    fn b(c in \"{\") {",
        ] {
            assert_eq!(findings("a.rs", &function(head, "    b();", LINES_MAX)).len(), 0, "{head}");
            assert_eq!(findings("a.rs", &function(head, "    b();", LINES_MAX + 3)).len(), 1, "{head}");
        }
    }

    #[test]
    fn braces_that_are_only_said_close_nothing() {
        for line in
            ["    a(\"}\");", "    a(\"\\\"}\");", "    // }", "    a('}');", "    /* } */", "    a(r#\"}\"}\"#);"]
        {
            assert_eq!(findings("a.rs", &function("fn a() {", line, LINES_MAX + 1)).len(), 1, "{line}");
        }
    }

    #[test]
    fn what_is_no_function_has_no_length() {
        let lines = "    b();\n".repeat(LINES_MAX);
        for head in [
            "trait A { fn a(&self) -> [u8; 3]; }\nmod b {",
            "type A = fn(u8);\nmod b {",
            "// fn a()\nmod b {",
            "mod fn_a {",
        ] {
            assert_eq!(findings("a.rs", &format!("{head}\n{lines}}}\n")), [""; 0], "{head}");
        }
    }
}
