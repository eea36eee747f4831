//! The amendments that this program knows, what its validator votes about them, and the transactions that its votes make.
//!
//! With one validator its vote is the majority. Xahau's rules of xahaud's AmendmentTable: counted in the ledger after each
//! flag ledger, enabled when the majority has lasted.

use std::collections::BTreeMap;

use codec::format::TxType;
use codec::{AccountId, Amount, CloseTime, Hash256, LedgerIndex, Object, hash, keylet, sf};
use ledger::genesis::AMENDMENTS;
use ledger::{Ledger, Transaction};
use rpc::api::{AmendmentState, AmendmentStatus, Stance};

use crate::limits::FLAG_LEDGERS;
use crate::store::Vote;

/// The amendment of this project (spec 1).
const EMAIL: &str = "Email";

/// Amendments that xahaud knows as outdated: their rules are in force without them, and nobody votes for them.
const OBSOLETE: [&str; 15] = [
    "CryptoConditions",
    "EnforceInvariants",
    "Escrow",
    "FeeEscalation",
    "MultiSign",
    "PayChan",
    "SortedDirectories",
    "TickSize",
    "TrustSetAuth",
    "fix1201",
    "fix1368",
    "fix1373",
    "fix1512",
    "fix1523",
    "fix1528",
];

/// Flags of EnableAmendment (xahaud TxFlags.h).
const TF_GOT_MAJORITY: u32 = 0x0001_0000;
const TF_LOST_MAJORITY: u32 = 0x0002_0000;

/// The votes of this node's validator, by amendment.
pub(crate) type Votes = BTreeMap<Hash256, Vote>;

/// What the ledger says of amendments.
struct OnLedger {
    enabled: Vec<Hash256>,
    majorities: BTreeMap<Hash256, CloseTime>,
}

impl OnLedger {
    fn of(ledger: &Ledger) -> Self {
        let entry = ledger.entry(&keylet::amendments()).unwrap_or_default();
        let majorities = entry.array(sf::MAJORITIES).unwrap_or(&[]);
        Self {
            enabled: entry.vector256(sf::AMENDMENTS).unwrap_or(&[]).to_vec(),
            majorities: majorities
                .iter()
                .filter_map(|(_, majority)| {
                    let since = CloseTime::new(majority.u32(sf::CLOSE_TIME)?);
                    Some((majority.hash256(sf::AMENDMENT)?, since))
                })
                .collect(),
        }
    }

    fn status(&self, id: &Hash256) -> AmendmentStatus {
        match self.majorities.get(id) {
            _ if self.enabled.contains(id) => AmendmentStatus::Enabled,
            Some(since) => AmendmentStatus::Majority { since: *since },
            None => AmendmentStatus::Disabled,
        }
    }
}

fn id_of(name: &str) -> Hash256 {
    hash::sha512_half(&[name.as_bytes()])
}

/// Names that the validator may vote about.
fn known() -> impl Iterator<Item = &'static str> {
    AMENDMENTS.into_iter().chain([EMAIL])
}

/// Whether the validator may vote about an amendment.
pub(crate) fn is_votable(id: &Hash256) -> bool {
    known().any(|name| id_of(name) == *id)
}

/// Whoever has said nothing votes for what xahaud votes for, and not for ours: that is the operator's decision.
fn vote_about(votes: &Votes, name: &str, id: &Hash256) -> Vote {
    let default = if name == EMAIL { Vote::Against } else { Vote::For };
    votes.get(id).copied().unwrap_or(default)
}

/// All amendments: those that the program knows, and those that the ledger has besides.
pub(crate) fn states(ledger: &Ledger, votes: &Votes) -> Vec<AmendmentState> {
    let on_ledger = OnLedger::of(ledger);
    let mut list: Vec<AmendmentState> = known()
        .map(|name| {
            let id = id_of(name);
            let vote = match vote_about(votes, name, &id) {
                Vote::For => rpc::api::Vote::For,
                Vote::Against => rpc::api::Vote::Against,
            };
            (name, id, Stance::Voting(vote))
        })
        .chain(OBSOLETE.map(|name| (name, id_of(name), Stance::Obsolete)))
        .map(|(name, id, stance)| AmendmentState {
            id,
            name: Some(name),
            status: on_ledger.status(&id),
            stance,
        })
        .collect();
    let besides = on_ledger.enabled.iter().chain(on_ledger.majorities.keys());
    for id in besides {
        if list.iter().all(|known| known.id != *id) {
            list.push(AmendmentState {
                id: *id,
                name: None,
                status: on_ledger.status(id),
                stance: Stance::Unknown,
            });
        }
    }
    list
}

