//! ARCHITECTURE.md walks a keystroke through the code; each step names a function, and that function exists.

use super::files::SourceFile;

const DOC: &str = "ARCHITECTURE.md";
const HEADING: &str = "The way of a keystroke";

pub(crate) fn check(files: &[SourceFile]) -> Vec<String> {
    let Some(doc) = files.iter().find(|file| file.path == DOC) else { return Vec::new() };
    let references: Vec<_> =
        doc.lines().flat_map(|(number, line)| references(line).map(move |at| (number, at))).collect();
    if references.is_empty() && doc.text.contains(HEADING) {
        return vec![format!("{DOC}: \"{HEADING}\" names no function as `path/to/file.rs::function`")];
    }
    let broken = |(number, reference): (usize, &str)| {
        problem(files, reference).map(|problem| format!("{DOC}:{number}: `{reference}`: {problem}"))
    };
    references.into_iter().filter_map(broken).collect()
}

/// The spans between backticks that look like `path/to/file.rs::function`.
fn references(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|span| span.contains(".rs::"))
}

fn problem(files: &[SourceFile], reference: &str) -> Option<String> {
    let (stem, names) = reference.split_once(".rs::")?;
    let Some(file) = files.iter().find(|file| file.path == format!("{stem}.rs")) else {
        return Some("no such file".to_owned());
    };
    let function = names.rsplit("::").next().unwrap_or(names).trim_end_matches("()");
    let declaration = format!("fn {function}");
    let is_whole = |(at, _): (usize, &str)| {
        !file.text[at + declaration.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
    };
    let exists = file.text.match_indices(&declaration).any(is_whole);
    (!exists).then(|| format!("no function {function} there"))
}

#[cfg(test)]
mod tests {
    use super::super::files::file;
    use super::*;

    fn findings(reference: &str) -> usize {
        let code = file("crates/replica/src/replica.rs", "impl Replica { pub fn mutate(&mut self) {} }");
        check(&[file(DOC, &format!("## {HEADING}\n1. `{reference}` decides")), code]).len()
    }

    #[test]
    fn a_function_that_moved_is_found() {
        assert_eq!(findings("crates/replica/src/replica.rs::mutate"), 0);
        assert_eq!(findings("crates/replica/src/replica.rs::Replica::mutate()"), 0);
        assert_eq!(findings("crates/replica/src/replica.rs::muta"), 1);
        assert_eq!(findings("crates/replica/src/other.rs::mutate"), 1);
    }

    #[test]
    fn a_walk_that_names_nothing_is_found() {
        assert_eq!(findings("mutate"), 1);
        assert!(check(&[file("README.md", "")]).is_empty());
    }
}
