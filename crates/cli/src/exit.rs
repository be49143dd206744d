//! How the program ends, and what it prints.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use crate::say::one_line;

/// A checksum or totals differ; nothing was written.
pub(crate) const CHECKSUM_DIFFERS: u8 = 3;

/// How results are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people; colours only on a terminal, and not where NO_COLOR is set.
    Words,
    /// For programs.
    Json,
}

/// Says what went wrong, on standard error.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    // Names from files and books are in some of them, and a terminal takes control characters for commands.
    note(&format!("tidebook: {}", one_line(&format!("{error:#}"))));
    ExitCode::FAILURE
}

/// A line of result, on standard output. A reader that has closed its end, as `head` does, ends the program quietly.
pub(crate) fn print(line: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// A result in the form that is wanted.
pub(crate) fn answer(form: Form, result: &impl Serialize, words: impl FnOnce() -> Vec<String>) -> anyhow::Result<()> {
    match form {
        Form::Json => print(&serde_json::to_string(result)?),
        Form::Words => words().iter().try_for_each(|line| print(line)),
    }
}

/// A line of progress or of trouble, on standard error.
pub(crate) fn note(line: &str) {
    // Where standard error is closed there is nobody to tell.
    let _written = writeln!(anstream::stderr(), "{line}");
}

/// Whether an error only says that nobody reads the results any more.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
