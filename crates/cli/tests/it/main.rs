//! The `tidebook` program as people and machines run it, from outside.

mod home;
mod program;

#[path = "../../../server/tests/it/dice.rs"]
#[allow(dead_code, reason = "the server's tests use all of it")]
mod dice;
#[path = "../../../server/tests/it/person.rs"]
#[allow(dead_code, reason = "the server's tests use all of it")]
mod person;
#[path = "../../../server/tests/it/raw.rs"]
#[allow(dead_code, reason = "the server's tests use all of it")]
mod raw;
#[path = "../../../server/tests/it/says.rs"]
#[allow(dead_code, reason = "the server's tests use all of it")]
mod says;

mod backup;
mod check;
mod restore_book;
mod serve;

mod commands;
mod examples;
mod export;
mod feed;
mod import;
mod login;
mod moving;

mod client_kill;
mod forks;
mod kill;
mod laptop;
mod older_store;
mod scenarios;
mod two_processes;
mod unsaved;
