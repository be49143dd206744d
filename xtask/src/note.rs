//! Lines that commands add to tables in the docs, each with the day and the commit.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use anyhow::{Context, Result, ensure};

use crate::children;
use crate::workspace::Workspace;

/// The commit that something long runs on, from its beginning to its end.
pub(crate) struct Commit(String);

impl Commit {
    /// Refuses where files differ from their commit, but for the list that lines are added to: what runs would not be it.
    pub(crate) fn begin(workspace: &Workspace, list: &str) -> Result<Self> {
        let mut git = workspace.command("git");
        let status = children::output_of(git.args(["status", "--porcelain", "--untracked-files=no"]))?;
        let changed = changed_beside(&status, list);
        ensure!(
            changed.is_empty(),
            "commit first, or the line would name a commit that it is not about; changed: {}",
            changed.join(", ")
        );
        Ok(Self(head(workspace)?))
    }

    /// The commit, unless there is another by now.
    pub(crate) fn end(self, workspace: &Workspace) -> Result<String> {
        self.unless_moved(head(workspace)?)
    }

    fn unless_moved(self, now: String) -> Result<String> {
        let Self(then) = self;
        ensure!(now == then, "nothing is noted: it began on {then}, and meanwhile HEAD moved to {now}");
        Ok(now)
    }
}

/// The tracked files that `git status --porcelain` lists, without this one.
fn changed_beside<'a>(status: &'a str, list: &str) -> Vec<&'a str> {
    // Two letters and a blank stand before the path.
    status.lines().filter_map(|line| line.get(3..)).filter(|path| *path != list).collect()
}

/// Appends a line with these cells after the date and this commit.
pub(crate) fn append(workspace: &Workspace, doc: &str, commit: &str, cells: &str) -> Result<()> {
    let line = line(workspace, commit, cells)?;
    let path = workspace.root.join(doc);
    let mut file =
        OpenOptions::new().append(true).open(&path).with_context(|| format!("opening {}", path.display()))?;
    Ok(file.write_all(line.as_bytes())?)
}

/// The same with the commit that there is now, at the end of the table under this heading.
pub(crate) fn append_under(workspace: &Workspace, doc: &str, heading: &str, cells: &str) -> Result<()> {
    let line = line(workspace, &head(workspace)?, cells)?;
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

fn line(workspace: &Workspace, commit: &str, cells: &str) -> Result<String> {
    let mut date = workspace.command("date");
    let date = children::output_of(date.args(["--utc", "+%Y-%m-%d"]))?;
    Ok(format!("| {} | {commit} | {cells} |\n", date.trim()))
}

fn head(workspace: &Workspace) -> Result<String> {
    let mut git = workspace.command("git");
    let commit = children::output_of(git.args(["rev-parse", "--short=12", "HEAD"]))?;
    Ok(commit.trim().to_owned())
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
    fn only_the_list_itself_may_be_changed() {
        let status = " M docs/proofs.md\nM  xtask/src/note.rs\n D crates/e2e/docs/proofs.md\n";
        assert_eq!(changed_beside(status, "docs/proofs.md"), ["xtask/src/note.rs", "crates/e2e/docs/proofs.md"]);
        assert!(changed_beside(" M docs/proofs.md\n", "docs/proofs.md").is_empty());
        assert!(changed_beside("", "docs/proofs.md").is_empty());
    }

    #[test]
    fn what_ran_on_two_commits_is_not_noted() {
        assert_eq!(Commit("one".into()).unless_moved("one".into()).unwrap(), "one");
        let moved = Commit("one".into()).unless_moved("two".into()).unwrap_err().to_string();
        assert!(moved.contains("began on one") && moved.contains("moved to two"), "{moved}");
    }

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
