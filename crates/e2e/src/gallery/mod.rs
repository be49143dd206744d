//! Every screen of the app in every state, on a phone and a desktop, light and dark: which there are, and the walk there.

mod table;
pub use table::{Part, Screen, State, document};

mod before;
mod book;
mod large;
mod trouble;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{App, Size, Stage, Theme, places};

/// One screen as it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub screen: Screen,
    pub state: State,
    /// Where a cell has more than one picture, what this one is of.
    pub variant: &'static str,
    pub size: Size,
    pub theme: Theme,
}

impl Look {
    /// For a picture of it.
    #[must_use]
    pub fn file_name(&self) -> String {
        let cell = [self.screen.word(), self.state.word(), self.variant, self.size.word(), self.theme.word()];
        let cell: Vec<String> =
            cell.iter().filter(|word| !word.is_empty()).map(|word| word.replace(' ', "-")).collect();
        format!("{}.png", cell.join("-"))
    }
}

/// Goes to each cell of a part, and stops there in each of its looks. Fails where a cell of the table was left out.
pub async fn walk(stage: &Stage, part: Part, stop: impl AsyncFn(&App, Look) -> Result<()>) -> Result<()> {
    let mut walk = Walk { stop: &stop, seen: BTreeSet::new() };
    match part {
        Part::Before => before::walk(stage, &mut walk).await?,
        Part::Book => book::walk(stage, &mut walk).await?,
        Part::Trouble => trouble::walk(stage, &mut walk).await?,
        Part::Large => large::walk(stage, &mut walk).await?,
    }
    let wanted = table::cells_of(part);
    ensure!(walk.seen == wanted, "the walk went past {:?}, the table has {wanted:?}", walk.seen);
    Ok(())
}

/// Where pictures are left that were made in passing.
pub fn folder() -> Result<PathBuf> {
    places::shots()
}

/// What is done at each look.
trait Stop: AsyncFn(&App, Look) -> Result<()> {}

impl<S: AsyncFn(&App, Look) -> Result<()>> Stop for S {}

struct Walk<'a, S> {
    stop: &'a S,
    seen: BTreeSet<(Screen, State)>,
}

impl<S: Stop> Walk<'_, S> {
    async fn look(&mut self, app: &App, screen: Screen, state: State) -> Result<()> {
        self.look_at(app, screen, state, "").await
    }

    async fn look_at(&mut self, app: &App, screen: Screen, state: State, variant: &'static str) -> Result<()> {
        self.look_after(app, screen, state, variant, async |_| Ok(())).await
    }

    /// The same once something was done in each size of the window. A phone's comes first, so that the page is as wide
    /// as a desktop again afterwards.
    async fn look_after(
        &mut self,
        app: &App,
        screen: Screen,
        state: State,
        variant: &'static str,
        act: impl AsyncFn(&App) -> Result<()>,
    ) -> Result<()> {
        self.seen.insert((screen, state));
        for size in Size::ALL {
            app.browser.resize(size).await?;
            act(app).await?;
            for theme in Theme::ALL {
                app.browser.show_still(theme).await?;
                settle(app).await?;
                (self.stop)(app, Look { screen, state, variant, size, theme }).await?;
            }
        }
        Ok(())
    }
}

/// Until nothing moves any more and a flash of rows has gone.
async fn settle(app: &App) -> Result<()> {
    let is_still = "
        const moving = document.getAnimations().some(it => it.playState === 'running');
        return !moving && !document.querySelector('.row-flash')";
    app.browser.wait_for("the page to stand still", is_still, json!(null)).await?;
    let two_frames = "requestAnimationFrame(() => requestAnimationFrame(() => done(true)))";
    app.browser.run_until_done(two_frames, Value::Null).await.map(drop)
}

async fn close_sheet(app: &App) -> Result<()> {
    app.browser.click("#sheet [aria-label=Close]").await?;
    app.browser.wait_until_gone("#sheet[open]").await
}

/// Puts an element in the middle of the window, where it is not in view by itself.
async fn bring_into_view(app: &App, selector: &str) -> Result<()> {
    let scroll = "document.querySelector(args).scrollIntoView({ block: 'center' })";
    app.browser.wait_to_see(selector).await?;
    app.browser.run(scroll, json!(selector)).await.map(drop)
}

/// Goes to a place of the navigation.
async fn go(app: &App, path: &str, title: &str) -> Result<()> {
    app.browser.click(&format!(".nav a[href='{path}']")).await?;
    app.browser.wait_to_read("main h1", title).await
}
