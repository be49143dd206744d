//! Compiled to WebAssembly and run in Node, each seed tells the story that it tells here.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use tidebook_sim_wasm::story;
use wasm_bindgen_cli_support::Bindgen;

const SEEDS: u64 = 80;

/// Arguments: the module's JavaScript, and how many seeds.
const TELL: &str = "
    const [, module, seeds] = process.argv;
    const { story } = require(module);
    for (let seed = 0n; seed < BigInt(seeds); seed++) console.log(story(seed));";

#[test]
fn in_node_each_seed_tells_the_same_story() {
    let there = stories_in_node();
    let here: Vec<String> = (0..SEEDS).map(story).collect();
    assert_eq!(there.len(), here.len());
    for (seed, (there, here)) in there.iter().zip(&here).enumerate() {
        assert_eq!(there, here, "seed {seed}, in Node and here; `cargo xtask test` compiles both from the same code");
    }
}

fn stories_in_node() -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let module = module();
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&module).out_name("sim").nodejs(true).expect("it is for Node alone").typescript(false);
    bindgen.generate(folder.path()).expect("the module reads");
    let mut node = Command::new("node");
    node.args(["-e", TELL]).arg(folder.path().join("sim.js")).arg(SEEDS.to_string());
    let output = node.output().expect("`cargo xtask test` installs Node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("stories are text").lines().map(str::to_owned).collect()
}

fn module() -> PathBuf {
    let this = env::current_exe().expect("this program is a file");
    let target_dir = this.ancestors().nth(3).map(Path::to_owned).expect("it is in target/debug/deps");
    let module = target_dir.join("web-build/sim.wasm");
    assert!(module.exists(), "there is no {}: `cargo xtask test` compiles it", module.display());
    module
}
