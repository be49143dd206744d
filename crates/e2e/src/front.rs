//! What stands between clients and a server: it can cut their lines, hold back what is on them, one way or both, and be a
//! server's update, which browsers see as the same addresses with another version of the app behind them.

mod line;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Server;

use line::{Ends, Line, Way, swallow};

/// What stands before the server's own text in the next version.
const CHANGES: &[(&str, &str)] = &[("<html ", "<html data-version=\"next\" "), ("\"build-", "\"build-next-")];

const HEAD_END: &[u8] = b"\r\n\r\n";

/// Far more than a browser's request has before its body.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What becomes of what is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    Flows,
    /// Every line is cut, and nobody answers.
    Cut,
    /// Of data nothing is answered until it flows again; the app itself comes.
    HeldBack,
    /// The same for what is in books; who somebody is and which books they have comes.
    BooksHeldBack,
    /// Lines stay open, and nothing arrives, neither here nor there, until it flows again.
    Silent,
    /// The same for what clients send: they still hear the server.
    SilentUp,
    /// The same for what the server sends: it still hears the clients.
    SilentDown,
    /// Everything arrives, later.
    Slow,
}

impl Traffic {
    fn holds(self, path: &str) -> bool {
        let is_of_book = path == "/ws" || path.ends_with("/snapshot");
        match self {
            Self::Flows | Self::Cut | Self::Silent | Self::SilentUp | Self::SilentDown | Self::Slow => false,
            Self::HeldBack => is_of_book || path.starts_with("/api/"),
            Self::BooksHeldBack => is_of_book,
        }
    }

    fn stops(self, way: Way) -> bool {
        match self {
            Self::Silent => true,
            Self::SilentUp => way == Way::Up,
            Self::SilentDown => way == Way::Down,
            Self::Flows | Self::Cut | Self::HeldBack | Self::BooksHeldBack | Self::Slow => false,
        }
    }
}

/// Stands before a server, at an address of its own, and passes everything on.
#[derive(Debug)]
pub struct Front {
    origin: String,
    is_updated: Arc<AtomicBool>,
    traffic: watch::Sender<Traffic>,
    ends: watch::Sender<Ends>,
    accepting: JoinHandle<()>,
}

/// The two hosts, as requests name them.
#[derive(Clone)]
struct Hosts {
    front: String,
    server: String,
}

impl Front {
    pub async fn start(server: &Server) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let host = |origin: &str| origin.trim_start_matches("http://").to_owned();
        let hosts = Hosts { front: host(&origin), server: host(&server.origin()) };
        let is_updated = Arc::new(AtomicBool::new(false));
        let (traffic, seen) = watch::channel(Traffic::Flows);
        let (ends, heard) = watch::channel(Ends::default());
        let line = move || Line::new(seen.clone(), heard.clone());
        let accepting = tokio::spawn(accept(listener, hosts, Arc::clone(&is_updated), line));
        Ok(Self { origin, is_updated, traffic, ends, accepting })
    }

    /// Where the app is.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origin.clone()
    }

    /// From now on the app is its next version: `html` has `data-version="next"`, and the worker's cache another name.
    pub fn update(&self) {
        self.is_updated.store(true, Ordering::SeqCst);
    }
}

impl Front {
    /// From now on the line is like this, also for what is on its way.
    pub fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
    }

    /// All lines that there are now are closed, and what is on them is lost. New ones can be opened.
    pub fn close_lines(&self) {
        self.ends.send_modify(|ends| ends.closed += 1);
    }

    /// On the lines that there are now nothing arrives any more, and nobody is told: who waits there waits in vain. New ones
    /// can be opened.
    pub fn lose_lines(&self) {
        self.ends.send_modify(|ends| ends.lost += 1);
    }

    #[must_use]
    pub fn traffic(&self) -> Traffic {
        *self.traffic.borrow()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, hosts: Hosts, is_updated: Arc<AtomicBool>, line: impl Fn() -> Line) {
    while let Ok((browser, _)) = listener.accept().await {
        let (hosts, is_updated, line) = (hosts.clone(), Arc::clone(&is_updated), line());
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = line.clone().closed() => {}
                // A connection that breaks, or finds no server, is closed: the browser notices.
                _closed = pass_on(browser, &hosts, &is_updated, line) => {}
            }
        });
    }
}

/// Passes on one request and its answer, or a socket for as long as it lives.
async fn pass_on(mut browser: TcpStream, hosts: &Hosts, is_updated: &AtomicBool, mut line: Line) -> Result<()> {
    let (head, rest) = read_head(&mut browser).await?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    line.lets_ask(path).await.context("the front is gone")?;
    if line.is_lost() {
        swallow(browser).await;
        return Ok(());
    }
    let mut server = TcpStream::connect(&hosts.server).await?;
    let changes = ["GET / ", "GET /sw.js "].iter().any(|start| head.starts_with(start));
    if changes && is_updated.load(Ordering::SeqCst) {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", hosts.server);
        server.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        server.read_to_string(&mut answer).await?;
        browser.write_all(next_version(&answer).context("an answer has a head")?.as_bytes()).await?;
        return Ok(());
    }
    // The server takes pages by their origin. One request each: whoever speaks next is looked at anew.
    let head = head.replace(&hosts.front, &hosts.server).replace("Connection: keep-alive", "Connection: close");
    server.write_all(head.as_bytes()).await?;
    server.write_all(&rest).await?;
    Ok(line.carry(&mut browser, &mut server).await?)
}

/// A request's head, and what came along behind it.
async fn read_head(browser: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(at) = read.windows(HEAD_END.len()).position(|window| window == HEAD_END) {
            let rest = read.split_off(at + HEAD_END.len());
            return Ok((String::from_utf8(read)?, rest));
        }
        anyhow::ensure!(read.len() < HEAD_BYTES_MAX, "a request without an end");
        anyhow::ensure!(browser.read_buf(&mut read).await? > 0, "the browser hung up");
    }
}

fn next_version(answer: &str) -> Option<String> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let body = CHANGES.iter().fold(body.to_owned(), |body, (old, new)| body.replace(old, new));
    let is_of_old = |line: &&str| ["content-length", "etag"].iter().any(|name| line.starts_with(name));
    let head: Vec<&str> = head.lines().filter(|line| !is_of_old(line)).collect();
    Some(format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len()))
}
