//! Our own table, as [`crate::export::csv`] writes it, and as people write it by hand after its pattern.
//!
//! Where ids are given the same records come about, in this book and in any other. A row without a `transaction_id` gets a
//! hash of the book and what it says; a name without a `contact_id` is the contact of that name elsewhere in the
//! file, or else a hash of the book and the name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::str::FromStr;

use tidebook_book::{BookId, HashedId};

use super::CsvError;
use super::sheet::{Row, Sheet, are_among};
use crate::export::not_unlike_a_formula;
use crate::import::decimal::Decimal;
use crate::import::{Plan, PlannedContact, PlannedTransaction};
use crate::text::{TextKind, fault};
use crate::{AMOUNT_MAX, CivilDate, ContactId, Currency, Direction, TransactionId};

const NEEDED: [&str; 5] = ["date", "contact", "direction", "amount", "currency"];
const OPTIONAL: [&str; 4] = ["note", "due", "contact_id", "transaction_id"];

// What goes into the hashes is a promise: a change here makes every second import a duplicate of the first.
const CONTACT_DOMAIN: &str = "tidebook csv contact v1";
const TRANSACTION_DOMAIN: &str = "tidebook csv transaction v1";

pub(super) fn are_columns(names: &[String]) -> bool {
    are_among(names, &NEEDED, &OPTIONAL)
}

pub(super) fn plan(sheet: &Sheet<'_>, book: BookId) -> Result<Plan, CsvError> {
    let contacts = Contacts::of(sheet, book)?;
    let mut planner = Planner { sheet, book, contacts, rows: HashMap::new(), lines: HashMap::new() };
    let mut plan = Plan { rows_read: sheet.rows().count(), ..Plan::default() };
    let mut planned = HashSet::new();
    for row in sheet.rows() {
        let transaction = planner.transaction(row)?;
        if planned.insert(transaction.contact) {
            plan.contacts.push(PlannedContact::named(transaction.contact, &name_of(sheet, row)?));
        }
        plan.transactions.push(transaction);
    }
    // Ids are unique within their book, whatever they name.
    if let Some(id) = plan.transactions.iter().map(|it| it.id).find(|id| planned.contains(&ContactId(id.0))) {
        return Err(CsvError::IdOfContact { line: planner.lines[&id], id: id.to_string() });
    }
    plan.add_up(None);
    Ok(plan)
}

/// The contacts that the file gives ids of.
struct Contacts {
    book: BookId,
    by_name: BTreeMap<String, BTreeSet<ContactId>>,
}

impl Contacts {
    fn of(sheet: &Sheet<'_>, book: BookId) -> Result<Self, CsvError> {
        let mut names: HashMap<ContactId, String> = HashMap::new();
        let mut by_name: BTreeMap<String, BTreeSet<ContactId>> = BTreeMap::new();
        for row in sheet.rows() {
            let Some(id) = optional::<ContactId>(sheet, row, "contact_id", ID_RULE)? else { continue };
            let name = name_of(sheet, row)?;
            let earlier = names.entry(id).or_insert_with(|| name.clone());
            if *earlier != name {
                let (id, earlier) = (id.to_string(), earlier.clone());
                return Err(CsvError::TwoNames { line: row.line, id, name, earlier });
            }
            by_name.entry(name).or_default().insert(id);
        }
        Ok(Self { book, by_name })
    }

    fn named(&self, name: &str, row: Row<'_>) -> Result<ContactId, CsvError> {
        let known: Vec<ContactId> = self.by_name.get(name).into_iter().flatten().copied().collect();
        match known[..] {
            [] => {
                let hashed = HashedId::new(CONTACT_DOMAIN).field(self.book.0.as_bytes()).field(name.as_bytes());
                Ok(ContactId(hashed.id()))
            }
            [id] => Ok(id),
            _ => Err(CsvError::WhichContact { line: row.line, name: name.to_owned() }),
        }
    }
}

struct Planner<'sheet> {
    sheet: &'sheet Sheet<'sheet>,
    book: BookId,
    contacts: Contacts,
    /// How often a row without an id of its own has been met.
    rows: HashMap<Vec<u8>, u64>,
    /// Where each transaction stands.
    lines: HashMap<TransactionId, u64>,
}

