//! The file as a table: people across, rows down, one closing row per currency.

use super::SplitwiseError;
use crate::CivilDate;
use crate::import::decimal::Decimal;
use crate::import::table::{Line, PEOPLE_MAX, Trim, lines};
use crate::text::NAME_CHARS_MAX;

/// Columns before the people: date, description, category, cost, currency. Headings are in the exporter's language, so
/// only their places count.
const LEAD: usize = 5;
const DATE: usize = 0;
const DESCRIPTION: usize = 1;
const CATEGORY: usize = 2;
const COST: usize = 3;
const CURRENCY: usize = 4;

/// A file that has been read and found well-formed.
#[derive(Debug)]
pub struct Sheet {
    pub(super) people: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) closings: Vec<Closing>,
}

/// An expense or a payment.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) date: CivilDate,
    pub(super) description: String,
    pub(super) category: String,
    pub(super) cost: Decimal,
    pub(super) currency: String,
    /// What each person paid less what they owed, one per column.
    pub(super) cells: Vec<Decimal>,
}

/// Everyone's balance in one currency as the file itself gives it: a row without a cost, whatever it is called.
#[derive(Debug)]
pub(super) struct Closing {
    pub(super) line: u64,
    pub(super) currency: String,
    pub(super) cells: Vec<Decimal>,
}

/// Reads a file's text.
///
/// # Errors
/// The first thing that is wrong, with its line and what to do about it.
pub fn read(text: &str) -> Result<Sheet, SplitwiseError> {
    let records: Vec<Record> = lines(text, Trim::All)?.into_iter().map(Record::from).collect();
    let heading = find_heading(&records).ok_or(SplitwiseError::NoHeading)?;
    let mut sheet = Sheet { people: records[heading].people()?, rows: Vec::new(), closings: Vec::new() };
    for record in &records[heading + 1..] {
        sheet.take(record)?;
    }
    Ok(sheet)
}

impl Sheet {
    /// Everyone in the file, in the order of its columns.
    pub fn people(&self) -> &[String] {
        &self.people
    }

    pub(super) fn column_of(&self, name: &str) -> Result<usize, SplitwiseError> {
        let unknown = || SplitwiseError::UnknownPerson { name: name.to_owned(), people: self.people.clone() };
        self.people.iter().position(|person| person == name.trim()).ok_or_else(unknown)
    }

    fn take(&mut self, record: &Record) -> Result<(), SplitwiseError> {
        record.check_width(LEAD + self.people.len())?;
        if record.fields[COST].is_empty() { self.take_closing(record) } else { self.take_row(record) }
    }

    fn take_row(&mut self, record: &Record) -> Result<(), SplitwiseError> {
        self.rows.push(Row {
            line: record.line,
            date: record.date()?,
            description: record.fields[DESCRIPTION].clone(),
            category: record.fields[CATEGORY].clone(),
            cost: record.amount(COST, "cost")?,
            currency: record.currency()?,
            cells: record.cells(&self.people)?,
        });
        Ok(())
    }

    fn take_closing(&mut self, record: &Record) -> Result<(), SplitwiseError> {
        let (line, currency) = (record.line, record.currency()?);
        if self.closings.iter().any(|closing| closing.currency == currency) {
            return Err(SplitwiseError::SecondClosing { line, currency });
        }
        self.closings.push(Closing { line, currency, cells: record.cells(&self.people)? });
        Ok(())
    }
}

/// The heading is the last line that reads as one before the first row; there may be a preamble before it.
fn find_heading(records: &[Record]) -> Option<usize> {
    let first_row = records.iter().position(Record::reads_as_row).unwrap_or(records.len());
    records[..first_row].iter().rposition(Record::reads_as_heading)
}

/// One line of the file (or several, where a quoted field spans them), its fields trimmed.
struct Record {
    line: u64,
    fields: Vec<String>,
}

impl From<Line> for Record {
    fn from(Line { number, fields }: Line) -> Record {
        Record { line: number, fields }
    }
}

impl Record {
    fn reads_as_row(&self) -> bool {
        self.fields.len() > LEAD
            && (self.fields[DATE].parse::<CivilDate>().is_ok() || Decimal::parse(&self.fields[COST]).is_some())
    }

    fn reads_as_heading(&self) -> bool {
        self.fields.len() > LEAD && self.fields[..LEAD].iter().all(|field| !field.is_empty()) && !self.reads_as_row()
    }

    /// The names in a heading. A spreadsheet may have left empty columns at its end.
    fn people(&self) -> Result<Vec<String>, SplitwiseError> {
        let line = self.line;
        let width = self.fields.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1);
        match width.saturating_sub(LEAD) {
            0 => return Err(SplitwiseError::NoHeading),
            1..=PEOPLE_MAX => {}
            found => return Err(SplitwiseError::TooManyPeople { line, found, max: PEOPLE_MAX }),
        }
        let mut people: Vec<String> = Vec::new();
        for (index, heading) in self.fields[..width].iter().enumerate().skip(LEAD) {
            let name: String = heading.chars().filter(|char| !char.is_control()).collect();
            if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) {
                return Err(SplitwiseError::BadName { line, column: index + 1, max: NAME_CHARS_MAX });
            }
            if people.contains(&name) {
                return Err(SplitwiseError::SameName { line, name });
            }
            people.push(name);
        }
        Ok(people)
    }

    /// As wide as the heading, or wider by empty columns only.
    fn check_width(&self, expected: usize) -> Result<(), SplitwiseError> {
        let beyond = self.fields.get(expected..);
        if beyond.is_none_or(|beyond| beyond.iter().any(|field| !field.is_empty())) {
            return Err(SplitwiseError::Width { line: self.line, found: self.fields.len(), expected });
        }
        Ok(())
    }

    fn date(&self) -> Result<CivilDate, SplitwiseError> {
        let text = &self.fields[DATE];
        text.parse().map_err(|_| SplitwiseError::BadDate { line: self.line, text: text.clone() })
    }

    fn currency(&self) -> Result<String, SplitwiseError> {
        let text = self.fields[CURRENCY].clone();
        let well_formed = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if well_formed { Ok(text) } else { Err(SplitwiseError::BadCurrency { line: self.line, text }) }
    }

    /// An empty cell is a zero: somebody with no part in the row.
    fn cells(&self, people: &[String]) -> Result<Vec<Decimal>, SplitwiseError> {
        let cell = |(index, name): (usize, &String)| match self.fields[LEAD + index].as_str() {
            "" => Ok(Decimal::ZERO),
            _ => self.amount(LEAD + index, name),
        };
        people.iter().enumerate().map(cell).collect()
    }

    fn amount(&self, index: usize, column: &str) -> Result<Decimal, SplitwiseError> {
        let text = &self.fields[index];
        Decimal::parse(text).ok_or_else(|| SplitwiseError::BadAmount {
            line: self.line,
            column: column.to_owned(),
            text: text.clone(),
        })
    }
}
