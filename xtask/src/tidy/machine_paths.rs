//! Nothing in the repository depends on where one person's checkout or home is.

use super::files::SourceFile;

/// First folders of paths that exist on some machines only.
const FOLDERS: &[&str] = &["work", "root", "farm"];

pub(crate) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (number, line) in file.lines() {
            if let Some(folder) = FOLDERS.iter().find(|folder| has_path_under(line, folder)) {
                findings.push(format!("{}:{number}: a path of one machine, under /{folder}", file.path));
            }
        }
    }
    findings
}

/// Whether an absolute path begins with `folder`: a path that only contains it may well be ours.
fn has_path_under(line: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    let is_inside = |at: usize| line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || "_./".contains(c));
    line.match_indices(&path).any(|(at, _)| !is_inside(at))
}

#[cfg(test)]
mod tests {
    use super::super::files::file;
    use super::*;

    #[test]
    fn only_absolute_paths_are_found() {
        for (line, found) in [("cd /F/main", true), ("/F/main", true), ("\"/F/\"", true), ("a/F/b ./F/ /F", false)] {
            let line = line.replace('F', FOLDERS[0]);
            assert_eq!(!check(&[file("notes.md", &line)]).is_empty(), found, "{line}");
        }
    }
}
