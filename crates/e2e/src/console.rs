//! What the browser's console says, and which of it is a fault of the app's.

use std::fmt;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::Expected;

#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    level: String,
    message: String,
    #[serde(default)]
    source: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.level, self.source, self.message)
    }
}

pub(crate) fn parse(log: &Value) -> Result<Vec<Line>> {
    Deserialize::deserialize(log).context("the driver's log is a list of lines")
}

impl Line {
    /// Errors, and what the page's own policy forbade.
    pub(crate) fn is_complaint(&self, expected: &[Expected]) -> bool {
        let is_error = self.level == "SEVERE" || self.source == "security";
        is_error && !self.is_who_is_here() && !expected.iter().any(|expected| self.follows_from(*expected))
    }

    /// Chromium itself writes a line for each answer of 400 and more. That nobody is signed in is one.
    fn is_who_is_here(&self) -> bool {
        self.is_answer() && self.message.contains("status of 401")
    }

    fn follows_from(&self, expected: Expected) -> bool {
        match expected {
            Expected::Refusal => self.is_answer() && self.message.contains("status of 4"),
            Expected::LostConnection => {
                let is_line = self.message.contains("WebSocket connection to") || self.message.contains("net::ERR_");
                is_line && !self.message.contains("Content Security Policy")
            }
        }
    }

    fn is_answer(&self) -> bool {
        self.source == "network" && self.message.contains("/api/v1/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_brought_about_is_forgiven() {
        use Expected::{LostConnection, Refusal};
        let api = "http://x/api/v1/sessions - Failed to load resource: the server responded with a status of";
        let socket = "WebSocket connection to 'ws://x/ws' failed: net::ERR_CONNECTION_REFUSED";
        let policy = "Connecting to 'ws://x' violates the following Content Security Policy directive";
        let cases: &[(&str, &str, &str, &[Expected], bool)] = &[
            ("SEVERE", "network", &format!("{api} 401"), &[], false),
            ("SEVERE", "network", &format!("{api} 422"), &[], true),
            ("SEVERE", "network", &format!("{api} 422"), &[Refusal], false),
            ("SEVERE", "network", &format!("{api} 500"), &[Refusal, LostConnection], true),
            ("SEVERE", "javascript", socket, &[Refusal], true),
            ("SEVERE", "javascript", socket, &[LostConnection], false),
            ("WARNING", "security", policy, &[LostConnection], true),
            ("SEVERE", "javascript", "panicked at …", &[Refusal, LostConnection], true),
            ("WARNING", "deprecation", "…", &[], false),
        ];
        for (level, source, message, expected, complains) in cases {
            let line = Line { level: (*level).into(), message: (*message).into(), source: (*source).into() };
            assert_eq!(line.is_complaint(expected), *complains, "{line}");
        }
    }
}
