//! Gives every script, style and module a name that changes with its content, and changes what refers to it.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::assets::File;

/// Enough that two contents never share a name (48 bits).
const HASH_LENGTH: usize = 12;

/// A file is named once all it refers to are named, for its references are part of its content.
pub(crate) fn name_by_content(files: Vec<File>) -> Result<Vec<File>> {
    let (mut waiting, fixed): (Vec<_>, Vec<_>) = files.into_iter().partition(File::is_named_by_content);
    let plain: Vec<String> = waiting.iter().map(|file| file.path.clone()).collect();
    let mut names = BTreeMap::new();
    let mut named = Vec::new();
    while !waiting.is_empty() {
        let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|file| is_ready(file, &plain, &names));
        if ready.is_empty() {
            let circle: Vec<_> = later.iter().map(|file| file.path.as_str()).collect();
            bail!("these refer to one another, so none can be named first: {}", circle.join(", "));
        }
        for file in ready {
            let content = with_names(&file, &names);
            let path = name(&file.path, &content);
            names.insert(file.path, path.clone());
            named.push(File { path, content });
        }
        waiting = later;
    }
    named.extend(fixed.into_iter().map(|file| File { content: with_names(&file, &names), path: file.path }));
    named.sort_by(|one, other| one.path.cmp(&other.path));
    check_references(&named)?;
    Ok(named)
}

fn is_ready(file: &File, plain: &[String], names: &BTreeMap<String, String>) -> bool {
    let referred = references(file);
    plain.iter().all(|path| names.contains_key(path) || !referred.contains(&path.as_str()))
}

fn name(path: &str, content: &[u8]) -> String {
    let hash = blake3::hash(content).to_hex();
    let (stem, extension) = path.rsplit_once('.').unwrap_or((path, ""));
    format!("{stem}-{}.{extension}", &hash[..HASH_LENGTH])
}

fn with_names(file: &File, names: &BTreeMap<String, String>) -> Vec<u8> {
    let Some(text) = file.text() else { return file.content.clone() };
    let mut renamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, path, after)) = next_reference(rest) {
        renamed.push_str(before);
        renamed.push_str(names.get(path).map_or(path, String::as_str));
        rest = after;
    }
    renamed.push_str(rest);
    renamed.into_bytes()
}

/// A reference to a file that isn't there would only show in a browser.
fn check_references(files: &[File]) -> Result<()> {
    for file in files {
        for path in references(file) {
            if !files.iter().any(|other| other.path == path) {
                bail!("{} refers to {path}, which does not exist", file.path);
            }
        }
    }
    Ok(())
}

fn references(file: &File) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = file.text().unwrap_or_default();
    while let Some((_, path, after)) = next_reference(rest) {
        found.push(path);
        rest = after;
    }
    found
}

/// The next `/assets/…` with a dot in its last part, and what is before and after it.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("/assets/")?;
        let length = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || "/-_.".contains(c)));
        let end = length.map_or(text.len(), |length| start + length);
        let path = text[start..end].trim_end_matches('.');
        if path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
            return Some((&text[..start], path, &text[start + path.len()..]));
        }
        from = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str) -> File {
        File { path: path.to_owned(), content: content.as_bytes().to_vec() }
    }

    fn app(boot: &str) -> Vec<File> {
        vec![
            file("/assets/app.wasm", "module"),
            file("/assets/boot.js", boot),
            file("/index.html", "<script src=\"/assets/boot.js\">"),
        ]
    }

    #[test]
    fn a_change_shows_in_every_name_up_to_the_page() {
        let one = name_by_content(app("load('/assets/app.wasm')")).unwrap();
        let mut changed = app("load('/assets/app.wasm')");
        changed[0].content.push(b'!');
        let other = name_by_content(changed).unwrap();
        for (before, after) in one.iter().zip(&other).take(2) {
            assert_ne!(before.path, after.path);
        }
        let page = other.iter().find(|file| file.path == "/index.html").unwrap();
        let script = other.iter().find(|file| file.extension() == "js").unwrap();
        assert_eq!(page.text(), Some(format!("<script src=\"{}\">", script.path).as_str()));
    }

    #[test]
    fn a_reference_to_nothing_is_refused() {
        let error = name_by_content(app("load('/assets/other.wasm')")).unwrap_err().to_string();
        assert!(error.contains("/assets/other.wasm, which does not exist"), "{error}");
    }

    #[test]
    fn a_circle_is_refused() {
        let error = name_by_content(app("'/assets/boot.js'")).unwrap_err().to_string();
        assert!(
            error.contains("refer to one another: /assets/boot.js") || error.contains("/assets/boot.js"),
            "{error}"
        );
    }

    #[test]
    fn a_longer_name_is_another_file() {
        let mut files = app("'/assets/app.wasm.map'");
        files.push(file("/assets/app.wasm.map", "map"));
        let named = name_by_content(files).unwrap();
        assert!(named.iter().any(|file| file.text() == Some("'/assets/app.wasm.map'")));
    }
}
