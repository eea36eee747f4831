//! What the log says of peers: each of them is named at once, and then no more often than a bound allows, with the
//! number of times. A peer that breaks the rules for ever fills no disk.

use std::collections::BTreeMap;
use std::time::SystemTime;

use commonware_cryptography::ed25519::PublicKey;

use crate::limits::COMPLAINTS_EVERY;

/// What was found about one kind of message.
#[derive(Default)]
pub(crate) struct Complaints(BTreeMap<PublicKey, Complaint>);

struct Complaint {
    said: SystemTime,
    unsaid: u64,
}

impl Complaints {
    /// One more about a peer. Answers how many times it was since the log said so, where it is to say so now.
    pub(crate) fn add(&mut self, peer: &PublicKey, now: SystemTime) -> Option<u64> {
        let Some(complaint) = self.0.get_mut(peer) else {
            self.0.insert(peer.clone(), Complaint { said: now, unsaid: 0 });
            return Some(1);
        };
        complaint.unsaid = complaint.unsaid.saturating_add(1);
        // A clock that went back ends the silence.
        let is_silent = now
            .duration_since(complaint.said)
            .is_ok_and(|since| since < COMPLAINTS_EVERY);
        if is_silent {
            return None;
        }
        complaint.said = now;
        Some(std::mem::take(&mut complaint.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_cryptography::Signer as _;
    use commonware_cryptography::ed25519::PrivateKey;
    use std::time::Duration;

    #[test]
    fn accepts_one_line_a_minute_of_each_peer_with_the_number_of_times() {
        let peer = |seed| PrivateKey::from_seed(seed).public_key();
        let (mut complaints, begin) = (Complaints::default(), SystemTime::UNIX_EPOCH);
        assert_eq!(complaints.add(&peer(1), begin), Some(1));
        for second in 1..60 {
            assert_eq!(
                complaints.add(&peer(1), begin + Duration::from_secs(second)),
                None
            );
        }
        assert_eq!(complaints.add(&peer(2), begin + Duration::from_secs(30)), Some(1));
        assert_eq!(
            complaints.add(&peer(1), begin + Duration::from_secs(60)),
            Some(60)
        );
        assert_eq!(complaints.add(&peer(1), begin + Duration::from_secs(61)), None);
        assert_eq!(complaints.add(&peer(1), begin), Some(2), "the clock went back");
    }
}
