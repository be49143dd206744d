//! Native clients and browsers whose lines part and heal at random, each by itself, while all of them write. Every few
//! rounds those whose lines are whole meet, and now and then everybody: nobody is stuck, and nobody diverged.
//!
//! The server, each native client and each browser are processes of their own, on loopback with a [`Front`] each.

mod client;
mod found;
mod native;
mod page;
mod partition;
mod program;
mod truth;

pub use found::Partitions;
pub use program::partitions_client;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use tidebook_book::{BookId, ChainHash};
use tidebook_ledger::ContactId;
use tokio::task::JoinSet;

use crate::{Account, Dice, Front, Stage, person, written};

use client::{Client, Played, Program};
use native::Native;
use page::Page;
use truth::{Truth, Truths};

/// Native clients, of two people in turn.
const NATIVES: usize = 16;

/// Browsers: what they are called; the first is Mira's, the other Ben's.
const BROWSERS: [&str; 2] = ["mira", "ben"];

/// Whom everybody writes about.
const COMMON: &str = "Ana Kovač";

/// Rounds between two meetings. A partition of one client that is healed is a round.
const ROUNDS_BEFORE_MEETING: usize = 50;

/// Once in so many meetings those who are away are waited for.
const FULL_MEETING_EVERY: usize = 25;

/// Rounds that are left until the next meeting.
#[derive(Debug)]
struct Rounds(AtomicUsize);

impl Rounds {
    fn take(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    fn are_left(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Parts and heals so many times.
pub async fn partitions(stage: &Stage, rounds: usize) -> Result<Partitions> {
    let mut dice = Dice::new()?;
    let words = dice.words();
    let mut run = Run::begin(stage, &mut dice).await?;
    let started = Instant::now();
    while run.found.rounds < rounds {
        run.part_and_meet(rounds).await.with_context(|| format!("after {} rounds, {words}", run.found.rounds))?;
    }
    run.found.lasted = started.elapsed();
    run.end().await.with_context(|| format!("at the end, {words}"))
}

struct Run {
    mira: Account,
    book: BookId,
    here: Vec<Client>,
    /// In a partition that lasts, or behind a line that died in silence: until they are current.
    away: JoinSet<Result<Client>>,
    found: Partitions,
}

impl Run {
    async fn begin(stage: &Stage, dice: &mut Dice) -> Result<Self> {
        let (mira, book) = stage.mira().await?;
        let ben = Account::make(&stage.server, "Ben").await?;
        mira.let_in(book, &ben, "editor").await?;
        let (ana, op) = person(COMMON);
        stage.writer(&mira, book).await?.write(vec![op]).await?;
        let people = [&mira, &ben];
        let mut here = Vec::new();
        for nth in 0..NATIVES {
            here.push(native(stage, nth, people[nth % people.len()], book, ana, dice.another()).await?);
        }
        for (name, whose) in BROWSERS.into_iter().zip(people) {
            here.push(browser(stage, name, whose, book, dice.another()).await?);
        }
        Ok(Self { mira, book, here, away: JoinSet::new(), found: Partitions::default() })
    }

    /// As many of these rounds as come before the next meeting, and that.
    async fn part_and_meet(&mut self, rounds: usize) -> Result<()> {
        let next = ROUNDS_BEFORE_MEETING.min(rounds - self.found.rounds);
        self.part(next).await?;
        self.found.rounds += next;
        let is_last = self.found.rounds == rounds;
        if is_last || (self.found.meetings + 1).is_multiple_of(FULL_MEETING_EVERY) {
            while let Some(back) = self.away.join_next().await {
                self.here.push(back??);
            }
            self.found.full_meetings += 1;
        }
        self.meet().await
    }

    /// So many rounds, whoever plays them. Who comes back meanwhile plays on; who is away after them stays away.
    async fn part(&mut self, rounds: usize) -> Result<()> {
        let left = Arc::new(Rounds(AtomicUsize::new(rounds)));
        let mut playing = JoinSet::new();
        for client in self.here.drain(..) {
            playing.spawn(client.play(Arc::clone(&left)));
        }
        while left.are_left() || !playing.is_empty() {
            tokio::select! {
                Some(played) = playing.join_next() => match played?? {
                    Played::ToTheEnd(client) => self.here.push(client),
                    Played::UntilAway(client, partition) => drop(self.away.spawn(client.be_away(partition))),
                },
                Some(back) = self.away.join_next() => drop(playing.spawn(back??.play(Arc::clone(&left)))),
            }
        }
        Ok(())
    }

    /// Everybody whose line is whole has what the server has.
    async fn meet(&mut self) -> Result<()> {
        let begun = Instant::now();
        let truths = Truths::begin(&self.mira, self.book).await?;
        try_join_all(self.here.iter_mut().map(|client| client.meet(&truths))).await?;
        self.found.equal = self.found.equal.max(begun.elapsed());
        self.found.meetings += 1;
        self.found.guests += self.here.len();
        Ok(())
    }

    /// Everything that anybody wrote is in the log once, and the log is what its hash says.
    async fn end(self) -> Result<Partitions> {
        let mut found = self.found;
        let truth = Truths::begin(&self.mira, self.book).await?.first();
        let log = self.mira.log(self.book).await?;
        found.entries = log.len();
        let texts = written(&log)?;
        let ids: BTreeSet<&str> = log.iter().map(|entry| entry.mutation()).collect();
        let lines = self.mira.lines(self.book).await?;
        let hash = lines.iter().fold(ChainHash::ZERO, |hash, line| hash.followed_by(line.as_bytes()));
        ensure!(hash == truth.hash && lines.len() as u64 == truth.seq.0, "the log is not what its hash says");
        for Client { name, program, went_through, .. } in self.here {
            match program {
                Program::Native(native) => {
                    let missing = native.written.iter().map(ToString::to_string).find(|id| !ids.contains(id.as_str()));
                    ensure!(missing.is_none(), "{name} wrote {missing:?}, which is not in the log");
                    found.kills += native.kills;
                    found.natives.add(native.written.len(), went_through);
                }
                Program::Page(page) => {
                    let missing = page.texts().find(|text| !texts.contains(text));
                    ensure!(missing.is_none(), "{missing:?} was typed in {name} and is not in the log");
                    found.browsers.add(page.typed, went_through);
                    page.close().await?;
                }
            }
        }
        Ok(found)
    }
}

async fn native(
    stage: &Stage,
    nth: usize,
    whose: &Account,
    book: BookId,
    common: ContactId,
    dice: Dice,
) -> Result<Client> {
    let name = format!("Client {nth}");
    let front = Front::start(&stage.server).await?;
    let native = Native::start(name.clone(), &front, whose, book, common).await?;
    Ok(Client::new(name, front, Program::Native(Box::new(native)), dice))
}

async fn browser(stage: &Stage, name: &'static str, whose: &Account, book: BookId, dice: Dice) -> Result<Client> {
    let front = Front::start(&stage.server).await?;
    let browser = stage.browser_behind(name, &front, whose, COMMON).await?;
    let name = format!("Browser of {name}");
    let page = Page::open(name.clone(), &browser, &front, whose, book).await?;
    Ok(Client::new(name, front, Program::Page(Box::new(page)), dice))
}
