//! Builds the web app into the folder that the server embeds, and does nothing when nothing changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::install::{Installer, find_program};
use crate::packages::{BINARYEN, NODE};
use crate::wasm_toolchain::{self, Choice, WasmToolchain};
use crate::workspace::Workspace;
use crate::{children, tools};

/// Whether the app may be served without having been shrunk.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shrinking {
    Required,
    WhereNodeIs,
}

pub(crate) fn build(
    workspace: &Workspace,
    installer: &Installer,
    choice: Choice,
    shrinking: Shrinking,
) -> Result<WasmToolchain> {
    let toolchain = wasm_toolchain::ensure(workspace, installer, choice)?;
    let wasm_opt = wasm_opt(workspace, installer, shrinking)?;
    let module = compile(workspace, toolchain)?;
    let input = Input { module, static_files: workspace.root.join("crates/web/static"), wasm_opt };
    bundle(workspace, &input)?;
    Ok(toolchain)
}

/// What the bundle is made of.
struct Input {
    module: PathBuf,
    static_files: PathBuf,
    wasm_opt: Option<PathBuf>,
}

fn compile(workspace: &Workspace, toolchain: WasmToolchain) -> Result<PathBuf> {
    children::run("building the web app", &mut toolchain.cargo(workspace, "build"))?;
    let folder = toolchain.modules_dir(workspace);
    // A binary keeps the package's name; a library's has underscores.
    let candidates = ["tidebook-web.wasm", "tidebook_web.wasm"].map(|name| folder.join(name));
    let Some(module) = candidates.iter().find(|file| file.exists()) else {
        bail!("no {}: tidebook-web must be a binary or a cdylib", candidates[0].display());
    };
    Ok(module.clone())
}

/// Names, shrinks and compresses what the browser downloads, unless the last bundle was made of the same things.
fn bundle(workspace: &Workspace, input: &Input) -> Result<()> {
    let dist = workspace.web_dist();
    let stamp = workspace.target_dir.join("web-build/bundled-from");
    let fingerprint = fingerprint(workspace, input)?;
    // The server's own build makes the folder where there is none: an empty one is not the app.
    let is_there = dist.join("index.html").exists();
    if is_there && fs::read_to_string(&stamp).is_ok_and(|last| last == fingerprint) {
        eprintln!("the web app is up to date");
        return Ok(());
    }
    let mut bundle = workspace.cargo();
    bundle.args(["run", "--package", "xtask", "--example", "bundle", "--", "--module"]).arg(&input.module);
    bundle.arg("--static-files").arg(&input.static_files);
    bundle.arg("--work").arg(workspace.target_dir.join("web-build/bundle"));
    bundle.arg("--dist").arg(&dist);
    if let Some(wasm_opt) = &input.wasm_opt {
        bundle.arg("--wasm-opt").arg(wasm_opt);
    }
    children::run("bundling the web app", &mut bundle)?;
    fs::write(&stamp, fingerprint).with_context(|| format!("writing {}", stamp.display()))
}

/// Changes whenever the bundle would: with the module, the static files, the bundler and the tools it uses.
fn fingerprint(workspace: &Workspace, input: &Input) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    hash_file(&mut hasher, &input.module)?;
    hash_folder(&mut hasher, &input.static_files)?;
    hash_folder(&mut hasher, &workspace.root.join("xtask/bundle"))?;
    let shrunk_by = if input.wasm_opt.is_some() { BINARYEN.1 } else { "nothing" };
    hasher.update(shrunk_by.as_bytes());
    Ok(hasher.finalize().to_hex().to_string())
}

fn hash_folder(hasher: &mut blake3::Hasher, folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() { hash_folder(hasher, &path)? } else { hash_file(hasher, &path)? }
    }
    Ok(())
}

/// Name and content, each preceded by its length, so that no two folders look alike.
fn hash_file(hasher: &mut blake3::Hasher, file: &Path) -> Result<()> {
    let content = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    for part in [file.as_os_str().as_encoded_bytes(), &content] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    Ok(())
}

fn wasm_opt(workspace: &Workspace, installer: &Installer, shrinking: Shrinking) -> Result<Option<PathBuf>> {
    match shrinking {
        Shrinking::Required => {
            installer.debian(NODE)?;
            install_wasm_opt(workspace, installer).map(Some)
        }
        Shrinking::WhereNodeIs if find_program("node").is_none() || find_program("npm").is_none() => {
            eprintln!("no Node here: the web app is served without shrinking it");
            Ok(None)
        }
        Shrinking::WhereNodeIs => match install_wasm_opt(workspace, installer) {
            Ok(wasm_opt) => Ok(Some(wasm_opt)),
            Err(error) => {
                eprintln!("{error:#}\nno wasm-opt: the web app is served without shrinking it");
                Ok(None)
            }
        },
    }
}

fn install_wasm_opt(workspace: &Workspace, installer: &Installer) -> Result<PathBuf> {
    tools::npm(workspace, installer, BINARYEN, "binaryen/bin/wasm-opt", "its wasm-opt shrinks the web app")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_boundary_changes_the_fingerprint() {
        let folder = std::env::temp_dir().join(format!("tidebook-fingerprint-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let hash_of = |content: &str| {
            fs::write(folder.join("a"), content).unwrap();
            let mut hasher = blake3::Hasher::new();
            hash_folder(&mut hasher, &folder).unwrap();
            hasher.finalize()
        };
        assert_ne!(hash_of("one"), hash_of("two"));
        assert_eq!(hash_of("one"), hash_of("one"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
