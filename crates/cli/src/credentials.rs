//! What `tidebook login` remembers: a server and a token, readable by this user alone.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// A stored sign-in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) server: String,
    pub(crate) email: String,
    pub(crate) token: String,
}

impl Credentials {
    /// The last sign-in, if there was one.
    pub(crate) fn load() -> Result<Option<Self>> {
        let path = path()?;
        match fs::read(&path) {
            Ok(bytes) => {
                let credentials = serde_json::from_slice(&bytes);
                credentials.map(Some).with_context(|| format!("{} is damaged; sign in again", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Replaces the stored sign-in.
    pub(crate) fn store(&self) -> Result<()> {
        write_private(&path()?, &serde_json::to_vec_pretty(self)?)
    }

    /// Forgets it, if it is the one with this token.
    pub(crate) fn forget(token: &str) -> Result<()> {
        if Self::load()?.is_none_or(|stored| stored.token != token) {
            return Ok(());
        }
        let path = path()?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", path.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Puts a file in its place as a whole, readable by this user alone.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().expect("the file is in a folder");
    let context = || format!("cannot write {}", path.display());
    fs::create_dir_all(folder).with_context(context)?;
    // Another program may be at the same file.
    let unfinished = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = private_file(&unfinished).with_context(context)?;
    file.write_all(bytes).with_context(context)?;
    fs::rename(&unfinished, path).with_context(context)
}

fn private_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn path() -> Result<PathBuf> {
    Ok(xdg_folder("XDG_CONFIG_HOME", ".config")?.join("tidebook").join("credentials.json"))
}

/// A folder of the XDG base directories: what the variable says, else its place under the home folder.
pub(crate) fn xdg_folder(variable: &str, under_home: &str) -> Result<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(path) = named {
        return Ok(path);
    }
    let home = std::env::home_dir().context("there is no home folder; set HOME")?;
    Ok(home.join(under_home))
}
