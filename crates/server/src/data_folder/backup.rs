//! A copy of everything a server keeps, taken while it runs.

use std::path::Path;

use tidebook_event_store::{BackedUp, CopyError};

use super::store_in;

/// Copies the store of a data folder, as it is at this moment, into a new file that only its owner may read.
pub fn back_up(data: &Path, to: &Path) -> Result<BackedUp, CopyError> {
    tidebook_event_store::back_up(&store_in(data), to)
}
