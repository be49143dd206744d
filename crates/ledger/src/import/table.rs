//! Text as a table: the lines of a CSV file, each with its number, as far as all such files are alike.

/// The longest file taken: a hundred times a busy household's lifetime, and still read in a moment.
const BYTES_MAX: usize = 64 << 20;

/// The most people in one file; the groups of the programs it may come from hold fewer.
pub(super) const PEOPLE_MAX: usize = 500;

/// Why a text is no table. Lines count from 1, as an editor shows them.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("the file has {bytes} bytes, the most is {max}: export a shorter span or fewer groups at a time")]
    TooLong { bytes: usize, max: usize },

    #[error("the file is not CSV: {0}; export it again, as CSV")]
    Csv(#[from] csv::Error),
}

/// One line of the file (or several, where a quoted field spans them).
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) fields: Vec<String>,
}

/// Whether spaces around a field belong to it.
pub(super) use csv::Trim;

/// All lines that are not blank.
pub(super) fn lines(text: &str, trim: Trim) -> Result<Vec<Line>, TableError> {
    if text.len() > BYTES_MAX {
        return Err(TableError::TooLong { bytes: text.len(), max: BYTES_MAX });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(trim).from_reader(text.as_bytes());
    let mut lines = Vec::new();
    for fields in reader.records() {
        let fields = fields?;
        if fields.iter().any(|field| !field.is_empty()) {
            let number = fields.position().map_or(0, |position| line_of(text, position));
            lines.push(Line { number, fields: fields.iter().map(str::to_owned).collect() });
        }
    }
    Ok(lines)
}

/// A record's position is where the reader began to look for it, before any blank lines that it skipped.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let ahead = text.as_bytes().get(from..).unwrap_or_default();
    let skipped = ahead.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count();
    position.line() + skipped as u64
}
