//! How the program ends, and what it prints.

use std::io::Write as _;
use std::process::ExitCode;

/// A checksum or totals differ; nothing was written.
pub(crate) const CHECKSUM_DIFFERS: u8 = 3;

/// Says what went wrong, on standard error.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    note(&format!("tidebook: {error:#}"));
    ExitCode::FAILURE
}

/// A line of result, on standard output. A reader that has closed its end, as `head` does, ends the program quietly.
pub(crate) fn print(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// A line of progress or of trouble, on standard error.
pub(crate) fn note(line: &str) {
    // Where standard error is closed there is nobody to tell.
    let _written = writeln!(std::io::stderr(), "{line}");
}
