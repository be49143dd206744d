//! The JavaScript between the module and the browser, made by wasm-bindgen.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::assets::{File, read_folder};
use crate::shrink::shrink;

/// `/assets/app.js`, `/assets/app.wasm` and the snippets of JavaScript that libraries bring along. Making them takes
/// a while, so they are kept in `work` for as long as module and tool stay the same.
pub(crate) fn shrunk(module: &Path, wasm_opt: Option<&Path>, work: &Path) -> Result<Vec<File>> {
    let content = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    let made_from = fingerprint(&content, wasm_opt);
    let (folder, stamp) = (work.join("app"), work.join("app-made-from"));
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&made_from) {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        bind(module, &folder)?;
        if let Some(wasm_opt) = wasm_opt {
            shrink(wasm_opt, &folder.join("app.wasm"))?;
        }
        fs::write(&stamp, made_from)?;
    }
    let mut files = Vec::new();
    read_folder(&folder, "/assets/", &mut files)?;
    Ok(files)
}

fn bind(module: &Path, folder: &Path) -> Result<()> {
    eprintln!("making the bindings");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("app").web(true)?.typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder).context("making the bindings")?;
    fs::rename(folder.join("app_bg.wasm"), folder.join("app.wasm")).context("renaming app_bg.wasm")
}

/// Changes with everything that `shrunk` works with, this file and `shrink.rs` among it.
fn fingerprint(module: &[u8], wasm_opt: Option<&Path>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(include_bytes!("bindings.rs")).update(include_bytes!("shrink.rs"));
    hasher.update(wasm_opt.map_or(b"", |path| path.as_os_str().as_encoded_bytes()));
    hasher.update(blake3::hash(module).as_bytes());
    hasher.finalize().to_hex().to_string()
}
