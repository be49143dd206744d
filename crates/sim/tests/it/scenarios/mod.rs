//! The twelve scenarios that the sync core has to come through, each a test of its name: what happens is written down, the
//! replica, the authority, its committer and its sessions are the shipped ones, time is virtual, and nothing is left to chance
//! but where chance is the scenario, and then it is seeded.
//!
//! | scenario | test |
//! | --- | --- |
//! | an ack lost and the client restarted 30 days later | [`ack_lost`] |
//! | a crash at every store and network step | [`crashes`] |
//! | ten clients flapping through 300 s partitions | [`flapping`] |
//! | the fifth of ten queued mutations invalid | [`fifth_of_ten`] |
//! | three weeks offline across two format versions | [`format_versions`]; files of the first version: `what_an_older_version_kept_is_opened_and_sent` of `cli`, `what_an_older_version_kept_is_there_in_this_one` of `e2e` |
//! | amount against note against amount against delete, with a deleted contact | [`late_edits`] |
//! | clocks at 1970 and 2099 | [`clocks`] |
//! | ten tabs opened and killed at random | [`ten_tabs`]; in a browser: `ten_tabs_opened_and_killed_at_random` of `e2e` |
//! | the local store gone, or full | [`store_gone_or_full`]; in SQLite: `what_cannot_be_written_is_an_error_that_says_so` of `client`; in a browser: `a_deleted_store_is_said` and `a_full_device_is_said` of `e2e` |
//! | a token expired offline, a user switch that never sends another's work | `crates/cli/tests/it/scenarios.rs`, with the program and its server |
//! | a server restored from an hour-old backup, declared and undeclared | [`restored`]; with the program and its server: `a_month_offline_and_a_restore_from_an_older_backup_lose_nothing` of `cli` |
//! | 5,000 replicas coming back at once, some behind the snapshot horizon | [`five_thousand`] |

mod later;
mod quiet;
mod server;
mod tab;
mod words;
mod world;

mod ack_lost;
mod clocks;
mod crashes;
mod fifth_of_ten;
mod five_thousand;
mod flapping;
mod format_versions;
mod late_edits;
mod restored;
mod store_gone_or_full;
mod ten_tabs;
