//! `tidebook watch`: a book, live, over the whole screen.

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write as _, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{Event, EventStream, KeyCode, KeyModifiers};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{execute, queue};
use futures_util::StreamExt as _;
use tidebook_client::Happened;
use tidebook_ledger::{Contact, Touched};

use super::list::balance_cells;
use super::status::status_word;
use crate::arguments::Asked;
use crate::device::OpenBook;
use crate::say::{DIM, STRONG, Table, one_line, signed, styled};

/// How many lines of news are remembered.
const NEWS_MAX: usize = 8;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook watch\n\nKeys: q ends, up and down scroll.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    if !stdout().is_terminal() {
        bail!("this fills a terminal's screen; `tidebook feed` prints changes for programs");
    }
    let open = OpenBook::of(&arguments.asked).await?;
    let screen = Screen::enter()?;
    let ended = Watch { open, news: VecDeque::new(), top: 0 }.run().await;
    drop(screen);
    ended?;
    Ok(ExitCode::SUCCESS)
}

/// The whole screen, given back when this goes.
struct Screen;

impl Screen {
    fn enter() -> Result<Self> {
        enable_raw_mode()?;
        let screen = Self;
        execute!(stdout(), EnterAlternateScreen, Hide)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _left = execute!(stdout(), Show, LeaveAlternateScreen);
        let _cooked = disable_raw_mode();
    }
}

struct Watch {
    open: OpenBook,
    /// What came from elsewhere, the newest last.
    news: VecDeque<String>,
    /// The first row shown.
    top: usize,
}

impl Watch {
    async fn run(mut self) -> Result<()> {
        let mut keys = EventStream::new();
        loop {
            self.draw()?;
            tokio::select! {
                happened = self.open.device.driver.next_within(Duration::from_secs(60)) => self.hear(happened?),
                key = keys.next() => match key {
                    Some(Ok(Event::Key(key))) => match key.code {
                        KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
                        KeyCode::Down | KeyCode::Char('j') => self.top += 1,
                        KeyCode::Up | KeyCode::Char('k') => self.top = self.top.saturating_sub(1),
                        _ => {}
                    },
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error.into()),
                    None => return Ok(()),
                },
            }
        }
    }

    fn hear(&mut self, happened: Option<Happened>) {
        let Some(Happened::Changed { news, .. }) = happened else { return };
        for touched in news {
            let Touched::Contact(id) = touched else { continue };
            let Some(contact) = self.open.state().contact(id) else { continue };
            self.news.push_back(format!("{} changed", one_line(&contact.name)));
        }
        self.news.drain(..self.news.len().saturating_sub(NEWS_MAX));
    }

    fn draw(&mut self) -> Result<()> {
        let (width, height) = size()?;
        let (width, height) = (usize::from(width), usize::from(height));
        let head = self.head()?;
        let rows = self.rows();
        let room = height.saturating_sub(head.len() + self.news.len() + 2);
        self.top = self.top.min(rows.len().saturating_sub(room));
        let shown = rows.iter().skip(self.top).take(room);
        let below = rows.len().saturating_sub(self.top + room);
        let foot = styled(DIM, if below > 0 { format!("… {below} more; q ends") } else { "q ends".into() });
        let news = self.news.iter().map(|line| styled(DIM, line));
        let lines = head.into_iter().chain(shown.cloned()).chain([String::new()]).chain(news).chain([foot]);
        let mut out = stdout().lock();
        queue!(out, MoveTo(0, 0))?;
        for (place, line) in lines.take(height).enumerate() {
            let row = u16::try_from(place).unwrap_or(u16::MAX);
            queue!(out, MoveTo(0, row), Clear(ClearType::CurrentLine))?;
            out.write_all(cut(&line, width).as_bytes())?;
        }
        queue!(out, Clear(ClearType::FromCursorDown))?;
        Ok(out.flush()?)
    }

    fn head(&mut self) -> Result<Vec<String>> {
        let name = self.open.name()?;
        let copy = self.open.copy();
        let status = status_word(copy, self.open.device.driver.replica().sync_status(self.open.id));
        let totals: Vec<String> =
            self.open.state().totals().iter().map(|(currency, sum)| signed(*sum, *currency)).collect();
        let mut peers: Vec<String> = copy.peers().iter().map(|peer| self.open.person(peer.user)).collect();
        peers.sort_unstable();
        peers.dedup();
        let here = if peers.is_empty() { String::new() } else { format!("here: {}", peers.join(", ")) };
        let totals = if totals.is_empty() { "all even".into() } else { format!("together {}", totals.join(", ")) };
        Ok(vec![format!("{}  {status}  {here}", styled(STRONG, name)), totals, String::new()])
    }

    fn rows(&self) -> Vec<String> {
        let state = self.open.state();
        let mut contacts: Vec<&Contact> = state.contacts().filter(|contact| !contact.deleted).collect();
        contacts.sort_by_cached_key(|contact| (contact.name.to_lowercase(), contact.id));
        let mut table = Table::default();
        for contact in contacts {
            let balances = state.balances_of(contact.id);
            balances.iter().for_each(|(currency, sum)| table.row(balance_cells(&contact.name, *currency, *sum)));
        }
        table.lines()
    }
}

/// As much of a line as there is room for. Where it is too long, it goes without its colours.
fn cut(line: &str, width: usize) -> String {
    use unicode_width::UnicodeWidthChar as _;
    let plain = anstream::adapter::strip_str(line).to_string();
    let mut taken = 0;
    let fits = plain.chars().take_while(|c| {
        taken += c.width().unwrap_or(0);
        taken <= width
    });
    let fitting: String = fits.collect();
    let no_colours = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if fitting.len() < plain.len() || no_colours { fitting } else { line.to_owned() }
}
