//! What a mail under way waits for: what an operator can mend, and what only its sender or time can.

use std::collections::BTreeMap;

use codec::Ter;
use serde::{Deserialize, Serialize};

use super::entry::{Dkim, Entry};

/// What a mail under way waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaitsFor {
    /// A node, or the ledger that closes next.
    Node,
    /// The operator, who holds it.
    Operator,
    /// The key of its sender's provider.
    Key,
    /// XAH for its sender's account.
    Funds,
    /// A time: its own, or that of an older mail of its account.
    Time,
}

impl WaitsFor {
    /// All.
    pub const ALL: [WaitsFor; 5] = [
        WaitsFor::Node,
        WaitsFor::Operator,
        WaitsFor::Key,
        WaitsFor::Funds,
        WaitsFor::Time,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            WaitsFor::Node => "node",
            WaitsFor::Operator => "operator",
            WaitsFor::Key => "key",
            WaitsFor::Funds => "funds",
            WaitsFor::Time => "time",
        }
    }

    /// What an entry waits for by the last word on it; `None` where it is final.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<WaitsFor> {
        if entry.is_final() {
            return None;
        }
        if entry.is_held() {
            return Some(WaitsFor::Operator);
        }
        let is = |codes: &[Ter]| {
            let said = entry.said.code.as_ref();
            said.is_some_and(|said| codes.iter().any(|code| said.is(*code)))
        };
        Some(match entry.dkim {
            _ if is(&[Ter::TER_NO_ACCOUNT, Ter::TER_INSUF_FEE_B]) => WaitsFor::Funds,
            _ if is(&[Ter::TER_EMAIL_EARLY, Ter::TEF_EMAIL_FULL]) => WaitsFor::Time,
            _ if is(&[Ter::TER_NO_DKIM_KEY, Ter::TEF_BAD_SIGNATURE]) => WaitsFor::Key,
            Dkim::Unproven => WaitsFor::Key,
            Dkim::Proven => WaitsFor::Node,
        })
    }
}

/// Mails that wait for one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Waiting {
    /// How many.
    pub count: u64,
    /// Age of the oldest, seconds.
    pub oldest_secs: u64,
}

/// All mails under way, by what they wait for.
pub type Waits = BTreeMap<WaitsFor, Waiting>;

/// Counts an entry.
pub(super) fn count(waits: &mut Waits, entry: &Entry, now: u64) {
    if let Some(what) = WaitsFor::of(entry) {
        let waiting = waits.entry(what).or_default();
        waiting.count += 1;
        let age_secs = now.saturating_sub(entry.received_at);
        waiting.oldest_secs = waiting.oldest_secs.max(age_secs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Hold;
    use crate::queue::tests::{CAME, entry};

    #[test]
    fn a_slip_of_the_sender_is_told_apart_from_a_node_that_is_away() {
        for (code, expected) in [
            (None, WaitsFor::Node),
            (Some(Ter::TEL_CAN_NOT_QUEUE_FULL), WaitsFor::Node),
            (Some(Ter::TER_NO_ACCOUNT), WaitsFor::Funds),
            (Some(Ter::TER_INSUF_FEE_B), WaitsFor::Funds),
            (Some(Ter::TER_NO_DKIM_KEY), WaitsFor::Key),
            (Some(Ter::TER_EMAIL_EARLY), WaitsFor::Time),
            (Some(Ter::TEF_EMAIL_FULL), WaitsFor::Time),
        ] {
            let mut waiting = entry(1);
            waiting.said.code = code.map(Into::into);
            assert_eq!(WaitsFor::of(&waiting), Some(expected), "{code:?}");
            waiting.progress.set_hold(Hold::Held);
            assert_eq!(WaitsFor::of(&waiting), Some(WaitsFor::Operator), "{code:?}");
        }
        let mut unproven = entry(1);
        unproven.dkim = Dkim::Unproven;
        assert_eq!(WaitsFor::of(&unproven), Some(WaitsFor::Key));
        let mut waits = Waits::new();
        for number in [1, 2, 3] {
            count(&mut waits, &entry(number), CAME + 10);
        }
        let waiting = Waiting {
            count: 3,
            oldest_secs: 9,
        };
        assert_eq!(waits, Waits::from([(WaitsFor::Node, waiting)]));
    }
}
