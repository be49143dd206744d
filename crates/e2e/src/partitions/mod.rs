//! Native clients and a browser whose lines part and heal at random, each by itself, while all of them write. Every so many
//! rounds all lines are whole, and then everybody has the same: nobody is stuck, and nobody diverged.

mod native;
mod page;
mod partition;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use tidebook_book::{BookId, ChainHash, Seq, Snapshot};
use tidebook_client::Api;
use tidebook_ledger::{ContactId, Ledger};

use crate::{Account, Dice, Front, Stage, person, written};

use native::Native;
use page::Page;

/// Native clients; the browser comes to them.
const NATIVES: usize = 10;

/// Rounds between two times that everybody has to have the same. A partition of one client that is healed is a round.
const ROUNDS_BEFORE_MEETING: usize = 200;

/// What I10 allows once lines are whole: 5 s, and the longest wait before an attempt to connect.
const CURRENT_WITHIN: Duration = Duration::from_secs(5 + 15);

/// How much longer it may take where a line died without being closed: so long nobody wonders about an answer.
const DEAD_LINE_NOTICED_WITHIN: Duration = Duration::from_secs(15);

/// What it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions {
    pub rounds: usize,
    pub natives: usize,
    pub by_natives: usize,
    pub by_browser: usize,
    pub entries: usize,
    pub meetings: usize,
    /// How long anyone took to be current: after lines were closed or went on, and after they died in silence.
    pub longest: [Duration; 2],
}

/// Where a book is, and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Truth {
    seq: Seq,
    hash: ChainHash,
    state_hash: ChainHash,
}

/// Rounds that are left until the next meeting.
#[derive(Debug)]
struct Rounds(AtomicUsize);

impl Rounds {
    fn take(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}

/// Parts and heals so many times.
pub async fn partitions(stage: &Stage, rounds: usize) -> Result<Partitions> {
    let mut dice = Dice::new()?;
    let words = dice.words();
    let mut run = Run::begin(stage, &mut dice).await?;
    while run.found.rounds < rounds {
        let next = ROUNDS_BEFORE_MEETING.min(rounds - run.found.rounds);
        run.part_and_meet(next).await.with_context(|| format!("after {} rounds, {words}", run.found.rounds))?;
    }
    run.end().await.with_context(|| format!("at the end, {words}"))
}

struct Run {
    mira: Account,
    book: BookId,
    natives: Vec<Native>,
    page: Page,
    found: Partitions,
}

impl Run {
    async fn begin(stage: &Stage, dice: &mut Dice) -> Result<Self> {
        let (mira, book) = stage.mira().await?;
        let ben = Account::make(&stage.server, "Ben").await?;
        mira.let_in(book, &ben, "editor").await?;
        let (ana, op) = person("Ana Kovač");
        stage.writer(&mira, book).await?.write(vec![op]).await?;
        let mut natives = Vec::new();
        for nth in 0..NATIVES {
            let whose = if nth % 2 == 0 { &mira } else { &ben };
            natives.push(native(stage, nth, whose, book, ana, dice).await?);
        }
        let front = Front::start(&stage.server).await?;
        let browser = stage.browser_behind(&front, &mira, "Ana Kovač").await?;
        let mut tab = browser.tab(&front.origin()).await?;
        tab.wait_for_book().await?;
        let page = Page::new(front, tab, mira.clone(), book, dice.another());
        let found = Partitions {
            rounds: 0,
            natives: NATIVES,
            by_natives: 0,
            by_browser: 0,
            entries: 0,
            meetings: 0,
            longest: [Duration::ZERO; 2],
        };
        Ok(Self { mira, book, natives, page, found })
    }

    /// So many rounds, whoever plays them; and then nobody writes, all lines are whole, and everybody has the same.
    async fn part_and_meet(&mut self, rounds: usize) -> Result<()> {
        let left = Rounds(AtomicUsize::new(rounds));
        let natives = try_join_all(self.natives.iter_mut().map(|native| native.play(&left)));
        tokio::try_join!(natives, self.page.play(&left))?;
        self.found.rounds += rounds;
        let natives = try_join_all(self.natives.iter_mut().map(Native::catch_up));
        tokio::try_join!(natives, self.page.catch_up())?;
        let truth = self.truth().await?;
        let natives = try_join_all(self.natives.iter_mut().map(|native| native.meet(&truth)));
        tokio::try_join!(natives, self.page.meet(&truth))?;
        self.found.meetings += 1;
        Ok(())
    }

    /// As the server has it.
    async fn truth(&self) -> Result<Truth> {
        let api = Api::new(self.mira.server(), Some(self.mira.token.clone()))?;
        let Snapshot { seq, hash, state_hash, .. } =
            serde_json::from_str::<Snapshot<Ledger>>(&api.snapshot(self.book).await?)?;
        Ok(Truth { seq, hash, state_hash })
    }

    /// Everything that anybody wrote is in the log once, and the log is what its hash says.
    async fn end(self) -> Result<Partitions> {
        let truth = self.truth().await?;
        let log = self.mira.log(self.book).await?;
        let texts = written(&log)?;
        let ids: BTreeSet<&str> = log.iter().map(|entry| entry.mutation()).collect();
        for native in &self.natives {
            let missing = native.written.iter().map(ToString::to_string).find(|id| !ids.contains(id.as_str()));
            ensure!(missing.is_none(), "{} wrote {missing:?}, which is not in the log", native.name);
        }
        let missing = self.page.texts().find(|text| !texts.contains(text));
        ensure!(missing.is_none(), "{missing:?} was typed and is not in the log");
        let lines = self.mira.lines(self.book).await?;
        let hash = lines.iter().fold(ChainHash::ZERO, |hash, line| hash.followed_by(line.as_bytes()));
        ensure!(hash == truth.hash && lines.len() as u64 == truth.seq.0, "the log is not what its hash says");
        let mut found = Partitions { entries: log.len(), by_browser: self.page.typed, ..self.found };
        for native in &self.natives {
            found.by_natives += native.written.len();
            found.longest = [0, 1].map(|kind| found.longest[kind].max(native.longest[kind]));
        }
        self.page.close().await?;
        Ok(found)
    }
}

async fn native(
    stage: &Stage,
    nth: usize,
    whose: &Account,
    book: BookId,
    common: ContactId,
    dice: &mut Dice,
) -> Result<Native> {
    let front = Front::start(&stage.server).await?;
    Native::open(format!("Client {nth},"), front, whose, book, common, dice.another()).await
}
