//! The answer to `feature`: the amendments that this program knows, those of the ledger, and the validator's
//! votes.

use std::collections::BTreeMap;

use chain::commit::Vote;
use chain::votes::{Votes, known, vote_about};
use codec::{CloseTime, Hash256};
use ledger::amendments::{self, id};
use ledger::{Ledger, dkim};
use rpc::api::{AmendmentState, AmendmentStatus, Stance};

use crate::votes::supporters;

/// Amendments that xahaud knows as outdated: their rules are in force without them, and nobody votes for
/// them.
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

/// What the ledger says of amendments.
struct OnLedger {
    enabled: Vec<Hash256>,
    majorities: BTreeMap<Hash256, CloseTime>,
}

impl OnLedger {
    fn of(ledger: &Ledger) -> Self {
        Self {
            enabled: amendments::enabled(ledger),
            majorities: amendments::majorities(ledger),
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

/// All amendments: those that the program knows, and those that the ledger has besides.
pub(crate) fn states(ledger: &Ledger, votes: &Votes) -> Vec<AmendmentState> {
    let on_ledger = OnLedger::of(ledger);
    let supporters = supporters(ledger);
    let validators = u32::try_from(dkim::validators(ledger).len()).unwrap_or(u32::MAX);
    let mut list: Vec<AmendmentState> = known()
        .map(|name| {
            let amendment = id(name);
            let vote = match vote_about(votes, name) {
                Vote::For => rpc::api::Vote::For,
                Vote::Against => rpc::api::Vote::Against,
            };
            (name, amendment, Stance::Voting(vote))
        })
        .chain(OBSOLETE.map(|name| (name, id(name), Stance::Obsolete)))
        .map(|(name, id, stance)| AmendmentState {
            id,
            name: Some(name),
            status: on_ledger.status(&id),
            stance,
            supporters: supporters(&id),
            validators,
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
                supporters: supporters(id),
                validators,
            });
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::votes::EMAIL;
    use codec::keys::PublicKey;
    use ledger::GenesisConfig;
    use ledger::dkim::KeyDelays;
    use ledger::genesis::EmailAmendment;

    fn genesis(email: EmailAmendment) -> Ledger {
        Ledger::genesis(&GenesisConfig {
            network_id: 21_337,
            validators: vec![PublicKey::parse(&[0xED; 33]).expect("a key")],
            email,
            close_time: CloseTime::new(1_000),
            key_delays: KeyDelays::NONE,
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
        let states = states(&genesis(EmailAmendment::Absent), &Votes::default());
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
}
