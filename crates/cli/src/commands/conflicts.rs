//! `tidebook conflicts` and `tidebook resolve`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use tidebook_ledger::{Conflict, LedgerOp, OpenConflict};

use crate::arguments::Asked;
use crate::describe;
use crate::device::OpenBook;
use crate::exit::answer;
use crate::pick;
use crate::say::{ALARM, moment, short, styled};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook conflicts")]
pub(crate) struct Arguments {
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook resolve 7c21d9e0 --keep")]
pub(crate) struct Resolve {
    /// The conflict: the end of its id, as `conflicts` shows it
    id: String,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Choice {
    /// Keep what stands
    #[arg(long)]
    keep: bool,
    /// Take what was set aside
    #[arg(long)]
    take: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let open = OpenBook::of(&arguments.asked).await?;
    let conflicts: Vec<&Conflict> = open.state().conflicts_in_order().into_iter().map(|it| &it.conflict).collect();
    answer(open.form(), &conflicts, || {
        if conflicts.is_empty() {
            return vec!["Nothing to decide.".into()];
        }
        conflicts.iter().flat_map(|conflict| lines(&open, conflict)).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}

fn lines(open: &OpenBook, conflict: &Conflict) -> Vec<String> {
    let (state, id) = (open.state(), short(conflict.id.0));
    let title = styled(ALARM, format!("[{id}] {}", describe::record(state, conflict.record)));
    let (standing, offered) = (&conflict.standing, &conflict.offered);
    vec![
        title,
        format!("  stands:    {} ({})", describe::values(state, &standing.set), open.person(standing.by)),
        format!(
            "  set aside: {} ({}, {})",
            describe::values(state, &offered.set),
            open.person(offered.by),
            moment(offered.made_at)
        ),
        format!("  `tidebook resolve {id} --keep` or `--take`"),
    ]
}

pub(crate) async fn resolve(arguments: Resolve) -> Result<ExitCode> {
    let mut open = OpenBook::of(&arguments.asked).await?;
    let OpenConflict { conflict, .. } = pick::conflict(open.state(), &arguments.id)?.clone();
    let op = LedgerOp::ResolveConflict { id: conflict.id, apply: arguments.choice.take };
    let mutation = open.write(vec![op])?;
    answer(open.form(), &json!({"saved": true, "mutation": mutation, "conflict": conflict.id}), || {
        let what = if arguments.choice.take { "Taken" } else { "Kept" };
        vec![format!("{what}: {}", describe::record(open.state(), conflict.record))]
    })?;
    open.finish().await
}
