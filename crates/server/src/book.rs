//! Active books: one actor per book, the ring its readers read from, and the one way to get hold of them.

mod actor;
mod registry;
mod ring;

pub(crate) use actor::{Answer, BookHandle, Committed, ReadError, append_of, refuse_all};
pub(crate) use registry::{Access, Books, Denied};
pub(crate) use ring::Head;
