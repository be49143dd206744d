//! `tidebook completions` and `tidebook man`.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook completions bash > tidebook.bash")]
pub(crate) struct Arguments {
    /// Which shell
    shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tidebook man > tidebook.1\n  tidebook man add > tidebook-add.1")]
pub(crate) struct Man {
    /// The page of this command, such as `add`, or `contact add`
    command: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::arguments::Arguments::command(), "tidebook", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(arguments: &Man) -> Result<ExitCode> {
    let mut command = crate::arguments::Arguments::command().disable_help_subcommand(true);
    command.build();
    for name in &arguments.command {
        let found = command.find_subcommand(name).cloned();
        command = found.ok_or_else(|| anyhow::anyhow!("there is no command {:?}", arguments.command.join(" ")))?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    std::io::stdout().write_all(&page)?;
    Ok(ExitCode::SUCCESS)
}
