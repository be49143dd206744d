//! From raw JSON to the domain's ops, or to the reason why not.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use tidebook_book::{Domain, Rejected};
use tidebook_protocol::{MUTATION_BYTES_MAX, MUTATION_OPS_MAX, RawMutation};

/// Why there are no ops to decide.
#[derive(Debug)]
pub(crate) enum OpsError {
    /// An op of a newer version: the mutation waits in its outbox for a newer server.
    Unknown(String),
    /// The content is at fault.
    Rejected(Rejected),
}

pub(crate) fn read_ops<D: Domain>(mutation: &RawMutation) -> Result<Vec<D::Op>, OpsError> {
    let ops = &mutation.envelope.ops;
    if mutation.encoded_bytes > MUTATION_BYTES_MAX {
        return Err(rejected("too_large", format!("a mutation has at most {MUTATION_BYTES_MAX} bytes"), 0));
    }
    if ops.len() > MUTATION_OPS_MAX {
        return Err(rejected("too_large", format!("a mutation has at most {MUTATION_OPS_MAX} ops"), MUTATION_OPS_MAX));
    }
    if ops.is_empty() {
        return Err(rejected("withdrawn", "withdrawn before it entered the log".into(), 0));
    }
    ops.iter().enumerate().map(|(index, raw)| read_op::<D>(index, raw)).collect()
}

fn read_op<D: Domain>(index: usize, raw: &RawValue) -> Result<D::Op, OpsError> {
    #[derive(Deserialize)]
    struct Name<'a> {
        #[serde(borrow)]
        op: Cow<'a, str>,
    }
    // What reads has a name that is known; what does not is asked for its name.
    serde_json::from_str(raw.get()).map_err(|error| match serde_json::from_str::<Name<'_>>(raw.get()) {
        Ok(name) if !D::OP_NAMES.contains(&&*name.op) => OpsError::Unknown(name.op.chars().take(40).collect()),
        _ => rejected("malformed", error.to_string(), index),
    })
}

fn rejected(code: &str, detail: String, op: usize) -> OpsError {
    OpsError::Rejected(Rejected { code: code.into(), detail, op, field: None })
}
