//! The simulator holds what it checks, notices what is planted, and is one and the same for a seed.

#[path = "../../../authority/tests/it/log.rs"]
#[allow(dead_code, reason = "the tests of the authority use all of it")]
mod log;
#[path = "../../../replica/tests/it/shelf.rs"]
mod shelf;

mod fold;
mod plants;
mod scenarios;
mod seeds;
mod shrink;
mod story;
