//! A browser, a terminal and a script that write in one book while the line is cut at random: they end equal, and
//! everything that was written is in the log once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tidebook_book::{BookId, ChainHash};
use uuid::Uuid;

use crate::cli::Terminal;
use crate::{Account, Dice, Front, Stage, Tab, Traffic, Typed, person, written};

/// Edits a browser is given at a time.
const BURST: usize = 3;

/// What a script's request may take, so that one on a cut line is tried again.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long after the others the browser may have all of it.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// What the browser keeps of the log.
const KEPT_ENTRIES: &str = "
    const name = (await indexedDB.databases()).map(it => it.name).find(it => it.startsWith('tidebook-'));
    const done = request => new Promise((go, fail) => {
        request.onsuccess = () => go(request.result);
        request.onerror = () => fail(request.error);
    });
    const database = await done(indexedDB.open(name));
    const rows = ['entries', 'outbox'];
    const transaction = database.transaction(rows);
    const [entries, outbox] = await Promise.all(rows.map(it => done(transaction.objectStore(it).getAll())));
    database.close();
    return { entries, outbox };";

/// What it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreeClients {
    pub by_browser: usize,
    pub by_terminal: usize,
    pub by_script: usize,
    pub cuts: usize,
    pub entries: usize,
}

/// Writes and cuts for so many rounds, and for as long as `until` says.
pub async fn three_clients(stage: &Stage, rounds_min: usize, until: Instant) -> Result<ThreeClients> {
    let mut dice = Dice::new()?;
    let words = dice.words();
    let mut run = Run::begin(stage).await?;
    let mut rounds = 0;
    while rounds < rounds_min || Instant::now() < until {
        run.round(&mut dice).await.with_context(|| format!("round {rounds}, once more with {words}"))?;
        rounds += 1;
    }
    run.end().await.with_context(|| format!("at the end, once more with {words}"))
}

struct Run {
    front: Front,
    mira: Account,
    book: BookId,
    tab: Tab,
    terminal: Terminal,
    /// What the script wrote and has no answer to: the key and the name.
    unanswered: Vec<(Uuid, String)>,
    found: ThreeClients,
}

impl Run {
    async fn begin(stage: &Stage) -> Result<Self> {
        let (mira, book) = stage.mira().await?;
        stage.writer(&mira, book).await?.write(vec![person("Ana Kovač").1]).await?;
        let front = Front::start(&stage.server).await?;
        let browser = stage.browser_behind("here", &front, &mira, "Ana Kovač").await?;
        let mut tab = browser.tab(&front.origin()).await?;
        tab.wait_for_book().await?;
        let terminal = Terminal::new(&front.origin(), &mira, book)?;
        terminal.must(&["list"]).await?;
        let found = ThreeClients { by_browser: 0, by_terminal: 0, by_script: 0, cuts: 0, entries: 0 };
        Ok(Self { front, mira, book, tab, terminal, unanswered: Vec::new(), found })
    }

    /// All three write something at the same time, while the line may be cut in the middle of it.
    async fn round(&mut self, dice: &mut Dice) -> Result<()> {
        let burst: Vec<Typed> = (0..1 + dice.below(BURST))
            .map(|place| Typed { text: format!("Browser {}", self.found.by_browser + place), is_line: dice.once_in(2) })
            .collect();
        self.found.by_browser += burst.len();
        let name = format!("Terminal {}", self.found.by_terminal);
        self.found.by_terminal += 1;
        self.unanswered.push((Uuid::now_v7(), format!("Script {}", self.found.by_script)));
        self.found.by_script += 1;
        let cuts = dice.once_in(3);
        self.found.cuts += usize::from(cuts);
        let after = Duration::from_millis(dice.below(60) as u64);
        let command: &[&str] = match dice.below(3) {
            0 => &["contact", "add", &name],
            1 => &["add", "Ana", "1", "--gave", "--note", &name],
            _ => &["add", "Ana", "2", "--got", "--offline", "--note", &name],
        };
        let cutting = async {
            if cuts {
                // The moment is what is random here.
                tokio::time::sleep(after).await;
                self.front.set(Traffic::Cut);
            }
            Ok(())
        };
        let scripting = post_all(&self.mira, &self.front, self.book, std::mem::take(&mut self.unanswered));
        let (_, said, unanswered, ()) =
            tokio::try_join!(self.tab.type_all(&burst), self.terminal.must(command), scripting, cutting)?;
        self.unanswered = unanswered;
        ensure!(said["saved"] == true, "the terminal says {said}");
        if dice.once_in(2) {
            self.front.set(Traffic::Flows);
        }
        Ok(())
    }

