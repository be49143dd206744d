//! Starting a server and stopping it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tidebook_event_store::{OpenError, Store, StoreError};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, watch};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::accounts::{self, Accounts};
use crate::book::Books;
use crate::books::{self, BookParts};
use crate::config::{Config, ConfigError};
use crate::openapi::{self, Document};
use crate::origin::Origins;
use crate::socket::{self, SocketParts};
use crate::{app_files, data_folder, headers, health, measure, upkeep};

/// How long requests and sockets may take to end once the server is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Connections that wait to be accepted. All who had one come back at once when a server starts again, and whoever finds no
/// room tries again only after a second. The system may allow fewer.
const WAITING_CONNECTIONS_MAX: u32 = 4096;

/// Why a server did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the data folder {0} cannot be made: {1}")]
    Data(std::path::PathBuf, std::io::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("the server stopped: {0}")]
    Io(#[from] std::io::Error),
}

/// A server that is bound and answers once [`Server::run`] is called.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: Router,
    store: Store,
    draining: watch::Sender<bool>,
    /// Ends when the last socket has.
    sockets: mpsc::Receiver<Infallible>,
}

impl Server {
    /// Opens the data folder and binds the address.
    pub async fn bind(config: Config) -> Result<Self, ServeError> {
        config.check()?;
        std::fs::create_dir_all(&config.data).map_err(|error| ServeError::Data(config.data.clone(), error))?;
        let path = data_folder::store_in(&config.data);
        let opening = tokio::task::spawn_blocking(move || Store::open(&path));
        let store = opening.await.expect("opening the store does not panic")?;

        let listener = listen(config.listen).map_err(|error| ServeError::Listen(config.listen, error))?;
        let address = listener.local_addr()?;
        let origins = Origins::new(&config, address)?;
        let accounts = Accounts::open(&config, origins.clone(), store.clone()).await?;
        let draining = watch::Sender::new(false);
        let (open, sockets) = mpsc::channel(1);
        tokio::spawn(upkeep::run(Arc::clone(&accounts), draining.subscribe()));
        let app = app(&accounts, &origins, &store, draining.subscribe(), open);
        Ok(Self { listener, address, app, store, draining, sockets })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` resolves; then tells its sockets to come back later, ends them, and closes the store.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let Self { listener, app, store, draining, mut sockets, .. } = self;
        let mut stopping = draining.subscribe();
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
            stop.await;
            draining.send_replace(true);
        });
        let all_done = async {
            serving.await?;
            // Sockets have left the HTTP server's care; each holds a sender until it is done.
            let _never_sent = sockets.recv().await;
            Ok::<(), std::io::Error>(())
        };
        tokio::select! {
            result = all_done => result?,
            () = overdue(&mut stopping) => tracing::warn!("some connections did not end in time"),
        }
        store.close().await;
        Ok(())
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A port that a server before this one had is taken over at once.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_CONNECTIONS_MAX)
}

/// Resolves when the server has been stopping for too long.
async fn overdue(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_ok() {
        tokio::time::sleep(STOP_WITHIN).await;
    }
}

fn app(
    accounts: &Arc<Accounts>,
    origins: &Origins,
    store: &Store,
    draining: watch::Receiver<bool>,
    open: mpsc::Sender<Infallible>,
) -> Router {
    let books = Arc::new(Books::new(store.clone()));
    let book_parts = BookParts {
        accounts: Arc::clone(accounts),
        books: Arc::clone(&books),
        store: store.clone(),
        draining: draining.clone(),
        open: open.clone(),
    };
    let socket_parts = SocketParts { accounts: Arc::clone(accounts), books, store: store.clone(), draining, open };
    let (routes, document) = OpenApiRouter::with_openapi(Document::openapi())
        .merge(accounts::router(Arc::clone(accounts), book_parts.clone()))
        .merge(books::router(book_parts))
        .split_for_parts();
    let routes = routes
        .merge(openapi::router(document))
        .merge(socket::router(socket_parts))
        .merge(health::router(store.clone()))
        .merge(measure::router(Arc::clone(accounts)))
        .merge(app_files::router());
    headers::frame(routes, origins)
}
