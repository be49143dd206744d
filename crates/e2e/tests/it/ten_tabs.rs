//! Ten tabs of one browser that are opened, frozen, reloaded and killed at random, while they are typed into and the line
//! to the server comes and goes: what any of them called saved is in the book at the end, once.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;
use serde_json::Value;
use tidebook_book::BookId;
use tidebook_e2e::{Account, Alone, Browser, Dice, Front, Says, Stage, Tab, Traffic, Typed, journey, person, written};

const TABS: usize = 10;
const ROUNDS: usize = 15;
/// How many tabs something happens to at the same time.
const AT_ONCE: usize = 4;
/// Whoever waits for the store longer than this is held up by a page that stands still.
const HELD_UP_MS: u32 = 2_000;
/// With fewer called saved, the walk says little; how many there are is chance, about 100 of 200 on a busy machine.
const SAVED_MIN: usize = 20;
/// Edits a burst, at most.
const BURST_MAX: usize = 5;

#[test]
fn ten_tabs_opened_and_killed_at_random() {
    journey("ten_tabs_opened_and_killed_at_random", Alone::No, async |stage| {
        let mut dice = Dice::new()?;
        let words = dice.words();
        run(stage, &mut dice).await.with_context(|| format!("once more with {words}"))
    });
}

async fn run(stage: &Stage, dice: &mut Dice) -> Result<()> {
    let (mira, book) = stage.mira().await?;
    stage.writer(&mira, book).await?.write(vec![person("Ana Kovač").1]).await?;
    let front = Front::start(&stage.server).await?;
    let browser = stage.browser_behind("here", &front, &mira, "Ana Kovač").await?;
    // What is not among the ten has no hand in it, but one of them looks whether the store is free.
    let mut probe = browser.tab(&format!("{}/sw.js", front.origin())).await?;

    let mut places: Vec<Place> = (0..TABS).map(Place::new).collect();
    for _ in 0..ROUNDS {
        if dice.once_in(4) {
            front.set(if front.traffic() == Traffic::Cut { Traffic::Flows } else { Traffic::Cut });
        }
        round(dice, &mut places, &mut probe, &browser, &front).await?;
    }
    front.set(Traffic::Flows);
    thaw(&mut places.iter_mut().collect::<Vec<_>>()).await?;
    for place in &mut places {
        place.end(&browser, &front).await?;
    }
    judge(&mira, book, &places).await
}

/// Something happens to some of the tabs at the same time, and then some are frozen, one by one.
async fn round(dice: &mut Dice, places: &mut [Place], probe: &mut Tab, browser: &Browser, front: &Front) -> Result<()> {
    let (acting, mut still): (Vec<_>, Vec<_>) = places.iter_mut().partition(|_| dice.once_in(TABS / AT_ONCE));
    let acts: Vec<_> = acting.into_iter().map(|place| place.next(dice)).collect();
    let (freezes, acts): (Vec<_>, Vec<_>) = acts.into_iter().partition(|(_, act)| matches!(act, Act::Freeze(_)));
    let acts = acts.into_iter().map(|(place, act)| place.suffer(act, browser, front));
    tokio::select! {
        done = try_join_all(acts) => drop(done?),
        watched = thaw_who_holds_others_up(&mut still, probe) => watched?,
    }
    for (place, act) in freezes {
        place.suffer(act, browser, front).await?;
        if !store_is_free(probe).await? {
            thaw(&mut [place]).await?;
        }
    }
    Ok(())
}

/// Chromium itself thaws a page that holds a store which others wait for.
async fn thaw_who_holds_others_up(still: &mut [&mut Place], probe: &mut Tab) -> Result<()> {
    loop {
        if !store_is_free(probe).await? {
            thaw(still).await?;
        }
    }
}

async fn thaw(places: &mut [&mut Place]) -> Result<()> {
    for place in places {
        if let Life::Frozen(_) = &place.life
            && let Life::Frozen(mut tab) = std::mem::replace(&mut place.life, Life::Closed)
        {
            let thawed = tab.thaw().await;
            if tab.is_crashed() {
                place.here.clear();
                tab.close().await?;
                continue;
            }
            thawed?;
            place.life = Life::Open(tab);
        }
    }
    Ok(())
}

/// What the book has, against what was typed and what was called saved.
async fn judge(mira: &Account, book: BookId, places: &[Place]) -> Result<()> {
    let mut in_book = written(&mira.log(book).await?)?;
    in_book.remove("Ana Kovač");
    let all = |of: fn(&Place) -> &BTreeSet<String>| places.iter().flat_map(of).cloned().collect::<BTreeSet<_>>();
    let (typed, saved) = (all(|place| &place.typed), all(|place| &place.saved));
    let lost: Vec<_> = saved.difference(&in_book).collect();
    ensure!(lost.is_empty(), "called saved, and lost: {lost:?}");
    let strange: Vec<_> = in_book.difference(&typed).collect();
    ensure!(strange.is_empty(), "typed by nobody: {strange:?}");
    ensure!(saved.len() >= SAVED_MIN, "of {} only {} were called saved: little was proved", typed.len(), saved.len());
    Ok(())
}

/// Where one of the ten tabs is, or was.
struct Place {
    number: usize,
    life: Life,
    /// What was typed into the page that is there now, all of which it has taken in.
    here: Vec<String>,
    typed: BTreeSet<String>,
    saved: BTreeSet<String>,
}

enum Life {
    Closed,
    Open(Tab),
    Frozen(Tab),
}

#[derive(Debug, Clone)]
enum Act {
    Open,
    Type(Vec<Typed>),
    Thaw,
    Freeze(Vec<Typed>),
    Reload(Vec<Typed>),
    Crash(Vec<Typed>),
    Close(Vec<Typed>),
}

