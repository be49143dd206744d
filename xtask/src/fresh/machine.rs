//! How this machine reaches the package registries, read from it when needed: nothing of it is written down here.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::children;

/// Files and folders that say where the network's registries are and whom to trust. They are the same inside.
const SETTINGS: &[&str] = &[
    "/etc/apt/apt.conf",
    "/etc/apt/apt.conf.d",
    "/etc/apt/keyrings",
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
    "/etc/apt/trusted.gpg.d",
    "/etc/hosts",
    "/etc/npmrc",
    "/etc/pip.conf",
    "/etc/resolv.conf",
    "/etc/ssl/certs/ca-certificates.crt",
    "/usr/local/share/ca-certificates",
    "/usr/share/keyrings",
];

/// The same, below the home folder.
const HOME_SETTINGS: &[&str] = &[".cargo/config", ".cargo/config.toml", ".config/pip", ".npmrc", ".pip/pip.conf"];

/// Parts of the names of variables that say how to reach the network. The rest of the environment stays outside.
const NETWORK_VARIABLES: &[&str] = &[
    "PROXY",
    "CA_BUNDLE",
    "CA_CERTS",
    "CAINFO",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_SOURCE_",
    "NPM_CONFIG_",
    "npm_config_",
    "PIP_",
    "RUSTUP_DIST_",
    "RUSTUP_UPDATE_",
    "SSL_CERT_",
];

pub(super) fn copy_settings(root: &Path, home: &Path) -> Result<()> {
    for path in SETTINGS.iter().map(Path::new) {
        copy(path, &root.join(path.strip_prefix("/")?))?;
    }
    if let Some(our_home) = env::var_os("HOME") {
        for path in HOME_SETTINGS {
            copy(&Path::new(&our_home).join(path), &home.join(path))?;
        }
    }
    Ok(())
}

pub(super) fn network_variables() -> Vec<(String, String)> {
    env::vars().filter(|(name, _)| is_about_network(name)).collect()
}

fn is_about_network(name: &str) -> bool {
    let upper = name.to_uppercase();
    NETWORK_VARIABLES.iter().any(|part| upper.contains(&part.to_uppercase()))
}

/// Where this machine gets `release` from, when it is a Debian of that release.
pub(super) fn debian_mirror(release: &str) -> Option<String> {
    let mut sources = vec![fs::read_to_string("/etc/apt/sources.list").unwrap_or_default()];
    for entry in fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".list") || name.ends_with(".sources") {
            sources.push(fs::read_to_string(entry.path()).unwrap_or_default());
        }
    }
    sources.iter().find_map(|text| one_line_mirror(text, release).or_else(|| stanza_mirror(text, release)))
}

/// Of `deb [options] URI SUITE COMPONENT…`.
fn one_line_mirror(sources: &str, release: &str) -> Option<String> {
    let line = |line: &str| {
        let mut words = line.strip_prefix("deb ")?.split_whitespace().skip_while(|word| !word.contains("://"));
        let uri = words.next()?;
        (words.next()? == release).then(|| uri.to_owned())
    };
    sources.lines().find_map(line)
}

/// Of a stanza with `URIs:` and `Suites:`.
fn stanza_mirror(sources: &str, release: &str) -> Option<String> {
    sources.split("\n\n").find_map(|stanza| {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name));
        let has_release = field("Suites:")?.split_whitespace().any(|suite| suite == release);
        field("URIs:")?.split_whitespace().next().filter(|_| has_release).map(str::to_owned)
    })
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    let parent = to.parent().context("a settings file has a folder")?;
    fs::create_dir_all(parent)?;
    // A folder's content is added to what is there; a link's target is copied.
    let from = if from.is_dir() { from.join(".") } else { from.to_owned() };
    if from.is_dir() {
        fs::create_dir_all(to)?;
    }
    let mut copy = Command::new("cp");
    children::output_of(copy.args(["--recursive", "--dereference", "--remove-destination"]).arg(from).arg(to))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_sources_are_read() {
        let one_line = "# deb http://no.example stable\ndeb [arch=amd64] http://a.example/debian stable main\n";
        let stanza = "Types: deb\nURIs: http://s.example/debian\nSuites: stable-security\n\nTypes: deb\n\
                      URIs: http://b.example/debian\nSuites: stable stable-updates\n";
        assert_eq!(one_line_mirror(one_line, "stable").as_deref(), Some("http://a.example/debian"));
        assert_eq!(one_line_mirror(one_line, "oldstable"), None);
        assert_eq!(stanza_mirror(stanza, "stable").as_deref(), Some("http://b.example/debian"));
        assert_eq!(stanza_mirror(stanza, "oldstable"), None);
    }

    #[test]
    fn only_the_network_is_let_in() {
        assert!(is_about_network("https_proxy") && is_about_network("SSL_CERT_FILE"));
        assert!(!is_about_network("RUSTFLAGS") && !is_about_network("CARGO_HOME"));
    }
}
