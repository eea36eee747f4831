//! What the operators of a network agree on: who its validators are, and whether the mail of a domain is stopped. Each
//! tells his own node, again and again until the ledger has it; where a node is down he waits.

use std::collections::BTreeSet;

use amendment::Domain;
use codec::keys::PublicKey;
use codec::{Object, keylet, sf};
use ledger::Ledger;
use ledger::dkim::Ruling;

use crate::dice::{Dice, NODES, VALIDATORS};
use crate::machine::{Disk, SimMachine};
use crate::mails::{RULED, validator};

/// Validators at least where one of them may keep no rule: of five, four votes are enough for all that is decided.
const WITH_DISHONEST_MIN: usize = 5;
/// Validators at least, all of which keep the rules.
const HONEST_MIN: usize = 4;

/// What they agreed on and the ledger may not have yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operators {
    list: Option<BTreeSet<usize>>,
    ruling: Option<Ruling>,
}

pub(crate) fn key_of(node: usize) -> PublicKey {
    validator(u8::try_from(node).expect("few") + 1).public_key()
}

/// The node with a key.
pub(crate) fn node_of(key: &[u8]) -> Option<usize> {
    (0..usize::from(NODES)).find(|node| key_of(*node).as_bytes() == key)
}

/// The validators that a ledger lists.
pub(crate) fn listed(ledger: &Ledger) -> BTreeSet<usize> {
    let Some(report) = ledger.entry(&keylet::unl_report()) else {
        return (0..usize::from(VALIDATORS)).collect();
    };
    let active = report.array(sf::ACTIVE_VALIDATORS).unwrap_or(&[]).iter();
    let keys = active.filter_map(|(_, one): &(_, Object)| one.blob(sf::PUBLIC_KEY));
    keys.filter_map(node_of).collect()
}

fn ruled() -> Domain {
    Domain::new(RULED.as_bytes()).expect("a domain")
}

/// Whether a ledger stops the mail of the domain that is ruled about.
fn is_stopped(ledger: &Ledger) -> bool {
    let entry = ledger.entry(&ruled().freeze_keylet());
    entry.is_some_and(|entry| entry.u32(sf::ACTIVE_AFTER).is_none())
}

impl Operators {
    /// They agree on another list than a ledger's: one joins, one leaves, or a new key takes the place of an old one.
    pub(crate) fn agree_on_list(&mut self, ledger: &Ledger, dice: &mut Dice, dishonest: Option<usize>) {
        let now = listed(ledger);
        let others: Vec<usize> = (0..usize::from(NODES))
            .filter(|node| !now.contains(node))
            .collect();
        let pick = |from: &[usize], dice: &mut Dice| {
            let sides = u64::try_from(from.len().max(1)).expect("few");
            from.get(usize::try_from(dice.roll(sides)).expect("few")).copied()
        };
        let members: Vec<usize> = now.iter().copied().collect();
        let (joins, leaves) = match dice.roll(3) {
            0 => (pick(&others, dice), None),
            1 => (None, pick(&members, dice)),
            _ => (pick(&others, dice), pick(&members, dice)),
        };
        let mut wanted = now.clone();
        wanted.extend(joins);
        leaves.iter().for_each(|node| {
            wanted.remove(node);
        });
        let least = match dishonest {
            Some(node) if wanted.contains(&node) => WITH_DISHONEST_MIN,
            Some(_) | None => HONEST_MIN,
        };
        if wanted != now && wanted.len() >= least {
            self.list = Some(wanted);
        }
    }

    /// They agree to stop the mail of the domain, or to let it through again.
    pub(crate) fn agree_on_mail(&mut self, ruling: Ruling) {
        self.ruling = Some(ruling);
    }

    /// The operator of a node tells it what its ledger does not have.
    pub(crate) fn tell(&self, machine: &SimMachine, disk: &Disk) -> Option<Ruling> {
        if let Some(list) = &self.list
            && listed(&disk.ledger) != *list
        {
            machine.want_list(list.iter().map(|node| key_of(*node)).collect());
        }
        if let Some(ruling) = self.ruling {
            machine.rule(ruled(), ruling);
        }
        self.ruling
    }

    /// Whether a ledger has all of it.
    pub(crate) fn are_heard(&self, ledger: &Ledger) -> bool {
        let has_list = self.list.as_ref().is_none_or(|list| listed(ledger) == *list);
        let has_ruling = match self.ruling {
            Some(Ruling::Frozen) => is_stopped(ledger),
            Some(Ruling::Lifted) => !is_stopped(ledger),
            None => true,
        };
        has_list && has_ruling
    }
}
