//! Tells the service worker which files make up this build.

use anyhow::{Result, bail};

use crate::assets::{File, SERVICE_WORKER};

/// Stands for the list of all addresses, a JavaScript array.
const ADDRESSES: &str = "__TIDEBOOK_PRECACHE__";
/// Stands for a name of the build, which changes with every file.
const BUILD: &str = "__TIDEBOOK_BUILD__";

pub(crate) fn fill_in(mut files: Vec<File>) -> Result<Vec<File>> {
    let addresses: Vec<_> = files.iter().filter(|file| file.path != SERVICE_WORKER).map(address).collect();
    let addresses = serde_json::to_string(&addresses)?;
    let build = build_name(&files);
    for file in &mut files {
        let Some(text) = file.text() else { continue };
        if !text.contains(ADDRESSES) && !text.contains(BUILD) {
            continue;
        }
        // A file that is listed cannot hold the list: its own name depends on its content.
        if file.path != SERVICE_WORKER {
            bail!("{} uses {ADDRESSES} or {BUILD}: only {SERVICE_WORKER} can", file.path);
        }
        file.content = text.replace(ADDRESSES, &addresses).replace(BUILD, &build).into_bytes();
    }
    Ok(files)
}

/// The page is asked for as the folder it is in.
fn address(file: &File) -> &str {
    file.path.strip_suffix("index.html").unwrap_or(&file.path)
}

fn build_name(files: &[File]) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update(file.path.as_bytes()).update(blake3::hash(&file.content).as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str) -> File {
        File { path: path.to_owned(), content: content.as_bytes().to_vec() }
    }

    #[test]
    fn the_service_worker_learns_every_address() {
        let worker = format!("const all = {ADDRESSES};");
        let filled = fill_in(vec![file("/index.html", ""), file("/sw.js", &worker), file("/icons.svg", "")]).unwrap();
        assert_eq!(filled[1].text(), Some("const all = [\"/\",\"/icons.svg\"];"));
    }

    #[test]
    fn the_build_has_another_name_when_a_file_changes() {
        let worker_of = |page| fill_in(vec![file("/index.html", page), file("/sw.js", BUILD)]).unwrap().remove(1);
        assert_ne!(worker_of("one"), worker_of("two"));
        assert_eq!(worker_of("one"), worker_of("one"));
    }

    #[test]
    fn nothing_else_may_hold_the_list() {
        assert!(fill_in(vec![file("/assets/boot.js", ADDRESSES)]).is_err());
    }
}
