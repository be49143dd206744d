//! `tidebook import`: debts from elsewhere, through a replica of the book.

pub(crate) mod splitwise;

mod upload;
