//! The text files that make up the project.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// Never ours, where there is no git to say so.
const NOT_OURS: &[&str] = &[".git", "node_modules", "target"];

pub(crate) struct SourceFile {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    /// The numbered lines, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The `crates/NAME/src/` file's NAME.
    pub(crate) fn crate_folder(&self) -> Option<&str> {
        let (folder, rest) = self.path.strip_prefix("crates/")?.split_once('/')?;
        rest.starts_with("src/").then_some(folder)
    }
}

/// Every file that git tracks or would track; without git, every file outside of what is built.
pub(crate) fn tracked(root: &Path) -> Result<Vec<SourceFile>> {
    let mut paths = match git_files(root) {
        Some(paths) => paths,
        None => walked_files(root)?,
    };
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(root.join(&path)).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        Some(SourceFile { path: path.to_string_lossy().into_owned(), text })
    };
    Ok(paths.into_iter().filter_map(read).collect())
}

fn git_files(root: &Path) -> Option<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().ok().filter(|output| output.status.success())?;
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(names.split_terminator('\0').map(PathBuf::from).collect())
}

fn walked_files(root: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            let is_ours = path.file_name().is_some_and(|name| !NOT_OURS.iter().any(|other| name == *other));
            if path.is_dir() && is_ours {
                folders.push(path);
            } else if path.is_file() {
                found.push(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
pub(crate) fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_and_a_walk_find_this_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let this = PathBuf::from("src/tidy/files.rs");
        assert!(walked_files(root).unwrap().contains(&this));
        assert!(git_files(root).is_none_or(|files| files.contains(&this)));
    }

    #[test]
    fn only_sources_belong_to_a_crate() {
        assert_eq!(file("crates/book/src/id.rs", "").crate_folder(), Some("book"));
        assert_eq!(file("crates/book/tests/id.rs", "").crate_folder(), None);
        assert_eq!(file("xtask/src/main.rs", "").crate_folder(), None);
    }
}
