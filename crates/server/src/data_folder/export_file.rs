//! Reading a book that was exported as JSON with its history.
//!
//! One object: `{"format":"tidebook-book","version":1,"book":…,"epoch":…,"seq":…,"hash":…,"state_version":…,
//! "state_hash":…,"people":[…],"state":{…},"entries":[…]}`, its members in any order, and each entry the exact bytes of
//! the log. The entries are handed on one by one, so that a log of any length can be read.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;
use tidebook_book::{BookId, ChainHash, Epoch, Seq};
use tidebook_ledger::export::{FORMAT, VERSION};
use tidebook_protocol::ENTRY_BYTES_MAX;

/// What an export says beside its entries.
#[derive(Debug)]
pub(super) struct ExportHead {
    pub(super) book: BookId,
    pub(super) epoch: Epoch,
    pub(super) seq: Seq,
    pub(super) hash: ChainHash,
    pub(super) state_version: u32,
    pub(super) state_hash: ChainHash,
    pub(super) state: Box<RawValue>,
}

/// Reads all of it. An error of `on_entry` ends the reading, and is in what is returned.
pub(super) fn read(
    path: &Path,
    on_entry: &mut dyn FnMut(&RawValue) -> Result<(), String>,
) -> Result<ExportHead, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::new(file));
    let mut members = Members::default();
    deserializer.deserialize_map(Export { members: &mut members, on_entry }).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    members.complete()
}

/// What has been read so far.
#[derive(Default)]
struct Members {
    format: Option<String>,
    version: Option<u32>,
    book: Option<BookId>,
    epoch: Option<Epoch>,
    seq: Option<Seq>,
    hash: Option<ChainHash>,
    state_version: Option<u32>,
    state_hash: Option<ChainHash>,
    state: Option<Box<RawValue>>,
    has_entries: bool,
}

impl Members {
    fn complete(self) -> Result<ExportHead, String> {
        if self.format.as_deref() != Some(FORMAT) {
            return Err("it is not a book that Tidebook exported".into());
        }
        if self.version != Some(VERSION) {
            return Err(format!("it has another version of the format than this program reads ({VERSION})"));
        }
        if !self.has_entries {
            return Err("it has no history, only the book as it was; export it with --history".into());
        }
        Ok(ExportHead {
            book: there(self.book, "book")?,
            epoch: there(self.epoch, "epoch")?,
            seq: there(self.seq, "seq")?,
            hash: there(self.hash, "hash")?,
            state_version: there(self.state_version, "state_version")?,
            state_hash: there(self.state_hash, "state_hash")?,
            state: there(self.state, "state")?,
        })
    }
}

fn there<T>(member: Option<T>, name: &str) -> Result<T, String> {
    member.ok_or_else(|| format!("it lacks {name:?}"))
}

struct Export<'a> {
    members: &'a mut Members,
    on_entry: &'a mut dyn FnMut(&RawValue) -> Result<(), String>,
}

impl<'de> Visitor<'de> for Export<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an exported book")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { members, on_entry } = self;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "format" => read_once(&mut members.format, &mut map, &name)?,
                "version" => read_once(&mut members.version, &mut map, &name)?,
                "book" => read_once(&mut members.book, &mut map, &name)?,
                "epoch" => read_once(&mut members.epoch, &mut map, &name)?,
                "seq" => read_once(&mut members.seq, &mut map, &name)?,
                "hash" => read_once(&mut members.hash, &mut map, &name)?,
                "state_version" => read_once(&mut members.state_version, &mut map, &name)?,
                "state_hash" => read_once(&mut members.state_hash, &mut map, &name)?,
                "state" => read_once(&mut members.state, &mut map, &name)?,
                "entries" if members.has_entries => return Err(A::Error::custom("\"entries\" stands there twice")),
                "entries" => {
                    map.next_value_seed(Entries { on_entry: &mut *on_entry })?;
                    members.has_entries = true;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

fn read_once<'de, A: MapAccess<'de>, T: DeserializeOwned>(
    member: &mut Option<T>,
    map: &mut A,
    name: &str,
) -> Result<(), A::Error> {
    match member.replace(map.next_value()?) {
        Some(_) => Err(A::Error::custom(format!("{name:?} stands there twice"))),
        None => Ok(()),
    }
}

struct Entries<'a> {
    on_entry: &'a mut dyn FnMut(&RawValue) -> Result<(), String>,
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the entries of a log")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(entry) = seq.next_element::<Box<RawValue>>()? {
            if entry.get().len() > ENTRY_BYTES_MAX {
                return Err(A::Error::custom("an entry is longer than any can be"));
            }
            (self.on_entry)(&entry).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}