impl Place {
    fn new(number: usize) -> Self {
        Self { number, life: Life::Closed, here: Vec::new(), typed: BTreeSet::new(), saved: BTreeSet::new() }
    }

    /// What happens here next. What ends a page, or holds it, comes in the middle of a burst.
    fn next(&mut self, dice: &mut Dice) -> (&mut Self, Act) {
        let act = match &self.life {
            Life::Closed => Act::Open,
            Life::Frozen(_) if dice.once_in(3) => Act::Crash(Vec::new()),
            Life::Frozen(_) => Act::Thaw,
            Life::Open(_) => {
                let burst = self.burst(dice);
                match dice.below(10) {
                    0 => Act::Freeze(burst),
                    1 => Act::Reload(burst),
                    2 => Act::Crash(burst),
                    3 => Act::Close(burst),
                    _ => Act::Type(burst),
                }
            }
        };
        (self, act)
    }

    fn burst(&mut self, dice: &mut Dice) -> Vec<Typed> {
        let count = 1 + dice.below(BURST_MAX);
        let burst = (0..count).map(|_| {
            let text = format!("{}.{}", self.number, self.typed.len());
            self.typed.insert(text.clone());
            Typed { text, is_line: dice.once_in(2) }
        });
        burst.collect()
    }

    async fn suffer(&mut self, act: Act, browser: &Browser, front: &Front) -> Result<()> {
        let told = format!("tab {} while the line is {:?}: {act:?}", self.number, front.traffic());
        let life = std::mem::replace(&mut self.life, Life::Closed);
        self.life = match self.undergo(life, act, browser, front).await {
            Ok(life) => life,
            Err(error) => return Err(error.context(told)),
        };
        Ok(())
    }

    async fn undergo(&mut self, life: Life, act: Act, browser: &Browser, front: &Front) -> Result<Life> {
        let mut tab = match (life, &act) {
            (Life::Closed, Act::Open) => {
                let mut tab = browser.tab(&front.origin()).await?;
                tab.wait_for_book().await?;
                return Ok(Life::Open(tab));
            }
            (Life::Open(tab) | Life::Frozen(tab), _) => tab,
            (Life::Closed, act) => bail!("nothing to {act:?}"),
        };
        let outcome = self.go_through(&mut tab, act).await;
        if tab.is_crashed() {
            // By itself, or with another whose process it shared.
            self.here.clear();
            tab.close().await?;
            return Ok(Life::Closed);
        }
        match outcome? {
            After::Open => Ok(Life::Open(tab)),
            After::Frozen => Ok(Life::Frozen(tab)),
            After::Closed => tab.close().await.map(|()| Life::Closed),
        }
    }

    async fn go_through(&mut self, tab: &mut Tab, act: Act) -> Result<After> {
        if !matches!(act, Act::Thaw | Act::Crash(_)) {
            self.note(tab).await?;
        }
        match act {
            Act::Open => bail!("it is open"),
            Act::Thaw => {
                tab.thaw().await?;
                Ok(After::Open)
            }
            Act::Type(burst) => {
                tab.type_all(&burst).await?;
                self.here.extend(burst.into_iter().map(|it| it.text));
                self.note(tab).await?;
                Ok(After::Open)
            }
            Act::Freeze(burst) => {
                tab.type_all(&burst).await?;
                tab.freeze().await?;
                Ok(After::Frozen)
            }
            Act::Reload(burst) => {
                tab.begin_to_type(&burst).await?;
                tab.reload().await?;
                self.here.clear();
                tab.wait_for_book().await?;
                Ok(After::Open)
            }
            Act::Crash(burst) => {
                tab.begin_to_type(&burst).await?;
                tab.crash().await?;
                Ok(After::Closed)
            }
            Act::Close(burst) => {
                tab.begin_to_type(&burst).await?;
                self.here.clear();
                Ok(After::Closed)
            }
        }
    }

    /// What the tab claims now, which it will be held to.
    async fn note(&mut self, tab: &mut Tab) -> Result<()> {
        if tab.says().await? != Says::NotYet {
            self.saved.extend(self.here.iter().cloned());
        }
        Ok(())
    }

    /// Brings the tab back to life and waits until it is synced, with all that was typed into it.
    async fn end(&mut self, browser: &Browser, front: &Front) -> Result<()> {
        match &self.life {
            Life::Closed => self.suffer(Act::Open, browser, front).await?,
            Life::Open(_) | Life::Frozen(_) => {}
        }
        let Life::Open(tab) = &mut self.life else { bail!("tab {} died after all", self.number) };
        tab.wait_until_synced().await.with_context(|| format!("tab {}", self.number))?;
        self.saved.extend(self.here.iter().cloned());
        Ok(())
    }
}

/// Whether others can write, looked at after a while in which they had time to.
async fn store_is_free(probe: &mut Tab) -> Result<bool> {
    let look = "
        const opened = name => new Promise((take, fail) => {
            const opening = indexedDB.open(name);
            opening.onsuccess = () => take(opening.result);
            opening.onerror = fail;
        });
        const written = database => new Promise((take, fail) => {
            const transaction = database.transaction([...database.objectStoreNames], 'readwrite');
            transaction.oncomplete = take;
            transaction.onabort = fail;
        });
        const all = async () => {
            for (const { name } of await indexedDB.databases()) {
                const database = await opened(name);
                await written(database);
                database.close();
            }
            return true;
        };
        const after = (ms, value) => new Promise(take => setTimeout(() => take(value), ms));
        return after(args / 4).then(() => Promise.race([all(), after(args, false)]));";
    Ok(probe.run(look, &Value::from(HELD_UP_MS)).await? == true)
}

enum After {
    Open,
    Frozen,
    Closed,
}
