//! Our types as SQLite's: ids as 16 bytes, hashes as 32, numbers as signed 64-bit integers, roles by name.

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use tidebook_book::{ChainHash, MutationNumber, Role, Seq, UnixMillis};
use uuid::Uuid;

pub(super) fn uuid(row: &Row<'_>, index: usize) -> Result<Uuid> {
    row.get(index).map(Uuid::from_bytes)
}

pub(super) fn hash(row: &Row<'_>, index: usize) -> Result<ChainHash> {
    row.get(index).map(ChainHash)
}

pub(super) fn seq(row: &Row<'_>, index: usize) -> Result<Seq> {
    unsigned(row, index).map(Seq)
}

pub(super) fn number(row: &Row<'_>, index: usize) -> Result<MutationNumber> {
    unsigned(row, index).map(MutationNumber)
}

pub(super) fn millis(row: &Row<'_>, index: usize) -> Result<UnixMillis> {
    row.get(index).map(UnixMillis)
}

pub(super) fn unsigned(row: &Row<'_>, index: usize) -> Result<u64> {
    let value: i64 = row.get(index)?;
    u64::try_from(value).map_err(|_| Error::IntegralValueOutOfRange(index, value))
}

/// A member's; a former one has none.
pub(super) fn role(row: &Row<'_>, index: usize) -> Result<Option<Role>> {
    let name: Option<String> = row.get(index)?;
    name.map(|name| role_named(&name, index)).transpose()
}

/// Of somebody who is known to have one.
pub(super) fn standing_role(row: &Row<'_>, index: usize) -> Result<Role> {
    let name: String = row.get(index)?;
    role_named(&name, index)
}

fn role_named(name: &str, index: usize) -> Result<Role> {
    [Role::Viewer, Role::Editor, Role::Owner]
        .into_iter()
        .find(|role| role_name(*role) == name)
        .ok_or_else(|| Error::FromSqlConversionFailure(index, Type::Text, format!("there is no role {name:?}").into()))
}

pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Editor => "editor",
        Role::Owner => "owner",
    }
}

/// For comparing with: beyond the biggest number a row can hold there is nothing, so the biggest stands for all of them.
pub(super) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
