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
pub fn chip(status: SyncStatus, reached: bool, undecided: usize, waits: Waits) -> Chip {
    let (state, icon, words) = match status {
        SyncStatus::Synced if undecided > 0 => ("attention", "attention", "Needs attention".into()),
        SyncStatus::Synced => ("synced", "synced", "Synced".into()),
        SyncStatus::Offline(_) if waits == Waits::ForNobody => ("alone", "device", "On this device".into()),
        SyncStatus::Saving(0) => ("saving", "saving", "Catching up".into()),
        SyncStatus::Offline(0) if !reached => ("saving", "saving", "Catching up".into()),
        SyncStatus::Saving(pending) => ("saving", "saving", format!("Saving {pending}")),
        SyncStatus::Offline(0) => ("offline", "offline", "Offline".into()),
        SyncStatus::Offline(pending) => {
            let place = match waits {
                Waits::ForNobody | Waits::OnThisDevice => "on this device",
                Waits::InThisWindow => "in this window",
            };
            ("offline", "offline", format!("Offline, {pending} {place}"))
        }
        SyncStatus::NeedsAttention(_) => ("attention", "attention", "Needs attention".into()),
    };
    Chip { state, icon, words }
}

/// Where what is not in the book yet waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    OnThisDevice,
    /// On this device, for good: the book belongs to no account.
    ForNobody,
    /// The browser keeps nothing for this page, or does not any more.
    InThisWindow,
}

/// The same in a sentence.
#[must_use]
pub fn sentence(status: SyncStatus, undecided: usize, waits: Waits) -> String {
    match (status, waits) {
        (SyncStatus::Synced, _) if undecided == 1 => {
            "Of one thing there are two versions: somebody has to choose.".into()
        }
        (SyncStatus::Synced, _) if undecided > 1 => {
            format!("Of {undecided} things there are two versions: somebody has to choose.")
        }
        (SyncStatus::Synced, _) => "Everything here is in the book, and the book is here.".into(),
        (SyncStatus::Saving(0), _) => "Fetching what others wrote.".into(),
        (SyncStatus::Saving(1), _) => "One change is on its way to the book.".into(),
        (SyncStatus::Saving(pending), _) => format!("{pending} changes are on their way to the book."),
        (SyncStatus::Offline(_), Waits::ForNobody) => {
            "All of it is saved, on this device alone. With an account it is elsewhere too, and others can join in."
                .into()
        }
        (SyncStatus::Offline(0), _) => "No connection to the book. Nothing of yours is waiting.".into(),
        (SyncStatus::Offline(1), Waits::OnThisDevice) => {
            "No connection. One change is saved on this device, and goes into the book by itself.".into()
        }
        (SyncStatus::Offline(pending), Waits::OnThisDevice) => {
            format!("No connection. {pending} changes are saved on this device, and go into the book by themselves.")
        }
        (SyncStatus::Offline(1), Waits::InThisWindow) => {
            "No connection. One change waits in this window: keep it open.".into()
        }
        (SyncStatus::Offline(pending), Waits::InThisWindow) => {
            format!("No connection. {pending} changes wait in this window: keep it open.")
        }
        (SyncStatus::NeedsAttention(_), _) => "The book did not take something you wrote.".into(),
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
            let chip = chip(status, reached, undecided, Waits::OnThisDevice);
            assert_eq!((chip.state, chip.words.as_str()), (state, words), "{status:?}");
        }
        assert_eq!(chip(SyncStatus::Offline(2), true, 0, Waits::InThisWindow).words, "Offline, 2 in this window");
    }

    #[test]
    fn what_waits_is_called_saved_only_where_it_is() {
        let offline = SyncStatus::Offline(2);
        assert!(sentence(offline, 0, Waits::OnThisDevice).contains("saved on this device"));
        let words = sentence(offline, 0, Waits::InThisWindow);
        assert!(!words.contains("saved") && words.contains("keep it open"), "{words}");
    }
}
