//! What is done with a data folder from beside its server, or where none runs: backups, restores, checks, and bringing in
//! a book from elsewhere.

mod backup;
mod bring;
mod check;
mod export_file;
mod replay;
mod restore;

use std::path::{Path, PathBuf};

pub use backup::back_up;
pub use bring::{BringError, Brought, bring_book};
pub use check::{CheckError, Checked, Checking, Fault, check};
pub use restore::{RestoreError, restore};
pub use tidebook_event_store::{BackedUp, CopyError, Sessions};

/// The database's file in the data folder.
const DATABASE: &str = "tidebook.db";

/// The store of a data folder.
#[must_use]
pub fn store_in(data: &Path) -> PathBuf {
    data.join(DATABASE)
}
