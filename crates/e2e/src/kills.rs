//! Tabs that are killed in the middle of edits, with no server that could have helped: what they called saved is there
//! afterwards, and enters the log once.

use anyhow::{Result, ensure};

use crate::{Account, App, Dice, Expected, Says, Size, Stage, Typed, written};
use tidebook_book::BookId;

/// Kills between two visits to the server. What waits is read anew at each start: far more than a person leaves waiting.
const KILLS_OFFLINE: usize = 25;

/// Once in so many kills, the whole browser goes.
const TABS_PER_BROWSER: usize = 5;

/// Once in so many kills, what was typed was called saved before: chance alone may leave too little to lose.
const SAVED_BEFORE_EVERY: usize = 4;

/// Edits a burst.
const BURST: usize = 10;

/// What the kills came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kills {
    pub tabs: usize,
    pub browsers: usize,
    /// What was typed, all in all.
    pub typed: usize,
    /// What of it was on the device after the kills, and is in the log.
    pub kept: usize,
}

/// Kills so many times, a tab or the whole browser.
pub async fn kills(stage: &Stage, rounds: usize) -> Result<Kills> {
    let (mira, book) = stage.mira().await?;
    let app = stage.app_of("here", Size::Desktop, &mira).await?;
    app.wait_until_kept().await?;
    let mut run = Run { stage, mira, book, app, kills: Kills { tabs: 0, browsers: 0, typed: 0, kept: 0 } };
    let mut left = rounds;
    while left > 0 {
        let now = left.min(KILLS_OFFLINE);
        run.kill_offline(now).await?;
        left -= now;
    }
    Ok(run.kills)
}

struct Run<'a> {
    stage: &'a Stage,
    mira: Account,
    book: BookId,
    app: App,
    kills: Kills,
}

impl Run<'_> {
    /// So many kills while the server is away, and then what it has.
    async fn kill_offline(&mut self, rounds: usize) -> Result<()> {
        self.app.browser.expect(Expected::LostConnection);
        self.stage.server.stop().await?;
        let mut dice = Dice::new()?;
        let mut saved = 0;
        for round in 0..rounds {
            saved = self
                .kill(&mut dice, saved, round % SAVED_BEFORE_EVERY == 0)
                .await
                .map_err(|error| error.context(format!("round {round} with {}, {saved} saved before", dice.words())))?;
        }
        self.stage.server.start_again().await?;
        self.app.arrive().await?;
        // Browsers write cookies late: whether the session outlived a kill is chance.
        self.app.come_back(&self.mira).await?;
        let in_log = written(&self.mira.log(self.book).await?)?.len();
        ensure!(
            in_log == self.kills.kept + saved,
            "{saved} more were saved, {} before: {in_log} in the log",
            self.kills.kept
        );
        self.kills.kept = in_log;
        Ok(())
    }

    /// Kills a tab, or all of them, in the middle of a burst or right after it is saved. Returns how many changes are on
    /// the device then.
    async fn kill(&mut self, dice: &mut Dice, saved: usize, is_saved_before: bool) -> Result<usize> {
        // What is not killed has no hand in it.
        self.app.browser.goto("about:blank").await?;
        let mut tab = self.app.browser.tab(&self.stage.server.origin()).await?;
        tab.wait_for_book().await?;
        let burst: Vec<Typed> = (0..BURST).map(|_| self.next()).collect();
        if is_saved_before {
            tab.type_all(&burst).await?;
            tab.wait_until_saved().await?;
        } else if dice.once_in(2) {
            tab.type_all(&burst).await?;
        } else {
            tab.begin_to_type(&burst).await?;
        }
        // The page is asked between two of its steps, so a burst that goes on goes on.
        let called_saved = match tab.says().await? {
            Says::Saved(count) => count,
            Says::NotYet => 0,
            Says::Synced => anyhow::bail!("synced with whom?"),
        };
        if dice.once_in(TABS_PER_BROWSER) {
            self.app = self.stage.kill_and_open_again(&self.app).await?;
            self.app.browser.expect(Expected::LostConnection);
            self.kills.browsers += 1;
        } else {
            tab.crash().await?;
            tab.close().await?;
            self.kills.tabs += 1;
        }
        let mut tab = self.app.browser.tab(&self.stage.server.origin()).await?;
        tab.wait_for_book().await?;
        let Says::Saved(left) = tab.wait_until_saved().await? else { anyhow::bail!("synced with whom?") };
        tab.close().await?;
        ensure!(left >= called_saved, "{called_saved} were called saved, {left} are there");
        ensure!(left >= saved, "of {saved} from before {left} are there");
        Ok(left)
    }

    fn next(&mut self) -> Typed {
        self.kills.typed += 1;
        Typed { text: format!("Person {}", self.kills.typed), is_line: false }
    }
}
