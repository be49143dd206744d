//! How much a first visit may download, and whether it does.

use std::fmt::Write;

use anyhow::{Result, bail};

use crate::assets::File;

/// Bytes after gzip, which is what the slowest path to a browser carries.
const BUDGETS: &[(&str, usize)] = &[("wasm", 350_000), ("js", 40_000), ("css", 20_000)];

pub(crate) struct Verdict {
    pub(crate) report: String,
    too_big: Vec<&'static str>,
}

impl Verdict {
    pub(crate) fn into_result(self) -> Result<()> {
        if !self.too_big.is_empty() {
            bail!(
                "over budget: {}. Make it smaller, or argue for another budget in bundle/budget.rs",
                self.too_big.join(", ")
            );
        }
        Ok(())
    }
}

/// `is_shrunk`: a module that has not been shrunk is measured but not held to its budget.
pub(crate) fn check(files: &[File], is_shrunk: bool) -> Verdict {
    let mut verdict = Verdict { report: "downloaded by a first visit (gzip):".to_owned(), too_big: Vec::new() };
    for &(extension, budget) in BUDGETS {
        let size = downloaded(files, extension);
        let note = match (size > budget, extension) {
            (false, _) => "",
            (true, "wasm") if !is_shrunk => " (not shrunk)",
            (true, _) => " OVER BUDGET",
        };
        if note == " OVER BUDGET" {
            verdict.too_big.push(extension);
        }
        write!(verdict.report, " {extension} {:.1} of {} KB{note};", size as f64 / 1e3, budget / 1000)
            .unwrap_or_default();
    }
    verdict
}

/// What files of a kind weigh as they are sent: compressed where there is a compressed form.
fn downloaded(files: &[File], extension: &str) -> usize {
    let sent = |file: &File| {
        let compressed = format!("{}.gz", file.path);
        files.iter().find(|other| other.path == compressed).map_or(file.content.len(), |other| other.content.len())
    };
    files.iter().filter(|file| file.extension() == extension).map(sent).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, length: usize) -> File {
        File { path: path.to_owned(), content: vec![b'.'; length] }
    }

    #[test]
    fn a_budget_is_kept_to_the_byte() {
        let script = |length| check(&[file("/assets/app.js", length)], true).into_result();
        assert!(script(40_000).is_ok());
        assert!(script(40_001).unwrap_err().to_string().starts_with("over budget: js"));
    }

    #[test]
    fn the_compressed_form_counts() {
        let files = [file("/assets/app.css", 90_000), file("/assets/app.css.gz", 20_000)];
        assert!(check(&files, true).into_result().is_ok());
    }

    #[test]
    fn only_a_shrunk_module_is_held_to_its_budget() {
        let module = [file("/assets/app.wasm", 350_001)];
        assert!(check(&module, true).into_result().is_err());
        assert!(check(&module, false).into_result().is_ok());
    }
}
