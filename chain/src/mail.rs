//! A mail read under the keys of a ledger.

use std::sync::Arc;

use amendment::KeyName;
use codec::{Hash256, hash};
use explain::Explanation;
use ledger::Ledger;

use crate::rules;

/// A mail, and what the rules say about it under the keys of a ledger.
///
/// Making one verifies the signature, the costly part of a submission: a host makes them outside of
/// [`crate::Chain::handle`], on as many threads as it has.
#[derive(Debug, Clone)]
pub struct ReadMail {
    id: Hash256,
    raw: Arc<[u8]>,
    explanation: Explanation,
    names: Vec<KeyName>,
}

impl ReadMail {
    /// Read a mail. Spec: 7.3
    #[must_use]
    pub fn new(raw: impl Into<Arc<[u8]>>, ledger: &Ledger, network_id: u32) -> Self {
        let raw = raw.into();
        Self {
            id: mail_id(&raw),
            explanation: rules::explain(&raw, ledger, network_id),
            names: rules::key_names(&raw),
            raw,
        }
    }

    /// The mail's id in the node: the hash of its bytes.
    #[must_use]
    pub fn id(&self) -> Hash256 {
        self.id
    }

    /// Its bytes.
    #[must_use]
    pub fn raw(&self) -> &Arc<[u8]> {
        &self.raw
    }

    /// Every check with its verdict.
    #[must_use]
    pub fn explanation(&self) -> &Explanation {
        &self.explanation
    }

    /// The explanation alone.
    #[must_use]
    pub fn into_explanation(self) -> Explanation {
        self.explanation
    }

    /// The keys that would prove it.
    #[must_use]
    pub fn names(&self) -> &[KeyName] {
        &self.names
    }
}

/// The id of a mail: the hash of its bytes.
#[must_use]
pub fn mail_id(raw: &[u8]) -> Hash256 {
    hash::sha512_half(&[raw])
}
