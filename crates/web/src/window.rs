//! How much of a long list is drawn.

/// How many rows are drawn at first, and how many more each time the end comes into view.
pub const ROWS_STEP: usize = 60;

/// By how many rows a list may outgrow its step before it is cut back. Without it, each row that comes in at the top
/// would push one out at the bottom.
const SLACK: usize = 40;

/// How many rows of a list to draw: at least `wanted`, and those below that are drawn already, within reason.
/// `last_drawn`: where the row that was the last one stands now.
#[must_use]
pub fn rows_to_draw(wanted: usize, last_drawn: Option<usize>, total: usize) -> usize {
    let drawn = last_drawn.map_or(0, |place| place + 1);
    let kept = if drawn <= wanted + SLACK { drawn.max(wanted) } else { wanted };
    kept.min(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_at_the_top_pushes_none_out() {
        let cases = [
            (60, None, 10, 10),
            (60, None, 500, 60),
            (60, Some(59), 500, 60),
            (60, Some(60), 501, 61),
            (60, Some(99), 500, 100),
            (60, Some(100), 500, 60),
            (60, Some(3), 500, 60),
            (60, Some(3), 3, 3),
        ];
        for (wanted, last_drawn, total, expected) in cases {
            assert_eq!(rows_to_draw(wanted, last_drawn, total), expected, "{wanted} {last_drawn:?} {total}");
        }
    }
}
