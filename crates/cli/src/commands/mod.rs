//! The commands, one file each: what can be asked, how it is done, what is answered.

pub(crate) mod add;
pub(crate) mod backup;
pub(crate) mod balance;
pub(crate) mod books;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod conflicts;
pub(crate) mod contact;
pub(crate) mod contacts;
pub(crate) mod export;
pub(crate) mod feed;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod members;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod transaction;
pub(crate) mod undo;
pub(crate) mod unsent;
pub(crate) mod watch;
