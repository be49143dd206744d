//! A backup becomes the store of a data folder.

use std::path::Path;

use tidebook_book::Epoch;
use tidebook_event_store::{CopyError, Restoring, Sessions};

use super::check::{CheckError, Checked, Checking, Fault, check};
use super::store_in;
use crate::{clock, random};

/// Why nothing was restored. The data folder is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error("the backup is damaged, and was not restored: {}", first_of(.0))]
    Damaged(Checked),
}

/// Puts a backup into a data folder that has no store, under new epochs: whatever the devices have seen and done since
/// the backup is another history, and they bring back what of it is theirs.
pub fn restore(
    backup: &Path,
    data: &Path,
    sessions: Sessions,
    progress: &mut dyn FnMut(Checking),
) -> Result<Checked, RestoreError> {
    let mut new_epoch = || Epoch(random::uuid(clock::now()));
    let restoring = Restoring::begin(backup, &store_in(data), sessions, &mut new_epoch)?;
    let checked = check(restoring.path(), progress)?;
    if !checked.faults.is_empty() {
        return Err(RestoreError::Damaged(checked));
    }
    restoring.finish()?;
    Ok(checked)
}

fn first_of(checked: &Checked) -> String {
    let first = checked.faults.first().map(Fault::to_string).unwrap_or_default();
    match checked.faults.len() {
        0 | 1 => first,
        count => format!("{first} (and {} more)", count - 1),
    }
}
