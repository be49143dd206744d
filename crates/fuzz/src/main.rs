//! The fuzzer's program: libFuzzer gives inputs without end to the target that `TIDEBOOK_FUZZ_TARGET` names. It is one
//! program for all of them, because they have nearly everything they are made of in common.
//!
//! Built without the fuzzer it runs a target on files: `cargo run -p tidebook-fuzz -- TARGET FILE…`.
#![cfg_attr(fuzzing, no_main)]

use tidebook_fuzz::Target;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static TARGET: std::sync::LazyLock<&Target> = std::sync::LazyLock::new(|| {
        let name = std::env::var("TIDEBOOK_FUZZ_TARGET").unwrap_or_default();
        Target::named(&name).unwrap_or_else(|| panic!("TIDEBOOK_FUZZ_TARGET={name:?} names no target"))
    });
    TARGET.attack(bytes);
});

#[cfg(not(fuzzing))]
#[expect(clippy::print_stdout, reason = "a tool for the terminal")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target =
        arguments.next().and_then(|name| Target::named(&name)).ok_or("TARGET FILE…: there is no such target")?;
    for file in arguments {
        println!("{file}: {:?}", target.attack(&std::fs::read(&file)?));
    }
    Ok(())
}
