//! A file says what it is for, and is short enough to be read.

use super::files::SourceFile;

/// A file that needs a table of contents is two files.
const LINES_MAX: usize = 500;

pub(crate) fn check(files: &[SourceFile]) -> Vec<String> {
    files.iter().filter(|file| file.is_rust()).flat_map(|file| [header(file), length(file)]).flatten().collect()
}

fn is_source(file: &SourceFile) -> bool {
    let in_xtask = file.path.starts_with("xtask/src/") || file.path.starts_with("xtask/bundle/");
    in_xtask || file.crate_folder().is_some()
}

fn header(file: &SourceFile) -> Option<String> {
    let is_missing = is_source(file) && !file.text.starts_with("//! ");
    is_missing.then(|| format!("{}:1: must begin with a line `//! …` that says what the file is for", file.path))
}

fn length(file: &SourceFile) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > LINES_MAX).then(|| format!("{}: {lines} lines, more than {LINES_MAX}: two files?", file.path))
}

#[cfg(test)]
mod tests {
    use super::super::files::file;
    use super::*;

    #[test]
    fn a_file_without_a_header_is_found() {
        let findings = |text| check(&[file("crates/book/src/id.rs", text)]).len();
        assert_eq!(findings("use std::fmt;\n"), 1);
        assert_eq!(findings("//! Ids.\nuse std::fmt;\n"), 0);
    }

    #[test]
    fn a_long_file_is_found() {
        for path in ["xtask/src/main.rs", "crates/book/tests/it/id.rs", "crates/bench/benches/book.rs"] {
            let findings = |lines| check(&[file(path, &"//! \n".repeat(lines))]).len();
            assert_eq!(findings(LINES_MAX), 0, "{path}");
            assert_eq!(findings(LINES_MAX + 1), 1, "{path}");
        }
        assert!(check(&[file("README.md", &"\n".repeat(LINES_MAX + 1))]).is_empty());
    }

    #[test]
    fn only_sources_need_a_header() {
        assert!(check(&[file("crates/book/tests/all.rs", "fn a() {}"), file("README.md", "# Hello")]).is_empty());
    }
}
