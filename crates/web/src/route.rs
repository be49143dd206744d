//! The app's addresses.

use tidebook_ledger::{ContactId, TransactionId};

/// A screen, by its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Contacts,
    Contact(ContactId),
    Transactions,
    Transaction(TransactionId),
    Attention,
    Settings,
    /// No such screen.
    Unknown,
}

impl Route {
    /// Reads the path of an address.
    #[must_use]
    pub fn parse(path: &str) -> Self {
        let mut steps = path.split('/').filter(|step| !step.is_empty());
        match (steps.next(), steps.next(), steps.next()) {
            (None | Some("contacts"), None, None) => Self::Contacts,
            (Some("contacts"), Some(id), None) => id.parse().map_or(Self::Unknown, Self::Contact),
            (Some("transactions"), None, None) => Self::Transactions,
            (Some("transactions"), Some(id), None) => id.parse().map_or(Self::Unknown, Self::Transaction),
            (Some("attention"), None, None) => Self::Attention,
            (Some("settings"), None, None) => Self::Settings,
            _ => Self::Unknown,
        }
    }

    #[must_use]
    pub fn path(self) -> String {
        match self {
            Self::Contacts | Self::Unknown => "/".into(),
            Self::Contact(id) => format!("/contacts/{id}"),
            Self::Transactions => "/transactions".into(),
            Self::Transaction(id) => format!("/transactions/{id}"),
            Self::Attention => "/attention".into(),
            Self::Settings => "/settings".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back() {
        let id = "0199d4c2-5b1e-7c3a-8f00-0123456789ab";
        let contact = Route::Contact(id.parse().expect("an id"));
        let transaction = Route::Transaction(id.parse().expect("an id"));
        for route in [Route::Contacts, contact, Route::Transactions, transaction, Route::Attention, Route::Settings] {
            assert_eq!(Route::parse(&route.path()), route);
        }
        for (path, route) in [
            ("", Route::Contacts),
            ("/contacts", Route::Contacts),
            ("/settings/", Route::Settings),
            ("/contacts/7", Route::Unknown),
            ("/transactions/7", Route::Unknown),
            ("/contacts/0199d4c2-5b1e-7c3a-8f00-0123456789ab/x", Route::Unknown),
            ("/elsewhere", Route::Unknown),
        ] {
            assert_eq!(Route::parse(path), route, "{path}");
        }
    }
}
