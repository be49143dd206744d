//! Writes the table of the web app's files, which `src/app_files.rs` embeds: one program is the whole server.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

const DIST: &str = "TIDEBOOK_WEB_DIST";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed={DIST}");
    let dist = dist()?;
    println!("cargo::rerun-if-changed={}", dist.display());

    let mut files = Vec::new();
    if dist.is_dir() {
        list(&dist, &mut files)?;
    }
    files.sort();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("app_files.rs"), table(&dist, &files))
}

/// Where the web app's files are. The usual folder is made where it is missing: cargo would run this script, and
/// compile the server, anew each time as long as a path it watches doesn't exist.
fn dist() -> io::Result<PathBuf> {
    if let Some(dist) = env::var_os(DIST) {
        return fs::canonicalize(&dist).or(Ok(PathBuf::from(dist)));
    }
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let workspace = package.ancestors().nth(2).expect("the package is two folders below the workspace");
    let dist = workspace.join("target/web-build/dist");
    fs::create_dir_all(&dist)?;
    Ok(dist)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let path = item?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// One element per file that is not another file's compressed form.
fn table(dist: &Path, files: &[PathBuf]) -> String {
    let mut table = String::from("&[\n");
    for file in files.iter().filter(|file| !is_compressed_form(file)) {
        let name =
            file.strip_prefix(dist).expect("listed below dist").to_str().expect("the web build names files in ASCII");
        let (brotli, gzip) = (form(file, ".br"), form(file, ".gz"));
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "    EmbeddedFile {{ path: {:?}, plain: include_bytes!({:?}), brotli: {brotli}, gzip: {gzip} }},",
            format!("/{}", name.replace('\\', "/")),
            file.display().to_string(),
        );
    }
    table.push(']');
    table
}

fn is_compressed_form(file: &Path) -> bool {
    matches!(file.extension().and_then(|extension| extension.to_str()), Some("br" | "gz"))
        && file.with_extension("").is_file()
}

fn form(file: &Path, ending: &str) -> String {
    let form = PathBuf::from(format!("{}{ending}", file.display()));
    if form.is_file() { format!("Some(include_bytes!({:?}))", form.display().to_string()) } else { "None".to_owned() }
}
