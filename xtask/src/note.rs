//! Lines that commands add to tables in the docs, each with the day and the commit.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use anyhow::{Context, Result};

use crate::children;
use crate::workspace::Workspace;

/// Appends a line with these cells after the date and the commit.
pub(crate) fn append(workspace: &Workspace, doc: &str, cells: &str) -> Result<()> {
    let line = line(workspace, cells)?;
    let path = workspace.root.join(doc);
    let mut file =
        OpenOptions::new().append(true).open(&path).with_context(|| format!("opening {}", path.display()))?;
    Ok(file.write_all(line.as_bytes())?)
}

/// The same at the end of the table under this heading.
pub(crate) fn append_under(workspace: &Workspace, doc: &str, heading: &str, cells: &str) -> Result<()> {
    let line = line(workspace, cells)?;
    let path = workspace.root.join(doc);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let text =
        with_line_under(&text, heading, &line).with_context(|| format!("{doc} has no table under {heading:?}"))?;
    Ok(fs::write(&path, text)?)
}

/// Puts these plots behind the table under this heading, in place of those that were there.
pub(crate) fn plot_under(workspace: &Workspace, doc: &str, heading: &str, plots: &[String]) -> Result<()> {
    let path = workspace.root.join(doc);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let text =
        with_plots_under(&text, heading, plots).with_context(|| format!("{doc} has no table under {heading:?}"))?;
    Ok(fs::write(&path, text)?)
}

fn line(workspace: &Workspace, cells: &str) -> Result<String> {
    let mut git = workspace.command("git");
    let commit = children::output_of(git.args(["rev-parse", "--short=12", "HEAD"]))?;
    let mut date = workspace.command("date");
    let date = children::output_of(date.args(["--utc", "+%Y-%m-%d"]))?;
    Ok(format!("| {} | {} | {cells} |\n", date.trim(), commit.trim()))
}

/// `None` where there is no such table.
fn with_line_under(text: &str, heading: &str, line: &str) -> Option<String> {
    let (before, section, rest) = section(text, heading)?;
    let table_end = section.rfind("|\n")? + 2;
    Some(format!("{before}{}{line}{}{rest}", &section[..table_end], &section[table_end..]))
}

/// `None` where there is no such table. All behind it are plots.
fn with_plots_under(text: &str, heading: &str, plots: &[String]) -> Option<String> {
    let (before, section, rest) = section(text, heading)?;
    let table = &section[..section.rfind("|\n")? + 2];
    let plots: String = plots.iter().map(|plot| format!("\n```mermaid\n{plot}```\n")).collect();
    let gap = if rest.is_empty() { "" } else { "\n" };
    Some(format!("{before}{table}{plots}{gap}{rest}"))
}

/// What is before the section with this heading, the section, and what follows it.
fn section<'a>(text: &'a str, heading: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let begin = text.find(&format!("{heading}\n"))?;
    let length = text[begin + 1..].find("\n## ").map_or(text.len() - begin, |next| next + 2);
    Some((&text[..begin], &text[begin..begin + length], &text[begin + length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_to_the_table_under_its_heading() {
        let text = "# A\n\n## One\n\n| a |\n| - |\n\n## Two\n\n| b |\n| - |\n| 1 |\n";
        let one = "# A\n\n## One\n\n| a |\n| - |\n| x |\n\n## Two\n\n| b |\n| - |\n| 1 |\n";
        assert_eq!(with_line_under(text, "## One", "| x |\n").as_deref(), Some(one));
        let two = format!("{text}| x |\n");
        assert_eq!(with_line_under(text, "## Two", "| x |\n"), Some(two));
        assert_eq!(with_line_under(text, "## Three", "| x |\n"), None);
    }

    #[test]
    fn plots_stand_behind_the_table_and_replace_those_before() {
        let text = "## One\n\n| a |\n| - |\n\n## Two\n\n| b |\n| - |\n";
        let first = with_plots_under(text, "## One", &["x\n".into(), "y\n".into()]).unwrap();
        let both = "\n```mermaid\nx\n```\n\n```mermaid\ny\n```\n";
        assert_eq!(first, format!("## One\n\n| a |\n| - |\n{both}\n## Two\n\n| b |\n| - |\n"));
        assert_eq!(with_plots_under(&first, "## One", &[]).as_deref(), Some(text));
        let last = with_plots_under(text, "## Two", &["z\n".into()]).unwrap();
        assert_eq!(last, format!("{text}\n```mermaid\nz\n```\n"));
        assert_eq!(
            with_line_under(&last, "## Two", "| 1 |\n"),
            Some(last.replace("| - |\n\n```", "| - |\n| 1 |\n\n```"))
        );
        assert_eq!(with_plots_under(text, "## Three", &[]), None);
    }
}
