//! Journeys through the app in a real browser, against the real program.
//!
//! A [`journey`] is a test: it gets a [`Stage`] with a fresh [`Server`] and opens [`Browser`]s on it. [`App`] knows the
//! app's screens, [`Writer`] is somebody else who writes to the same book, and [`watch`] sees what a page does meanwhile.
//! Nothing here sleeps: whoever waits names what for, and until when.

mod journey;
pub use journey::{Alone, Stage, journey};

mod app;
pub use app::{App, Totals};

mod browser;
pub use browser::{Browser, Expected};

mod tab;
pub use tab::Tab;

mod typing;
pub use typing::{Says, Typed};

mod kills;
pub use kills::{Kills, kills};

mod three_clients;
pub use three_clients::{ThreeClients, three_clients};

mod partitions;
pub use partitions::{Partitions, partitions, partitions_client};

mod dice;
pub use dice::Dice;

mod wait;

mod emulate;
pub use emulate::{Size, Theme};

mod console;

mod server;
pub use server::Server;

mod front;
pub use front::{Front, Traffic};

mod account;
pub use account::Account;

mod log;
pub use log::{LogEntry, written};

mod writer;
pub use writer::{Writer, gave, got, person};

pub mod axe;
pub mod cli;
pub mod gallery;
pub mod large_book;
pub mod watch;

mod places;
mod process;
mod sample;
