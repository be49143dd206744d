//! Which crate may know of which: the picture in ARCHITECTURE.md, as a table.

use serde_json::Value;

/// The crates that touch no clock, socket, file, random source or task.
pub(crate) const PURE: &[&str] = &["book", "protocol", "ledger", "replica", "authority"];

/// Left: a crate. Right: the crates it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("book", &[]),
    ("protocol", &["book"]),
    ("ledger", &["book"]),
    ("event-store", &["book"]),
    ("replica", &["book", "protocol"]),
    ("authority", &["book", "protocol"]),
    ("client", &["book", "protocol", "replica", "ledger"]),
    ("view-macro", &[]),
    ("web", &["book", "protocol", "replica", "ledger", "view-macro"]),
    ("server", &["book", "protocol", "ledger", "authority", "event-store"]),
    ("cli", &["book", "protocol", "ledger", "replica", "authority", "client", "server"]),
    ("sim", &["book", "protocol", "ledger", "replica", "authority", "server"]),
    ("sim-wasm", &["sim"]),
    ("fuzz", &["book", "protocol", "ledger", "replica", "authority", "server"]),
    ("bench", LIBRARIES),
    ("e2e", LIBRARIES),
    ("xtask", &[]),
];

/// Everything but the programs.
const LIBRARIES: &[&str] = &["book", "protocol", "ledger", "replica", "authority", "event-store", "client", "server"];

/// What a pure crate has no use for.
const IMPURE_LIBRARIES: &[&str] =
    &["axum", "getrandom", "rand", "reqwest", "rusqlite", "tempfile", "tokio", "tokio-tungstenite"];

/// `metadata`: the answer of `cargo metadata --no-deps`.
pub(crate) fn check(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Value) -> Vec<String> {
    let name = short_name(text(&package["name"]));
    let Some((_, allowed)) = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name) else {
        return vec![format!("{name}: a crate without a row in xtask/src/tidy/graph.rs: say what it may depend on")];
    };
    let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    dependencies.iter().filter_map(|dependency| check_dependency(name, allowed, dependency)).collect()
}

fn check_dependency(name: &str, allowed: &[&str], dependency: &Value) -> Option<String> {
    let other = text(&dependency["name"]);
    let is_ours = dependency["path"].is_string();
    let only_in_tests = dependency["kind"] == "dev";
    let is_pure = PURE.contains(&name);
    let is_fine = match (is_ours, only_in_tests) {
        (true, true) if is_pure => PURE.contains(&short_name(other)),
        (true, true) => LIBRARIES.contains(&short_name(other)),
        (true, false) => allowed.contains(&short_name(other)),
        (false, true) => true,
        (false, false) => !is_pure || !IMPURE_LIBRARIES.contains(&other),
    };
    let place = if only_in_tests { "in its tests" } else { "" };
    (!is_fine).then(|| format!("crates/{name}/Cargo.toml: {name} must not know {other} {place}").trim_end().to_owned())
}

fn short_name(package: &str) -> &str {
    package.strip_prefix("tidebook-").unwrap_or(package)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is found when `package` depends on `dependency`, one of ours if `ours`.
    fn findings(package: &str, dependency: Value) -> Vec<String> {
        check(&json!({ "packages": [{ "name": package, "dependencies": [dependency] }] }))
    }

    fn ours(name: &str, kind: Value) -> Value {
        json!({ "name": format!("tidebook-{name}"), "kind": kind, "path": "somewhere" })
    }

    #[test]
    fn an_arrow_against_the_picture_is_found() {
        assert_eq!(
            findings("tidebook-replica", ours("ledger", Value::Null)),
            ["crates/replica/Cargo.toml: replica must not know tidebook-ledger"]
        );
        assert!(findings("tidebook-replica", ours("protocol", Value::Null)).is_empty());
        assert_eq!(findings("tidebook-book", ours("protocol", json!("build"))).len(), 1);
    }

    #[test]
    fn tests_may_know_more_but_no_program() {
        assert!(findings("tidebook-authority", ours("replica", json!("dev"))).is_empty());
        assert_eq!(findings("tidebook-authority", ours("server", json!("dev"))).len(), 1);
        assert_eq!(findings("tidebook-client", ours("cli", json!("dev"))).len(), 1);
        assert!(findings("tidebook-client", ours("server", json!("dev"))).is_empty());
    }

    #[test]
    fn a_pure_crate_with_a_runtime_is_found() {
        let tokio = || json!({ "name": "tokio", "kind": Value::Null });
        assert_eq!(findings("tidebook-book", tokio()).len(), 1);
        assert!(findings("tidebook-client", tokio()).is_empty());
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(findings("tidebook-weather", json!({ "name": "serde", "kind": Value::Null })).len(), 1);
    }
}
