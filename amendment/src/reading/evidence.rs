//! That a key proved a signature, for whoever meets the same signature again. Saves work, changes no answer.
//!
//! Spec: 4.5.

use crate::dkim::key_record::{KeyRecord, KeyType};
use crate::dkim::signature::HashAlgorithm;
use crate::dkim::verify::Claim;
use crate::reading::candidate::Candidate;

/// What a key has proven, whole: a proof says nothing about any other signature, and nothing under another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    key: KeyRecord,
    algorithm: KeyType,
    hash: HashAlgorithm,
    domain: String,
    identity: Option<String>,
    header_data: Vec<u8>,
    signature: Vec<u8>,
}

impl Evidence {
    /// The caller has proven this signature under this key.
    pub(super) fn of(candidate: &Candidate<'_>, key: KeyRecord) -> Option<Evidence> {
        let header_data = candidate.header_data()?;
        let claim = candidate.claim(&header_data)?;
        Some(Evidence {
            key,
            algorithm: claim.algorithm,
            hash: claim.hash,
            domain: claim.domain.to_owned(),
            identity: claim.identity.map(str::to_owned),
            signature: claim.signature.to_vec(),
            header_data,
        })
    }

    /// The key that proved this claim; `None` where it is another one.
    pub(crate) fn key_of(&self, claim: &Claim<'_>) -> Option<&KeyRecord> {
        let own = Claim {
            algorithm: self.algorithm,
            hash: self.hash,
            domain: &self.domain,
            identity: self.identity.as_deref(),
            header_data: &self.header_data,
            signature: &self.signature,
        };
        (own == *claim).then_some(&self.key)
    }
}
