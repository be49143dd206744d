//! Puts the finished folder in place, all at once, and leaves it alone when nothing in it changed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::assets::{File, read_folder};

/// The server is rebuilt whenever its folder is touched, so the same content must not touch it.
pub(crate) fn replace(folder: &Path, files: &[File]) -> Result<()> {
    if holds_exactly(folder, files) {
        return Ok(());
    }
    let (new, old) = (folder.with_extension("new"), folder.with_extension("old"));
    remove(&new)?;
    remove(&old)?;
    write(&new, files)?;
    if folder.exists() {
        fs::rename(folder, &old)?;
    }
    fs::rename(&new, folder).with_context(|| format!("putting {} in place", folder.display()))?;
    remove(&old)
}

fn holds_exactly(folder: &Path, files: &[File]) -> bool {
    let mut present = Vec::new();
    if read_folder(folder, "/", &mut present).is_err() {
        return false;
    }
    present.len() == files.len() && files.iter().all(|file| present.contains(file))
}

fn write(folder: &Path, files: &[File]) -> Result<()> {
    for file in files {
        let path = folder.join(file.path.trim_start_matches('/'));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, &file.content).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_touches_the_folder() {
        let folder = std::env::temp_dir().join(format!("tidebook-publish-{}/dist", std::process::id()));
        let file = |content: &str| File { path: "/assets/a.js".to_owned(), content: content.into() };
        let written = || fs::metadata(folder.join("assets/a.js")).unwrap().modified().unwrap();
        replace(&folder, &[file("one")]).unwrap();
        let first = written();
        replace(&folder, &[file("one")]).unwrap();
        assert_eq!(written(), first);
        replace(&folder, &[file("two")]).unwrap();
        assert_eq!(fs::read_to_string(folder.join("assets/a.js")).unwrap(), "two");
        fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    }
}