impl Planner<'_> {
    fn transaction(&mut self, row: Row<'_>) -> Result<PlannedTransaction, CsvError> {
        let sheet = self.sheet;
        let name = name_of(sheet, row)?;
        let contact = match optional(sheet, row, "contact_id", ID_RULE)? {
            Some(id) => id,
            None => self.contacts.named(&name, row)?,
        };
        let currency = needed(sheet, row, "currency", "is not the code of a currency in use, such as EUR")?;
        let (direction, amount) =
            (needed(sheet, row, "direction", "is neither gave nor got")?, amount(sheet, row, currency)?);
        let date = needed(sheet, row, "date", DATE_RULE)?;
        let (note, due) = (note_of(sheet, row)?, optional(sheet, row, "due", DATE_RULE)?);
        let said = Said { name, direction, amount, currency, date, note: note.clone(), due };
        let id = match optional(sheet, row, "transaction_id", ID_RULE)? {
            Some(id) => id,
            None => self.hashed_id(&said),
        };
        if let Some(earlier) = self.lines.insert(id, row.line) {
            return Err(CsvError::SameTransaction { line: row.line, id: id.to_string(), earlier });
        }
        Ok(PlannedTransaction { id, contact, direction, amount, currency, date, note, due, deleted: false })
    }

    /// Of what a row says, and how often the same was said before it.
    fn hashed_id(&mut self, said: &Said) -> TransactionId {
        let row = said.encode();
        let earlier = self.rows.entry(row.clone()).or_insert(0);
        let hashed = HashedId::new(TRANSACTION_DOMAIN).field(self.book.0.as_bytes()).field(&row);
        let id = TransactionId(hashed.field(&earlier.to_le_bytes()).id());
        *earlier += 1;
        id
    }
}

/// What a row says, however it is spelled.
struct Said {
    name: String,
    direction: Direction,
    amount: u64,
    currency: Currency,
    date: CivilDate,
    note: Option<String>,
    due: Option<CivilDate>,
}

impl Said {
    fn encode(&self) -> Vec<u8> {
        let due = self.due.map(|due| due.to_string()).unwrap_or_default();
        HashedId::default()
            .field(self.date.to_string().as_bytes())
            .field(self.name.as_bytes())
            .field(self.direction.to_string().as_bytes())
            .field(&self.amount.to_le_bytes())
            .field(self.currency.code().as_bytes())
            .field(self.note.as_deref().unwrap_or_default().as_bytes())
            .field(due.as_bytes())
            .into_bytes()
    }
}

const ID_RULE: &str = "is not an id: a UUID in lower case with dashes, or nothing";
const DATE_RULE: &str = "is not a day like 2026-11-22";

fn needed<T: FromStr>(sheet: &Sheet<'_>, row: Row<'_>, column: &'static str, rule: &str) -> Result<T, CsvError> {
    let text = sheet.cell(row, column).trim();
    text.parse().map_err(|_| row.fault(column, text, rule))
}

fn optional<T: FromStr>(
    sheet: &Sheet<'_>,
    row: Row<'_>,
    column: &'static str,
    rule: &str,
) -> Result<Option<T>, CsvError> {
    if sheet.cell(row, column).trim().is_empty() { Ok(None) } else { needed(sheet, row, column, rule).map(Some) }
}

fn amount(sheet: &Sheet<'_>, row: Row<'_>, currency: Currency) -> Result<u64, CsvError> {
    let (text, digits) = (sheet.cell(row, "amount").trim(), currency.minor_digits());
    let exact = Decimal::parse(text).filter(|amount| amount.signum() > 0 && amount.decimals() <= digits);
    let units = exact.and_then(|amount| u64::try_from(amount.scaled(digits)).ok());
    units.filter(|units| *units <= AMOUNT_MAX).ok_or_else(|| {
        let rule = format!(
            "is not an amount of {currency}: above zero, a point before the decimals, at most {digits} of them, no \
             thousands separators, at most {AMOUNT_MAX} minor units"
        );
        row.fault("amount", text, rule)
    })
}

fn name_of(sheet: &Sheet<'_>, row: Row<'_>) -> Result<String, CsvError> {
    let name = not_unlike_a_formula(sheet.cell(row, "contact"));
    match fault(TextKind::Name, name) {
        Some(why) => Err(row.fault("contact", name, why)),
        None => Ok(name.to_owned()),
    }
}

fn note_of(sheet: &Sheet<'_>, row: Row<'_>) -> Result<Option<String>, CsvError> {
    let note = not_unlike_a_formula(sheet.cell(row, "note"));
    match fault(TextKind::Note, note) {
        Some(why) => Err(row.fault("note", note, why)),
        None => Ok((!note.is_empty()).then(|| note.to_owned())),
    }
}
