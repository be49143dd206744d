//! Pure crates take time, randomness and ids as arguments: they name nothing that would get these for itself.

use super::files::SourceFile;
use super::graph::PURE;

/// Whole paths; `std::fs` is also found in `use std::{fs, …}`.
const FORBIDDEN: &[&str] = &[
    "tokio",
    "getrandom",
    "rand::",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "async",
    ".await",
];

pub(crate) fn check(files: &[SourceFile]) -> Vec<String> {
    let pure = |file: &&SourceFile| file.is_rust() && file.crate_folder().is_some_and(|name| PURE.contains(&name));
    files.iter().filter(pure).flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let code = line.split_once("//").map_or(line, |(code, _)| code);
        for name in FORBIDDEN.iter().filter(|name| names(code, name) || names_in_group(code, name)) {
            findings.push(format!(
                "{}:{number}: a pure crate must not name {}",
                file.path,
                name.trim_matches(['.', ':'])
            ));
        }
    }
    findings
}

/// Whether `name` stands in `code` as a whole.
fn names(code: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let goes_on_before = name.starts_with(is_part) && code[..at].ends_with(is_part);
        let goes_on_after = name.ends_with(is_part) && code[at + name.len()..].starts_with(is_part);
        !goes_on_before && !goes_on_after
    })
}

fn names_in_group(code: &str, name: &str) -> bool {
    let (Some(module), Some((_, group))) = (name.strip_prefix("std::"), code.split_once("std::{")) else {
        return false;
    };
    names(group, module)
}

#[cfg(test)]
mod tests {
    use super::super::files::file;
    use super::*;

    fn findings(code: &str) -> usize {
        check(&[file("crates/book/src/lib.rs", code)]).len()
    }

    #[test]
    fn a_clock_a_file_and_a_task_are_found() {
        for code in [
            "let now = std::time::Instant::now();",
            "use std::{collections, fs};",
            "let text = std::fs::read(path)?;",
            "rand::random()",
            "answer.await",
            "pub async fn wait() {}",
        ] {
            assert_eq!(findings(code), 1, "{code}");
        }
    }

    #[test]
    fn words_that_only_look_alike_are_not() {
        for code in ["let operand = 1;", "// no Instant here", "InstantOf", "let random = seed;", "use std::{fmt};"] {
            assert_eq!(findings(code), 0, "{code}");
        }
    }

    #[test]
    fn other_crates_may() {
        assert!(check(&[file("crates/server/src/clock.rs", "Instant::now()")]).is_empty());
    }
}
