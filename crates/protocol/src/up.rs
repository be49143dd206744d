//! What a replica says.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidebook_book::{BookId, ChainHash, Epoch, Mutation, MutationNumber, ReplicaId, Seq, read_by_name};

/// A message from a replica to a server.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Up {
    Hello(Hello),
    Subscribe(Subscribe),
    Unsubscribe {
        book: BookId,
    },
    Push(Push),
    /// What the person looks at or edits. Carried as it came: presence is never stored nor decided on.
    Presence(PresenceUp),
}

/// The first message on a socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    pub replica: ReplicaId,
    /// The program and its version, for the list of a person's devices.
    pub client: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Asks for a book's entries after `after`, then live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    pub book: BookId,
    /// None where the replica has nothing of the book yet.
    #[serde(default)]
    pub epoch: Option<Epoch>,
    pub after: Seq,
    /// The replica's own hash at `after`; required when `after` is above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<ChainHash>,
    /// The replica's lowest number without a fate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_from: Option<MutationNumber>,
}

/// Offers mutations, numbers ascending by one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Push {
    pub book: BookId,
    pub epoch: Epoch,
    pub mutations: Vec<Box<RawValue>>,
}

/// See [`Up::Presence`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PresenceUp {
    pub book: BookId,
    #[serde(default)]
    pub viewing: Option<Box<RawValue>>,
    #[serde(default)]
    pub editing: Option<Box<RawValue>>,
}

/// Why a frame from a replica could not be read.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    #[error("not a JSON object with a `type`: {0}")]
    NotAMessage(serde_json::Error),
    #[error("unknown message type {0:?}; known are hello, subscribe, unsubscribe, push and presence")]
    UnknownType(String),
    #[error("malformed {kind}: {source}")]
    Malformed { kind: String, source: serde_json::Error },
}

pub(crate) struct Tag {
    pub(crate) kind: String,
}

read_by_name!(Tag { kind as "type" });

impl Up {
    /// Reads one text frame.
    pub fn parse(text: &str) -> Result<Self, UpError> {
        #[derive(Deserialize)]
        struct Unsubscribe {
            book: BookId,
        }
        // As replicas write it: long, many, and so read once.
        if text.starts_with(r#"{"type":"push","#) {
            let push = serde_json::from_str(text).map(Self::Push);
            return push.map_err(|source| UpError::Malformed { kind: "push".into(), source });
        }
        let tag: Tag = serde_json::from_str(text).map_err(UpError::NotAMessage)?;
        match tag.kind.as_str() {
            "hello" => serde_json::from_str(text).map(Self::Hello),
            "subscribe" => serde_json::from_str(text).map(Self::Subscribe),
            "unsubscribe" => serde_json::from_str(text).map(|Unsubscribe { book }| Self::Unsubscribe { book }),
            "push" => serde_json::from_str(text).map(Self::Push),
            "presence" => serde_json::from_str(text).map(Self::Presence),
            unknown => return Err(UpError::UnknownType(unknown.chars().take(40).collect())),
        }
        .map_err(|source| UpError::Malformed { kind: tag.kind, source })
    }

    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a message serialises into memory")
    }
}

/// A mutation whose envelope has been read and whose ops have not.
#[derive(Debug, Clone)]
pub struct RawMutation {
    pub envelope: Mutation<Box<RawValue>>,
    /// Its size as it came, which the limits count.
    pub encoded_bytes: usize,
}

impl RawMutation {
    /// Reads the envelope: id, number, base and the list of ops. An error means there is nothing to answer to.
    pub fn parse(raw: &RawValue) -> Result<Self, UpError> {
        let envelope =
            serde_json::from_str(raw.get()).map_err(|source| UpError::Malformed { kind: "mutation".into(), source })?;
        Ok(Self { envelope, encoded_bytes: raw.get().len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: &str = "0199d4c2-5b1e-7c3a-8f00-0123456789ab";

    #[test]
    fn frames_that_are_no_messages_say_why() {
        let cases = [
            ("", "not a JSON object with a `type`"),
            ("{", "not a JSON object with a `type`"),
            ("[]", "not a JSON object with a `type`"),
            (r#"{"type":7}"#, "not a JSON object with a `type`"),
            (r#"{"type":"shout"}"#, "unknown message type \"shout\""),
            (r#"{"type":"hello","protocol":"one"}"#, "malformed hello"),
            (r#"{"type":"subscribe","book":"x","after":0}"#, "malformed subscribe"),
            (r#"{"type":"subscribe","book":"0199d4c2-5b1e-7c3a-8f00-0123456789ab","after":-1}"#, "malformed subscribe"),
        ];
        for (text, expected) in cases {
            let error = Up::parse(text).expect_err(text).to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_encoded_reads_back() {
        let text = format!(
            r#"{{"type":"subscribe","book":"{BOOK}","epoch":null,"after":3,"hash":"{}","pending_from":2}}"#,
            ChainHash::of(b"x")
        );
        let message = Up::parse(&text).expect("well-formed");
        assert_eq!(message.encode(), text);
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let text = format!(r#"{{"future":[1],"type":"unsubscribe","book":"{BOOK}","also":{{}}}}"#);
        assert!(matches!(Up::parse(&text), Ok(Up::Unsubscribe { .. })));
    }
}
