//! Which submitted mails are asked for at the next ledger of which node. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::limits::{WATCHED_LEDGERS_MAX, WATCHED_MAX};
use crate::queue::MailId;

/// The watched mails.
#[derive(Debug, Default)]
pub(super) struct Watch {
    mails: BTreeMap<MailId, Watched>,
    by_node: BTreeMap<usize, BTreeSet<MailId>>,
    tips: BTreeMap<usize, u32>,
    to_ask: VecDeque<MailId>,
}

#[derive(Debug)]
struct Watched {
    node: usize,
    ledgers: u32,
}

impl Watch {
    /// The last ledger that a node is known to have validated.
    pub(super) fn tip(&self, node: usize) -> Option<u32> {
        self.tips.get(&node).copied()
    }

    /// A node has a mail; `tip` is what was known of that node before it was asked. A ledger that came since
    /// may hold the mail already.
    pub(super) fn add(&mut self, node: usize, id: MailId, tip: Option<u32>) {
        if self.mails.contains_key(&id) {
            return;
        }
        if self.mails.len() >= WATCHED_MAX {
            // The next try of the entry asks for it.
            return;
        }
        self.mails.insert(id, Watched { node, ledgers: 0 });
        self.by_node.entry(node).or_default().insert(id);
        if self.tip(node) != tip {
            self.to_ask.push_back(id);
        }
    }

    /// Stops watching a mail.
    pub(super) fn remove(&mut self, id: &MailId) {
        let Some(watched) = self.mails.remove(id) else {
            return;
        };
        if let Some(mails) = self.by_node.get_mut(&watched.node) {
            mails.remove(id);
            if mails.is_empty() {
                self.by_node.remove(&watched.node);
            }
        }
    }

    /// Nodes that have watched mails.
    pub(super) fn nodes(&self) -> impl Iterator<Item = usize> {
        self.by_node.keys().copied()
    }

    /// A node's last validated ledger: at a new one, its mails are asked for.
    pub(super) fn see_tip(&mut self, node: usize, tip: u32) {
        if self.tips.insert(node, tip) == Some(tip) {
            return;
        }
        let ids: Vec<MailId> = self.by_node.get(&node).into_iter().flatten().copied().collect();
        self.to_ask.retain(|id| self.mails.contains_key(id));
        let waiting: BTreeSet<MailId> = self.to_ask.iter().copied().collect();
        for id in ids {
            let Some(watched) = self.mails.get_mut(&id) else {
                continue;
            };
            watched.ledgers = watched.ledgers.saturating_add(1);
            if watched.ledgers > WATCHED_LEDGERS_MAX {
                self.remove(&id);
            } else if !waiting.contains(&id) {
                self.to_ask.push_back(id);
            }
        }
    }

    /// The next mail to be asked for, and the node that has it.
    pub(super) fn next_to_ask(&mut self) -> Option<(MailId, usize)> {
        while let Some(id) = self.to_ask.pop_front() {
            if let Some(watched) = self.mails.get(&id) {
                return Some((id, watched.node));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> MailId {
        MailId::new([byte; 32])
    }

    fn asked(watch: &mut Watch) -> Vec<(MailId, usize)> {
        std::iter::from_fn(|| watch.next_to_ask()).collect()
    }

    #[test]
    fn accepts_each_new_ledger_once_and_only_for_its_node() {
        let mut watch = Watch::default();
        watch.add(0, id(1), None);
        watch.add(1, id(2), None);
        assert_eq!(asked(&mut watch), []);
        watch.see_tip(0, 7);
        assert_eq!(asked(&mut watch), [(id(1), 0)]);
        watch.see_tip(0, 7);
        assert_eq!(asked(&mut watch), []);
        watch.see_tip(0, 8);
        watch.see_tip(0, 9);
        assert_eq!(asked(&mut watch), [(id(1), 0)], "asked once for both");
        watch.remove(&id(1));
        watch.see_tip(0, 10);
        assert_eq!(asked(&mut watch), []);
        assert_eq!(watch.nodes().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn accepts_a_ledger_that_came_between_the_question_and_the_watch() {
        let mut watch = Watch::default();
        watch.add(0, id(1), None);
        watch.see_tip(0, 7);
        asked(&mut watch);
        let before = watch.tip(0);
        watch.see_tip(0, 8);
        asked(&mut watch);
        watch.add(0, id(2), before);
        assert_eq!(asked(&mut watch), [(id(2), 0)]);
    }

    #[test]
    fn rejects_mails_beyond_the_bounds() {
        let mut watch = Watch::default();
        for number in 0..=WATCHED_MAX {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            watch.add(0, MailId::new(bytes), None);
        }
        watch.see_tip(0, 1);
        assert_eq!(asked(&mut watch).len(), WATCHED_MAX);
        for tip in 2..=WATCHED_LEDGERS_MAX + 1 {
            watch.see_tip(0, tip);
        }
        assert_eq!(
            watch.nodes().count(),
            0,
            "watched no longer than its transaction lives"
        );
        assert_eq!(asked(&mut watch), []);
    }
}
