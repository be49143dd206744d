//! The sync chip: the state of a book in a word or two, and in a sentence.

use tidebook_replica::SyncStatus;

/// What the chip and the tide line show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// For `data-sync` and `data-state`.
    pub state: &'static str,
    pub icon: &'static str,
    pub words: String,
}

/// The chip for a status. `reached`: the first attempt to connect has ended, one way or the other; before that nobody
/// knows whether there is a network, and to say "Offline" would be a guess. `undecided`: how many conflicts are open.
#[must_use]
pub fn chip(status: SyncStatus, reached: bool, undecided: usize) -> Chip {
    let (state, icon, words) = match status {
        SyncStatus::Synced if undecided > 0 => ("attention", "attention", "Needs attention".into()),
        SyncStatus::Synced => ("synced", "synced", "Synced".into()),
        SyncStatus::Saving(0) => ("saving", "saving", "Catching up".into()),
        SyncStatus::Offline(0) if !reached => ("saving", "saving", "Catching up".into()),
        SyncStatus::Saving(pending) => ("saving", "saving", format!("Saving {pending}")),
        SyncStatus::Offline(0) => ("offline", "offline", "Offline".into()),
        SyncStatus::Offline(pending) => ("offline", "offline", format!("Offline, {pending} on this device")),
        SyncStatus::NeedsAttention(_) => ("attention", "attention", "Needs attention".into()),
    };
    Chip { state, icon, words }
}

/// The same in a sentence. Nothing is stored on the device yet, so none of these promises that it is.
#[must_use]
pub fn sentence(status: SyncStatus, undecided: usize) -> String {
    match status {
        SyncStatus::Synced if undecided == 1 => "Of one thing there are two versions: somebody has to choose.".into(),
        SyncStatus::Synced if undecided > 1 => {
            format!("Of {undecided} things there are two versions: somebody has to choose.")
        }
        SyncStatus::Synced => "Everything here is in the book, and the book is here.".into(),
        SyncStatus::Saving(0) => "Fetching what others wrote.".into(),
        SyncStatus::Saving(1) => "One change is on its way to the book.".into(),
        SyncStatus::Saving(pending) => format!("{pending} changes are on their way to the book."),
        SyncStatus::Offline(0) => "No connection to the book. Nothing of yours is waiting.".into(),
        SyncStatus::Offline(1) => "No connection. One change waits in this window: keep it open.".into(),
        SyncStatus::Offline(pending) => {
            format!("No connection. {pending} changes wait in this window: keep it open.")
        }
        SyncStatus::NeedsAttention(_) => "The book did not take something you wrote.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_words() {
        let cases = [
            (SyncStatus::Synced, true, 0, "synced", "Synced"),
            (SyncStatus::Synced, true, 2, "attention", "Needs attention"),
            (SyncStatus::Saving(0), true, 0, "saving", "Catching up"),
            (SyncStatus::Saving(2), true, 1, "saving", "Saving 2"),
            (SyncStatus::Offline(0), false, 0, "saving", "Catching up"),
            (SyncStatus::Offline(0), true, 0, "offline", "Offline"),
            (SyncStatus::Offline(2), false, 1, "offline", "Offline, 2 on this device"),
            (SyncStatus::NeedsAttention(1), true, 0, "attention", "Needs attention"),
        ];
        for (status, reached, undecided, state, words) in cases {
            let chip = chip(status, reached, undecided);
            assert_eq!((chip.state, chip.words.as_str()), (state, words), "{status:?}");
        }
    }
}
