//! A client whose line parts and heals while it writes, whatever kind of program it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tidebook_book::Seq;
use tokio::time::sleep;

use super::native::Native;
use super::page::Page;
use super::partition::{BACK_WITHIN, Partition};
use super::{Rounds, Truth, Truths};
use crate::{Dice, Front};

/// Mutations a partition.
const WRITES_MAX: usize = 2;

/// How long after a partition a client goes on before the next, where it does not wait until it is current.
const CALM_MS_MAX: usize = 600;

/// Looks at a client and at the server until they are seen at the same entry, while those who are away write.
const LOOKS_MAX: usize = 50;

/// What runs on the device.
#[derive(Debug)]
pub(super) enum Program {
    Native(Box<Native>),
    Page(Box<Page>),
}

/// What a client went through.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WentThrough {
    /// Partitions after which its lines were dead without a word.
    pub(super) silent: usize,
    /// Partitions that outlasted what client and server wait for.
    pub(super) long: usize,
    pub(super) longest: Duration,
    /// How long it took at most to be current afterwards: where lines were told of their end, and where not.
    pub(super) back: [Duration; 2],
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: String,
    front: Front,
    pub(super) program: Program,
    dice: Dice,
    /// The last one, and since when it is healed without the client being known to be current.
    last: Option<(Partition, Option<Instant>)>,
    pub(super) went_through: WentThrough,
}

/// How far a client came.
pub(super) enum Played {
    /// There are no rounds left, and it is current.
    ToTheEnd(Client),
    /// It begins a round that others do not wait for.
    UntilAway(Client, Partition),
}

impl Client {
    pub(super) fn new(name: String, front: Front, program: Program, dice: Dice) -> Self {
        Self { name, front, program, dice, last: None, went_through: WentThrough::default() }
    }

    /// Parts, writes and heals for as long as there are rounds left.
    pub(super) async fn play(mut self, rounds: Arc<Rounds>) -> Result<Played> {
        while rounds.take() {
            let partition = Partition::throw(&mut self.dice);
            if partition.keeps_away() {
                return Ok(Played::UntilAway(self, partition));
            }
            self.round(partition).await?;
        }
        self.catch_up().await?;
        Ok(Played::ToTheEnd(self))
    }

    /// A round that takes long.
    pub(super) async fn be_away(mut self, partition: Partition) -> Result<Self> {
        self.round(partition).await?;
        self.catch_up().await?;
        Ok(self)
    }

    async fn round(&mut self, partition: Partition) -> Result<()> {
        self.last = Some((partition, None));
        partition.begin(&self.front);
        let writes = 1 + self.dice.below(WRITES_MAX);
        for _ in 0..writes {
            self.write().await.with_context(|| format!("{} in {partition:?}", self.name))?;
            // How long it lasts is what is random here.
            sleep(partition.lasts / u32::try_from(writes)?).await;
        }
        partition.heal(&self.front);
        self.last = Some((partition, Some(Instant::now())));
        let went = &mut self.went_through;
        went.silent += usize::from(partition.is_silent_loss());
        went.long += usize::from(partition.is_long());
        went.longest = went.longest.max(partition.lasts);
        if self.dice.once_in(2) {
            return self.catch_up().await;
        }
        sleep(Duration::from_millis(self.dice.below(CALM_MS_MAX) as u64)).await;
        Ok(())
    }

    async fn write(&mut self) -> Result<()> {
        match &mut self.program {
            Program::Native(native) => native.write(&mut self.dice).await,
            Program::Page(page) => page.write(&mut self.dice).await,
        }
    }

    /// Waits until everything written here is in the log, and the log is here as far as this client knows: nobody helps it.
    async fn catch_up(&mut self) -> Result<()> {
        let Some((partition, Some(healed))) = self.last else { return Ok(()) };
        let left = partition.back_within().saturating_sub(healed.elapsed());
        let catching_up = match &mut self.program {
            Program::Native(native) => native.catch_up(left).await,
            Program::Page(page) => page.catch_up(left).await,
        };
        let took = healed.elapsed();
        catching_up.with_context(|| format!("{} is not back {took:?} after {partition:?}", self.name))?;
        let longest = &mut self.went_through.back[usize::from(partition.is_silent_loss())];
        *longest = took.max(*longest);
        self.last = Some((partition, None));
        Ok(())
    }

    /// Waits until the log is here up to where the server has it, and compares.
    pub(super) async fn meet(&mut self, truths: &Truths) -> Result<()> {
        let mut truth = truths.first();
        for _ in 0..LOOKS_MAX {
            let here = self.reached(truth.seq).await;
            let here = here.with_context(|| format!("{} after {:?}", self.name, self.last))?;
            // Whoever is away may have written more meanwhile: then the server is looked at again.
            match truths.at(here.seq) {
                Some(truth) => {
                    ensure!(here == truth, "diverged: {} has {here:?}, the server {truth:?}", self.name);
                    return Ok(());
                }
                None => truth = truths.look().await?,
            }
        }
        bail!("{} was never seen where the server was, in {LOOKS_MAX} looks", self.name)
    }

    async fn reached(&mut self, seq: Seq) -> Result<Truth> {
        match &mut self.program {
            Program::Native(native) => native.reached(seq, BACK_WITHIN).await,
            Program::Page(page) => page.reached(seq, BACK_WITHIN).await,
        }
    }
}
