//! Other programs' files, read into plans that a person can look at before anything is written.
//! Pure: text in, plan out; no files, no clock.

pub mod splitwise;
