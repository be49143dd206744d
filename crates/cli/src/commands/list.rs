//! `tidebook list`.

use std::collections::HashSet;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use tidebook_ledger::{
    Balances, CivilDate, ContactId, Currency, Ledger, LedgerOp, LedgerState, RecordRef, Transaction, TransactionId,
    TransactionView,
};
use tidebook_replica::BookCopy;

use crate::arguments::{Asked, Way};
use crate::device::OpenBook;
use crate::exit::answer;
use crate::pick;
use crate::say::{ALARM, Cell, DIM, Table, count, direction_words, money, owes, short, signed};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tidebook list --who Ana --from 2026-01-01\n  tidebook list --text lunch --gave --limit 20"
)]
pub(crate) struct Arguments {
    /// Only of this person
    #[arg(long)]
    who: Option<String>,
    /// Only those in whose note or name each of these words is
    #[arg(long)]
    text: Option<String>,
    /// From this day on
    #[arg(long, value_name = "DATE")]
    from: Option<CivilDate>,
    /// Up to this day
    #[arg(long, value_name = "DATE")]
    to: Option<CivilDate>,
    /// Only in this currency
    #[arg(long)]
    currency: Option<Currency>,
    #[command(flatten)]
    way: Way,
    /// Those that were deleted instead
    #[arg(long)]
    deleted: bool,
    /// The newest so many
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let open = OpenBook::of(&arguments.asked).await?;
    let state = open.state();
    let mut found = arguments.find(state)?;
    let (many, sums) = (found.len(), sums(&found));
    found.truncate(arguments.limit.unwrap_or(usize::MAX));
    let views: Vec<_> = found.iter().map(|transaction| TransactionView::new(state, transaction)).collect();
    answer(open.form(), &json!({"transactions": views, "count": many, "sums": sums}), || {
        let waiting = waiting(open.copy());
        let mut table = Table::default();
        found.iter().for_each(|transaction| table.row(row(state, transaction, &waiting)));
        let mut lines = table.lines();
        lines.push(summary(many, found.len(), &sums));
        lines
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    /// Newest first.
    fn find<'a>(&self, state: &'a LedgerState) -> Result<Vec<&'a Transaction>> {
        let who = match &self.who {
            Some(who) => Some(pick::contact(state, who)?.id),
            None => None,
        };
        let direction = self.way.direction();
        let words: Vec<String> =
            self.text.as_deref().unwrap_or_default().to_lowercase().split_whitespace().map(str::to_owned).collect();
        let is_wanted = |it: &&Transaction| {
            is_there(state, it) != self.deleted
                && who.is_none_or(|who| who == it.contact)
                && self.from.is_none_or(|from| it.date >= from)
                && self.to.is_none_or(|to| it.date <= to)
                && self.currency.is_none_or(|currency| currency == it.currency)
                && direction.is_none_or(|direction| direction == it.direction)
                && has_words(state, it, &words)
        };
        let mut found: Vec<&Transaction> = state.transactions().filter(is_wanted).collect();
        found.sort_by_key(|it| std::cmp::Reverse((it.date, it.created.seq, it.created.index, it.id)));
        Ok(found)
    }
}

fn is_there(state: &LedgerState, transaction: &Transaction) -> bool {
    !transaction.deleted && state.contact(transaction.contact).is_some_and(|contact| !contact.deleted)
}

fn has_words(state: &LedgerState, transaction: &Transaction, words: &[String]) -> bool {
    let name = state.contact(transaction.contact).map(|contact| contact.name.to_lowercase()).unwrap_or_default();
    let note = transaction.note.as_deref().unwrap_or_default().to_lowercase();
    words.iter().all(|word| name.contains(word) || note.contains(word))
}

fn sums(found: &[&Transaction]) -> Balances {
    let mut sums = Balances::default();
    found.iter().for_each(|it| *sums.or_insert(it.currency, 0) += it.signed_amount());
    sums
}

fn summary(many: usize, shown: usize, sums: &Balances) -> String {
    let sums: Vec<String> = sums.iter().map(|(currency, sum)| signed(*sum, *currency)).collect();
    let shown = if shown < many { format!("{shown} of ") } else { String::new() };
    let together = if sums.is_empty() { String::new() } else { format!("; together {}", sums.join(", ")) };
    format!("{shown}{}{together}", count(many, "transaction", "transactions"))
}

/// What has no entry yet.
pub(crate) fn waiting(copy: &BookCopy<Ledger>) -> HashSet<TransactionId> {
    let ops = copy.pending().flat_map(|pending| &pending.mutation.ops);
    let id = |op: &LedgerOp| match op {
        LedgerOp::CreateTransaction { id, .. }
        | LedgerOp::UpdateTransaction { id, .. }
        | LedgerOp::DeleteTransaction { id }
        | LedgerOp::RestoreTransaction { id } => Some(*id),
        _ => None,
    };
    ops.filter_map(id).collect()
}

fn row(state: &LedgerState, transaction: &Transaction, waiting: &HashSet<TransactionId>) -> [Cell; 7] {
    let (words, style) = direction_words(transaction.direction);
    let name = |id: ContactId| state.contact(id).map(|contact| contact.name.clone()).unwrap_or_default();
    let has_conflict = state.conflicts_of(RecordRef::Transaction(transaction.id)).next().is_some();
    let mark = match (has_conflict, waiting.contains(&transaction.id)) {
        (true, _) => Cell::text("conflict").styled(ALARM),
        (_, true) => Cell::text("waiting").styled(DIM),
        _ => Cell::text(""),
    };
    [
        Cell::text(transaction.date),
        Cell::text(words),
        Cell::text(name(transaction.contact)),
        Cell::number(money(transaction.amount.into(), transaction.currency)).styled(style),
        Cell::text(short(transaction.id.0)).styled(DIM),
        Cell::text(transaction.note.as_deref().unwrap_or_default()),
        mark,
    ]
}

/// What a person owes, as cells of a table.
pub(crate) fn balance_cells(name: &str, currency: Currency, amount: i128) -> [Cell; 3] {
    let (words, style) = owes(amount);
    [Cell::text(name), Cell::text(words), Cell::number(money(amount, currency)).styled(style)]
}
