//! Every example in every command's help is run, in a world that has what they speak of.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::person::{PASSWORD, Person};
use crate::program::{Ran, Serving, run, tidebook};
use crate::raw::PATIENCE;
use crate::says::{contact, fresh, transaction, with};

/// The ends of ids in the examples that nobody can choose, and what they stand for here.
type Standing = BTreeMap<&'static str, String>;

const T: &str = "0199d4c2-5b1e-7c3a-8f00-01233f9a0c12";

/// The most one transaction in dinars can hold, as it is typed and in minor units.
const MOST_TYPED: &str = "1000000000000";
const MOST: u64 = 1_000_000_000_000_000;

struct World {
    serving: Serving,
    home: TempDir,
    mira: Person,
    standing: Standing,
    invite: String,
}

impl World {
    async fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let serving = Serving::start(&home.path().join("data"), 0).await;
        let mira = Person::sign_up(serving.address, "Mira").await;
        let jonas = Person::sign_up(serving.address, "Jonas").await;
        let book = mira.book("Harbour Street 12").await;
        mira.let_in(&jonas, &book, "editor").await;
        let choir = jonas.book("Choir").await;
        let invite = jonas.invite(&choir, &json!({"role": "editor"})).await;
        let invite = invite["url"].as_str().expect("a link").to_owned();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/tests/fixtures/splitwise-group.csv");
        std::fs::copy(fixture, home.path().join("export.csv")).expect("the fixture");
        let mut world = Self { serving, home, mira, standing: Standing::new(), invite };

        let (ana, mut device) = (fresh(), jonas.device(&book).await);
        let lunch = with(transaction(&ana, "gave", 2050, "EUR"), &json!({"id": T, "note": "lunch"}));
        device.write(&[contact(&ana, "Ana Kovač"), lunch]).await;
        device.write(&[contact(&fresh(), "Pim")]).await;
        let mut mine = world.mira.device(&book).await;
        mine.write(&[json!({"op": "update_transaction", "id": T, "set": {"note": "dinner"}})]).await;
        world.reject_two(&mut device, &ana).await;
        world
    }

    /// What Mira wrote on her own is not taken, because somebody was before her: two things of hers are kept.
    async fn reject_two(&mut self, device: &mut crate::person::Device, ana: &str) {
        for step in [&["sync"][..], &["add", "Ana", MOST_TYPED, "--gave", "--currency", "KWD", "--offline"]] {
            self.must(step).await;
        }
        self.must(&["add", "Ana", MOST_TYPED, "--gave", "--currency", "KWD", "--offline"]).await;
        let dinars: Vec<Value> = (0..9).map(|_| transaction(ana, "gave", MOST, "KWD")).collect();
        device.write(&dinars).await;
        self.must(&["sync"]).await;
        let status = self.must(&["status", "--json"]).await;
        let status: Value = serde_json::from_str(&status.out).expect("JSON");
        let rejected = status[0]["rejected"].as_array().expect("a list");
        let ids: Vec<&str> = rejected.iter().map(|it| it["mutation"]["id"].as_str().expect("an id")).collect();
        self.standing.insert("5d0c77aa", ids[0].to_owned());
        self.standing.insert("5d0c77ab", ids[1].to_owned());
        let conflicts = self.must(&["conflicts", "--json"]).await;
        let conflicts: Value = serde_json::from_str(&conflicts.out).expect("JSON");
        self.standing.insert("7c21d9e0", conflicts[0]["id"].as_str().expect("an id").to_owned());
        let lower = json!({"op": "update_transaction", "id": dinars[0]["id"], "set": {"amount": 1}});
        device.write(&[lower]).await;
    }

    fn command(&self, program: &mut Command) {
        let bin = Path::new(env!("CARGO_BIN_EXE_tidebook")).parent().expect("a folder");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let url = format!("http://{}", self.serving.address);
        program.current_dir(self.home.path()).env("PATH", path).env("TIDEBOOK_SERVER", url);
        program.env("TIDEBOOK_TOKEN", &self.mira.token).env("TIDEBOOK_PASSWORD", PASSWORD).env("INVITE", &self.invite);
    }

    async fn must(&self, arguments: &[&str]) -> Ran {
        let mut command = tidebook(self.home.path());
        self.command(command.args(arguments));
        let ran = run(&mut command, "").await;
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
        ran
    }

    /// The line of an example with what it stands for here.
    fn line(&self, example: &str) -> String {
        let mut line = example.replace("http://localhost:8000", &format!("http://{}", self.serving.address));
        line = line.replace("mira@example.org", &self.mira.email);
        for (typed, meant) in &self.standing {
            line = line.replace(typed, meant);
        }
        line
    }

    fn shell(&self, line: &str) -> Command {
        let mut command = tidebook(self.home.path());
        let environment: Vec<_> =
            command.as_std().get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
        command = Command::new("sh");
        for (name, value) in environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.command(command.args(["-c", line]).kill_on_drop(true));
        command
    }

    async fn run(&self, path: &str, example: &str) {
        let line = self.line(example);
        match path {
            "serve" => {
                self.says_something(&line.replace("127.0.0.1:8000", "127.0.0.1:0").replace("./data", "./new")).await
            }
            "feed" => self.says_something(&line).await,
            // It ends by a key.
            "watch" => self.runs(path, &format!("script --quiet --return --command '{line}' /dev/null"), "q").await,
            _ => self.runs(path, &line, "").await,
        }
    }

    async fn runs(&self, path: &str, line: &str, input: &str) {
        let ran = run(&mut self.shell(line), input).await;
        assert_eq!(ran.code, Some(0), "{path}: {line}\n{}{}", ran.out, ran.err);
        assert!(!ran.out.is_empty() || line.contains('>'), "{path}: {line} says nothing");
    }

    /// A command without an end: its first line is waited for.
    async fn says_something(&self, line: &str) {
        let mut child = self.shell(&format!("exec {line}")).stdout(Stdio::piped()).spawn().expect("a shell");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = timeout(PATIENCE, lines.next_line()).await.expect("it says something").expect("text");
        assert!(first.is_some_and(|first| !first.is_empty()), "{line}");
        child.kill().await.expect("it runs");
    }
}

