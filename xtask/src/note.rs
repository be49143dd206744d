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

fn line(workspace: &Workspace, cells: &str) -> Result<String> {
    let mut git = workspace.command("git");
    let commit = children::output_of(git.args(["rev-parse", "--short=12", "HEAD"]))?;
    let mut date = workspace.command("date");
    let date = children::output_of(date.args(["--utc", "+%Y-%m-%d"]))?;
    Ok(format!("| {} | {} | {cells} |\n", date.trim(), commit.trim()))
}

/// `None` where there is no such table.
fn with_line_under(text: &str, heading: &str, line: &str) -> Option<String> {
    let section = text.find(&format!("{heading}\n"))?;
    let length = text[section + 1..].find("\n## ").map_or(text.len() - section, |next| next + 2);
    let (section, rest) = (&text[..section + length], &text[section + length..]);
    let table_end = section.rfind("|\n")? + 2;
    Some(format!("{}{line}{}{rest}", &section[..table_end], &section[table_end..]))
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
}
