//! A table whose columns go by their names, in any order.

use super::CsvError;
use crate::import::table::Line;

/// As much of a cell as an error shows: enough to find it by.
const SHOWN_CHARS_MAX: usize = 80;

/// A heading, and the lines below it, each as wide as it.
pub(super) struct Sheet<'lines> {
    names: Vec<String>,
    rows: Vec<Row<'lines>>,
}

/// One line below the heading.
#[derive(Clone, Copy)]
pub(super) struct Row<'lines> {
    pub(super) line: u64,
    fields: &'lines [String],
}

impl<'lines> Sheet<'lines> {
    /// The names of the columns. A spreadsheet may have left empty ones at the end.
    pub(super) fn heading(lines: &[Line]) -> Result<Vec<String>, CsvError> {
        let unknown = || CsvError::UnknownHeading { found: String::new() };
        let fields = &lines.first().ok_or_else(unknown)?.fields;
        let width = fields.iter().rposition(|name| !name.trim().is_empty()).map_or(0, |last| last + 1);
        Ok(fields[..width].iter().map(|name| name.trim().to_owned()).collect())
    }

    pub(super) fn read(lines: &'lines [Line]) -> Result<Self, CsvError> {
        let names = Self::heading(lines)?;
        let rows = lines[1..].iter().map(|line| Row::of(line, names.len())).collect::<Result<_, _>>()?;
        Ok(Self { names, rows })
    }

    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'lines>> {
        self.rows.iter().copied()
    }

    /// What stands in a column; nothing where there is no such column.
    pub(super) fn cell(&self, row: Row<'lines>, column: &str) -> &'lines str {
        let place = self.names.iter().position(|name| name == column);
        place.map_or("", |place| row.fields[place].as_str())
    }
}

impl<'lines> Row<'lines> {
    fn of(line: &'lines Line, expected: usize) -> Result<Self, CsvError> {
        let beyond = line.fields.get(expected..);
        if beyond.is_none_or(|beyond| beyond.iter().any(|field| !field.is_empty())) {
            return Err(CsvError::Width { line: line.number, found: line.fields.len(), expected });
        }
        Ok(Self { line: line.number, fields: &line.fields })
    }

    /// What is wrong with a cell of this row.
    pub(super) fn fault(self, column: &'static str, text: &str, expected: impl Into<String>) -> CsvError {
        let shown = text.chars().take(SHOWN_CHARS_MAX).collect();
        CsvError::Cell { line: self.line, column, text: shown, expected: expected.into() }
    }
}

/// Whether these are names of `known`, each once, all of `needed` among them.
pub(super) fn are_among(names: &[String], needed: &[&str], optional: &[&str]) -> bool {
    let known = |name: &String| needed.contains(&name.as_str()) || optional.contains(&name.as_str());
    let repeated = |(index, name): (usize, &String)| names[..index].contains(name);
    names.iter().all(known)
        && !names.iter().enumerate().any(repeated)
        && needed.iter().all(|needed| names.iter().any(|name| name == needed))
}