    async fn end(mut self) -> Result<ThreeClients> {
        self.front.set(Traffic::Flows);
        let unanswered = std::mem::take(&mut self.unanswered);
        let left = post_all(&self.mira, &self.front, self.book, unanswered).await?;
        ensure!(left.is_empty(), "the script has no answer to {left:?}");
        self.tab.wait_until_synced().await?;
        self.terminal.must(&["sync"]).await?;
        let status = self.terminal.must(&["status"]).await?;
        let head = self.mira.head(self.book).await?;
        let hash = self.mira.hash_at(self.book, head).await?;

        let log = self.mira.log(self.book).await?;
        let texts = written(&log)?;
        let all = |kind: &str, many: usize| -> BTreeSet<String> { (0..many).map(|n| format!("{kind} {n}")).collect() };
        let found = ThreeClients { entries: log.len(), ..self.found };
        for (kind, many) in
            [("Browser", found.by_browser), ("Terminal", found.by_terminal), ("Script", found.by_script)]
        {
            let missing: Vec<String> = all(kind, many).difference(&texts).cloned().collect();
            ensure!(missing.is_empty(), "not in the log: {missing:?}");
        }
        let status = &status[0];
        ensure!(
            status["seq"] == head && status["hash"] == hash.as_str(),
            "the terminal ends at {status}, not {head} {hash}"
        );
        let lines = self.mira.lines(self.book).await?;
        ensure!(chain_of(&lines) == hash, "the log is not what its hash says");
        self.browser_ends_with(&lines).await?;
        self.tab.close().await?;
        Ok(found)
    }

    /// What the browser keeps is the end of the log, byte for byte, and nothing else waits there.
    async fn browser_ends_with(&mut self, lines: &[String]) -> Result<()> {
        let deadline = Instant::now() + ENDS_WITHIN;
        loop {
            let kept = self.tab.run(KEPT_ENTRIES, &Value::Null).await?;
            let texts = |rows: &str| -> Vec<String> {
                let rows = kept[rows].as_array().into_iter().flatten();
                rows.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            let (entries, outbox) = (texts("entries"), texts("outbox"));
            if outbox.is_empty() && !entries.is_empty() && lines.ends_with(&entries) {
                return Ok(());
            }
            let (has, all, waits) = (entries.len(), lines.len(), outbox.len());
            ensure!(Instant::now() < deadline, "the browser has {has} of {all} entries or others, {waits} wait");
        }
    }
}

/// Posts whatever has no answer yet, under its own key each, and returns what still has none.
async fn post_all(
    mira: &Account,
    front: &Front,
    book: BookId,
    unanswered: Vec<(Uuid, String)>,
) -> Result<Vec<(Uuid, String)>> {
    let client = Client::builder().timeout(ANSWER_WITHIN).build()?;
    let mut left = Vec::new();
    for (key, name) in unanswered {
        let url = format!("{}/api/v1/books/{book}/contacts", front.origin());
        let request = client.post(url).bearer_auth(&mira.token).header("Idempotency-Key", key.to_string());
        match request.json(&json!({"name": name})).send().await {
            Ok(answer) => ensure!(answer.status() == StatusCode::CREATED, "the script got {}", answer.status()),
            Err(_) => left.push((key, name)),
        }
    }
    Ok(left)
}

/// The hash of a whole log.
fn chain_of(lines: &[String]) -> String {
    lines.iter().fold(ChainHash::ZERO, |hash, line| hash.followed_by(line.as_bytes())).to_string()
}
