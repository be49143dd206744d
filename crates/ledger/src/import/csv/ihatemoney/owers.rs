//! Names in one cell with commas between them, some of which may be part of a name.

use std::collections::BTreeSet;

/// The most commas in one name.
const NAME_COMMAS_MAX: usize = 8;

/// The names in `cell`. Where it goes on, across commas, to be one of `with_commas`, it is that name.
pub(super) fn names<'cell>(cell: &'cell str, with_commas: &BTreeSet<&str>) -> Vec<&'cell str> {
    let mut names = Vec::new();
    let mut rest = cell;
    loop {
        let ends = rest.match_indices(',').map(|(at, _)| at).chain([rest.len()]).take(NAME_COMMAS_MAX + 1);
        let ends: Vec<usize> = ends.collect();
        let longest = ends.iter().rev().find(|end| with_commas.contains(rest[..**end].trim()));
        let end = *longest.unwrap_or(&ends[0]);
        names.push(rest[..end].trim());
        match rest.get(end + 1..) {
            Some(after) => rest = after,
            None => return names,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_part_names_but_do_not_cut_those_that_have_some() {
        let cases: [(&str, &[&str], &[&str]); 6] = [
            ("Ana", &[], &["Ana"]),
            ("Ana, Ben", &["Ana, B"], &["Ana", "Ben"]),
            ("Ana,Ben", &[], &["Ana", "Ben"]),
            ("Ana, Bo, Jr., Cem", &["Bo, Jr."], &["Ana", "Bo, Jr.", "Cem"]),
            ("Bo, Jr.", &["Bo, Jr.", "Jr., Cem"], &["Bo, Jr."]),
            ("", &[], &[""]),
        ];
        for (cell, with_commas, expected) in cases {
            assert_eq!(names(cell, &with_commas.iter().copied().collect()), expected, "{cell}");
        }
    }
}
