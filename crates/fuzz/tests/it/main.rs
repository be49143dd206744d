//! Every input that is kept, through the target it is for: seeds that the fuzzer starts from, and whatever broke something once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tidebook_fuzz::{Reading, TARGETS};

fn inputs() -> BTreeMap<String, Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs");
    let children = |folder: &Path| fs::read_dir(folder).expect("a folder").map(|item| item.expect("an item").path());
    let name = |folder: &Path| folder.file_name().expect("a name").to_string_lossy().into_owned();
    let folders = children(&folder).filter(|path| path.is_dir());
    folders.map(|folder| (name(&folder), children(&folder).collect())).collect()
}

#[test]
fn each_target_has_a_folder_of_inputs() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert!(names.is_sorted());
    assert_eq!(inputs().into_keys().collect::<Vec<_>>(), names);
}

#[test]
#[expect(clippy::print_stderr, reason = "where it panics this is what tells which input it was")]
fn whatever_broke_something_once_does_so_no_more() {
    let inputs = inputs();
    for target in &TARGETS {
        let mut taken = 0;
        for file in &inputs[target.name] {
            eprintln!("{}", file.display());
            let reading = target.attack(&fs::read(file).expect("a file"));
            taken += usize::from(reading == Reading::Taken);
        }
        assert!(taken > 0, "{}: no input gets past the first check", target.name);
    }
}

/// The shortest of what comes over a line.
#[test]
fn nothing_and_next_to_nothing_are_refused() {
    for target in &TARGETS {
        for bytes in [&b""[..], b"\n", b"\xff", b"{"] {
            if target.name != "ops" {
                assert_eq!(target.attack(bytes), Reading::Refused, "{}: {bytes:?}", target.name);
            }
        }
    }
}
