//! What a bench found, as a plot for docs/benchmarks.md.

use serde_json::{Value, json};

use crate::medians::rounded;

/// Bars with their names, side by side.
pub(crate) fn plot<N: Into<String>>(title: &str, unit: &str, bars: impl IntoIterator<Item = (N, f64)>) -> Value {
    let bars = bars.into_iter().map(|(name, value)| json!({ "name": name.into(), "value": rounded(value) }));
    json!({ "title": title, "unit": unit, "bars": bars.collect::<Vec<_>>() })
}
