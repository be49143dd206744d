//! The design that suggests itself: a WebSocket server of axum's, one broadcast channel of a hundred places, and a task
//! for each connection that receives one event and sends it. A reader that falls behind misses events; that is its flaw,
//! and it is kept.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use rusqlite::Connection;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::task;

use crate::raw;

const PLACES: usize = 100;

type Database = Arc<Mutex<Connection>>;

#[derive(Clone)]
struct App {
    events: Sender<Utf8Bytes>,
    database: Option<Database>,
}

/// With a `database` each event is committed there before it is broadcast.
pub(super) fn serve(address: SocketAddr, database: Option<&Path>) -> Result<()> {
    let database = database.map(open).transpose()?;
    let app = App { events: broadcast::channel(PLACES).0, database };
    let router = Router::new().route("/", get(upgrade)).route("/events", post(write)).with_state(app);
    tokio::runtime::Runtime::new()?.block_on(async {
        // Held back bytes would be measured instead of the design.
        let listener = TcpListener::bind(address).await?.tap_io(|stream| {
            let _closed_already = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

fn open(path: &Path) -> Result<Database> {
    let database = raw::open(path, "CREATE TABLE events (id INTEGER PRIMARY KEY, event TEXT NOT NULL)")?;
    Ok(Arc::new(Mutex::new(database)))
}

/// How many events the database at `path` holds.
pub(super) fn count(path: &Path) -> Result<u64> {
    let count: i64 = Connection::open(path)?.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
    Ok(count.try_into()?)
}

async fn upgrade(upgrade: WebSocketUpgrade, State(app): State<App>) -> Response {
    upgrade.on_upgrade(|socket| converse(socket, app))
}

/// One event in a request.
async fn write(State(app): State<App>, event: String) -> &'static str {
    if let Some(database) = &app.database {
        keep(database.clone(), event.into()).await;
    }
    "kept"
}

async fn converse(socket: WebSocket, app: App) {
    let (mut sink, mut stream) = socket.split();
    let receiver = app.events.subscribe();
    if sink.send(Message::text("subscribed")).await.is_err() {
        return;
    }
    let sending = task::spawn(send_all(receiver, sink));
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(event) = message else { continue };
        if let Some(database) = &app.database {
            keep(database.clone(), event.clone()).await;
        }
        let _nobody_listens = app.events.send(event);
    }
    sending.abort();
}

async fn send_all(mut receiver: Receiver<Utf8Bytes>, mut sink: SplitSink<WebSocket, Message>) {
    loop {
        match receiver.recv().await {
            Ok(event) => {
                if sink.send(Message::Text(event)).await.is_err() {
                    return;
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// One commit.
async fn keep(database: Database, event: Utf8Bytes) {
    let insert = move || {
        let database = database.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = database.prepare_cached("INSERT INTO events (event) VALUES (?1)")?;
        statement.execute([event.as_str()])
    };
    let inserted = task::spawn_blocking(insert).await.expect("it does not panic");
    inserted.expect("the disk takes an event");
}
