//! The files of the web app, by the path a browser asks for.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Kept under this name: a service worker's address must not change.
pub(crate) const SERVICE_WORKER: &str = "/sw.js";

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    /// Absolute, as in `/assets/app.js`.
    pub(crate) path: String,
    pub(crate) content: Vec<u8>,
}

impl File {
    pub(crate) fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// The file as text, where it is text that may refer to other files.
    pub(crate) fn text(&self) -> Option<&str> {
        let is_text = ["css", "html", "js", "json", "svg", "webmanifest"].contains(&self.extension());
        is_text.then(|| str::from_utf8(&self.content).ok()).flatten()
    }

    /// Scripts, styles and modules get a new name with each content, and so may be kept for ever.
    pub(crate) fn is_named_by_content(&self) -> bool {
        self.path.starts_with("/assets/")
            && !self.path.starts_with("/assets/snippets/")
            && ["css", "js", "wasm"].contains(&self.extension())
    }
}

/// The static files and the app's own. Scripts and styles go to `/assets/`, wherever they lie; everything else stays
/// where it is.
pub(crate) fn collect(static_files: &Path, app: Vec<File>) -> Result<Vec<File>> {
    let mut files = app;
    read_folder(static_files, "/", &mut files)?;
    for file in &mut files {
        file.path = served_path(&file.path, file.extension());
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    if let Some(twice) = files.windows(2).find(|pair| pair[0].path == pair[1].path) {
        bail!("two files would be served as {}", twice[0].path);
    }
    if !files.iter().any(|file| file.path == "/index.html") {
        bail!("no index.html in {}", static_files.display());
    }
    Ok(files)
}

fn served_path(path: &str, extension: &str) -> String {
    let moves = ["css", "js"].contains(&extension) && !path.starts_with("/assets/") && path != SERVICE_WORKER;
    if !moves {
        return path.to_owned();
    }
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    format!("/assets/{name}")
}

/// Adds the files of `folder`, each under `prefix` and its name.
pub(crate) fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            read_folder(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            let content = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            files.push(File { path: format!("{prefix}{name}"), content });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_styles_go_to_assets() {
        for (path, served) in [
            ("/boot.js", "/assets/boot.js"),
            ("/styles/tokens.css", "/assets/tokens.css"),
            ("/assets/app.js", "/assets/app.js"),
            ("/sw.js", "/sw.js"),
            ("/index.html", "/index.html"),
            ("/icons.svg", "/icons.svg"),
        ] {
            let extension = path.rsplit_once('.').unwrap().1;
            assert_eq!(served_path(path, extension), served);
        }
    }
}