/// What the votes make of the ledger after a flag ledger: majorities won and lost, and amendments enabled whose majority
/// has lasted. Nothing after any other ledger.
pub(crate) fn changes(parent: &Ledger, votes: &Votes, majority_secs: u32) -> Vec<Transaction> {
    if !parent.index().get().is_multiple_of(FLAG_LEDGERS) {
        return Vec::new();
    }
    let on_ledger = OnLedger::of(parent);
    // xahaud measures with the parent's close time of the flag ledger, as the entry's time was taken.
    let now = parent.header().parent_close_time;
    let index = LedgerIndex::new(parent.index().get().saturating_add(1));
    let voted = known().filter_map(|name| {
        let id = id_of(name);
        let flags = match (on_ledger.status(&id), vote_about(votes, name, &id)) {
            (AmendmentStatus::Disabled, Vote::For) => TF_GOT_MAJORITY,
            (AmendmentStatus::Majority { .. }, Vote::Against) => TF_LOST_MAJORITY,
            (AmendmentStatus::Majority { since }, Vote::For)
                if since.seconds().saturating_add(majority_secs) <= now.seconds() =>
            {
                0
            }
            _ => return None,
        };
        enable_amendment(id, flags, index)
    });
    voted.collect()
}

/// The pseudo-transaction, byte for byte as xahaud makes it.
fn enable_amendment(id: Hash256, flags: u32, index: LedgerIndex) -> Option<Transaction> {
    let mut tx = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::EnableAmendment.code())
        .with(sf::SEQUENCE, 0_u32)
        .with(sf::LEDGER_SEQUENCE, index.get())
        .with(sf::AMENDMENT, id)
        .with(sf::FEE, Amount::Native(0))
        .with(sf::SIGNING_PUB_KEY, Vec::<u8>::new())
        .with(sf::ACCOUNT, AccountId::ZERO);
    if flags != 0 {
        tx.set(sf::FLAGS, flags);
    }
    Transaction::from_object(&tx).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::GenesisConfig;
    use ledger::genesis::EmailAmendment;

    fn genesis(email: EmailAmendment) -> Ledger {
        Ledger::genesis(&GenesisConfig {
            network_id: 21_337,
            validators: vec![vec![0xED; 33]],
            email,
            close_time: CloseTime::new(1_000),
            key_delay_first_secs: 0,
            key_delay_next_secs: 0,
        })
    }

    #[test]
    fn accepts_the_names_and_states_of_the_recorded_server() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/golden/xahaud/feature.json"
        );
        let text = std::fs::read_to_string(path).expect("recorded");
        let recorded: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let recorded = recorded["features"].as_object().expect("features");
        let states = states(&genesis(EmailAmendment::Absent), &Votes::new());
        assert_eq!(states.len(), recorded.len() + 1, "Email is ours");
        for (id, expected) in recorded {
            let state = states
                .iter()
                .find(|state| state.id.to_string() == *id)
                .expect("known");
            assert_eq!(expected["name"], state.name.expect("a name"));
            assert_eq!(expected["enabled"], state.status == AmendmentStatus::Enabled);
            assert_eq!(
                expected.get("vetoed").is_some(),
                state.stance == Stance::Obsolete,
                "{id}"
            );
        }
        let email = states
            .iter()
            .find(|state| state.name == Some(EMAIL))
            .expect("ours");
        assert_eq!(email.id, amendment::AMENDMENT_EMAIL);
        assert_eq!(
            (email.status, email.stance),
            (AmendmentStatus::Disabled, Stance::Voting(rpc::api::Vote::Against))
        );
    }

    #[test]
    fn rejects_votes_after_other_ledgers_and_about_what_is_enabled() {
        let votes = Votes::from([(amendment::AMENDMENT_EMAIL, Vote::For)]);
        assert!(
            changes(&genesis(EmailAmendment::Absent), &votes, 0).is_empty(),
            "no flag ledger"
        );
        assert!(is_votable(&amendment::AMENDMENT_EMAIL));
        assert!(!is_votable(&id_of("Escrow")) && !is_votable(&Hash256::ZERO));
    }

    /// The bytes of 7.3 of the facts: Fee 0, Sequence 0, no key, the account as 20 zero bytes.
    #[test]
    fn accepts_the_bytes_of_the_pseudo_transaction() {
        let id = Hash256::new([0xAB; 32]);
        let tx = enable_amendment(id, TF_GOT_MAJORITY, LedgerIndex::new(257)).expect("a transaction");
        let expected = format!(
            "120064{}{}{}5013{}6840000000000000007300{}",
            "2200010000",
            "2400000000",
            "2600000101",
            "AB".repeat(32),
            format_args!("8114{}", "00".repeat(20))
        );
        let blob: String = tx.blob().iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(blob, expected);
    }
}
