//! `tidebook status`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tidebook_book::{BookChange, MutationId};
use tidebook_ledger::{Ledger, cause_of};
use tidebook_replica::{BookCopy, Rejection, SyncStatus};

use crate::arguments::Asked;
use crate::describe;
use crate::device::{Device, OpenBook};
use crate::exit::{Form, answer};
use crate::say::{ALARM, DIM, STRONG, count, moment, short, styled};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tidebook status\n  tidebook status --offline --json")]
pub(crate) struct Arguments {
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut device = Device::open(&arguments.asked).await?;
    let books = match &arguments.asked.book {
        Some(book) => vec![device.find_book(Some(book)).await?],
        None => {
            let mut kept = device.driver.store().read(|rows| rows.books())?;
            kept.extend(device.unmade()?.into_iter().map(|(book, ..)| book));
            kept.sort_unstable();
            kept.dedup();
            kept
        }
    };
    books.into_iter().try_for_each(|book| device.driver.open_book(book))?;
    device.catch_up().await?;
    let books: Vec<_> = device.driver.open_books().collect();
    let mut told: Vec<Value> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    for id in books {
        let mut open = OpenBook { device, id };
        let (value, mut more) = tell(&mut open)?;
        told.push(value);
        lines.append(&mut more);
        device = open.device;
    }
    if lines.is_empty() {
        lines.push("Nothing of any book is on this device yet.".into());
    }
    answer(device.form, &told, || lines)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(open: &mut OpenBook) -> Result<(Value, Vec<String>)> {
    let synced_at = open.device.synced_at(open.id)?;
    let name = open.name()?;
    let (copy, status) = (open.copy(), open.device.driver.replica().sync_status(open.id));
    let word = status_word(copy, status);
    let waiting: Vec<_> = copy.pending().filter(|pending| !pending.is_withdrawn()).collect();
    let value = json!({
        "book": open.id,
        "name": name,
        "status": word,
        "seq": copy.seq(),
        "hash": copy.hash(),
        "state_hash": state_hash(copy),
        "synced_at": synced_at,
        "waiting": waiting.iter().map(|pending| &pending.mutation).collect::<Vec<_>>(),
        "held": copy.held().map(|held| &held.detail),
        "rejected": copy.rejections().iter().map(|it| rejection_json(copy, it)).collect::<Vec<_>>(),
        "conflicts": open.state().conflicts().count(),
    });
    if open.form() == Form::Json {
        return Ok((value, Vec::new()));
    }
    let synced = synced_at.map(|at| format!("last up to date {}", moment(at))).unwrap_or_default();
    let mut lines = vec![format!("{}  {word}  {}", styled(STRONG, name), styled(DIM, synced))];
    for pending in waiting {
        lines.extend(
            described(open, pending.predicted())
                .into_iter()
                .map(|what| format!("  [{}] you {what}  {}", short(pending.mutation.id.0), styled(DIM, "waits"))),
        );
    }
    if let Some(held) = copy.held() {
        lines.push(styled(ALARM, format!("  the server does not take it: {}", held.detail)));
    }
    for rejection in copy.rejections() {
        let id = short(rejection.mutation.id.0);
        let (many, why) = (rejection.mutation.ops.len(), &rejection.rejected.detail);
        let cause = cause(copy, rejection).map(|cause| format!("; it needs [{}]", short(cause.0))).unwrap_or_default();
        lines.push(styled(ALARM, format!("  [{id}] not taken: {why}{cause} ({})", count(many, "change", "changes"))));
        lines.push(format!("    `tidebook retry {id}` or `tidebook discard {id}`"));
    }
    let conflicts = open.state().conflicts().count();
    if conflicts > 0 {
        let conflicts = count(conflicts, "conflict", "conflicts");
        lines.push(styled(ALARM, format!("  {conflicts} to decide: `tidebook conflicts`")));
    }
    Ok((value, lines))
}

fn rejection_json(copy: &BookCopy<Ledger>, rejection: &Rejection<Ledger>) -> Value {
    json!({"mutation": rejection.mutation, "rejected": rejection.rejected, "needs": cause(copy, rejection)})
}

/// The rejected mutation that would have made what this one lacks.
fn cause(copy: &BookCopy<Ledger>, Rejection { mutation, rejected, .. }: &Rejection<Ledger>) -> Option<MutationId> {
    let all = copy.rejections();
    let cause = cause_of(rejected, &mutation.ops, all.iter().map(|other| &*other.mutation.ops))?;
    Some(all[cause].mutation.id)
}

fn described(open: &OpenBook, changes: &[BookChange<Ledger>]) -> Vec<String> {
    let told = describe::changes(open.state(), open.device.user(), changes, &|user| open.person(user));
    if told.is_empty() { vec!["wrote something that changes nothing here".into()] } else { told }
}

/// Comparable between devices at the same seq; not while something waits, which is part of what this device shows.
fn state_hash(copy: &BookCopy<Ledger>) -> Option<tidebook_book::ChainHash> {
    copy.pending().next().is_none().then(|| copy.view().hash())
}

pub(crate) fn status_word(copy: &BookCopy<Ledger>, status: SyncStatus) -> String {
    match status {
        _ if copy.is_removed() => "you are no member any more".into(),
        SyncStatus::Synced => "synced".into(),
        SyncStatus::Saving(0) => "catching up".into(),
        SyncStatus::Saving(many) => format!("saving {many}"),
        SyncStatus::Offline(0) => "offline".into(),
        SyncStatus::Offline(many) => format!("offline, {many} on this device"),
        SyncStatus::NeedsAttention(_) => "needs attention".into(),
    }
}