/// A command's help: its examples, and the commands under it.
struct Help {
    examples: Vec<String>,
    commands: Vec<String>,
}

async fn help(path: &[String]) -> Help {
    let home = tempfile::tempdir().expect("a folder");
    let ran = run(tidebook(home.path()).args(path).arg("--help"), "").await;
    assert_eq!(ran.code, Some(0), "{path:?}: {}", ran.err);
    let under = |heading: &str| -> Vec<String> {
        let lines = ran.out.lines().skip_while(|line| !line.starts_with(heading)).skip(1);
        lines.take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()).collect()
    };
    let commands = under("Commands:");
    let name = |line: String| line.split(' ').next().filter(|name| *name != "help").map(str::to_owned);
    Help { examples: under("Example"), commands: commands.into_iter().filter_map(name).collect() }
}

/// All commands that do something, in the order in which help lists them, each with its examples.
async fn all() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut left: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = left.pop() {
        let Help { examples, commands } = help(&path).await;
        let is_group = !commands.is_empty();
        left.extend(commands.into_iter().rev().map(|name| [path.clone(), vec![name]].concat()));
        if !is_group || !examples.is_empty() {
            assert!(!examples.is_empty(), "the help of {path:?} has no example");
            found.push((path.join(" "), examples));
        }
    }
    found
}

#[tokio::test]
async fn every_example_in_every_help_works() {
    let mut all = all().await;
    // Nothing can be done after it.
    all.sort_by_key(|(path, _)| path == "logout");
    assert!(all.len() >= 35, "{}", all.len());
    let world = World::new().await;
    for (path, examples) in &all {
        if path == "restore" {
            // A book that the backup has not.
            world.must(&["books", "--new", "Boat"]).await;
            let exported = world.must(&["export", "json", "Boat", "--history"]).await;
            std::fs::write(world.home.path().join("boat.json"), exported.out).expect("a file");
        }
        for example in examples {
            world.run(path, example).await;
        }
    }
}

#[tokio::test]
async fn the_manual_has_a_page_for_every_command() {
    let home = tempfile::tempdir().expect("a folder");
    for (path, _) in all().await {
        let ran = run(tidebook(home.path()).arg("man").args(path.split(' ')), "").await;
        assert!(ran.code == Some(0) && ran.out.contains(".SH SYNOPSIS"), "{path}: {}", ran.err);
    }
    for shell in ["bash", "zsh", "fish"] {
        let ran = run(tidebook(home.path()).args(["completions", shell]), "").await;
        assert!(ran.code == Some(0) && ran.out.contains("undelete"), "{shell}");
    }
}
