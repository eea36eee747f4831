//! What validators say about keys and domains, until a ledger has it.

use std::collections::BTreeMap;

use amendment::{Domain, KeyName};
use codec::CloseTime;
use codec::keys::PublicKey;
use ledger::dkim::{self, Attestation, Ruling, Statement, Subject};
use ledger::{Ledger, Transaction};

use crate::limits::{
    ATTESTED_NAMES_MAX, ATTESTED_PER_DOMAIN_MAX, FREEZES_PER_LEDGER_MAX, FREEZES_WISHED_MAX,
    KEY_SETS_PER_DOMAIN_MAX, KEY_SETS_PER_LEDGER_MAX,
};

/// The attestations about one subject, by validator: each validator's last word.
type Words = BTreeMap<[u8; 33], Attestation>;

/// Attestations that no ledger has yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attestations(BTreeMap<Subject, Words>);

impl Attestations {
    /// Take an attestation in place of the validator's earlier one. One that is older than the known one is
    /// not taken: anybody could hand it in again. Nor is one about something new beyond the bounds: each validator has
    /// its own, so that none of them takes the room of another.
    pub(crate) fn insert(&mut self, word: Attestation) {
        let (subject, validator) = (word.statement.subject(), *word.public_key.as_bytes());
        match self.0.get(&subject).and_then(|words| words.get(&validator)) {
            Some(known) if known.observed_at > word.observed_at => return,
            Some(_) => {}
            None if !self.has_room(&subject, &word.public_key) => return,
            None => {}
        }
        self.0.entry(subject).or_default().insert(validator, word);
    }

    /// Whether a validator may speak of something new: of so many keys of a domain and of all, of so many domains.
    fn has_room(&self, subject: &Subject, validator: &PublicKey) -> bool {
        match subject {
            Subject::Domain(_) => {
                let is_of_domain = |word: &&Attestation| matches!(word.statement, Statement::Domain(..));
                self.of(validator).filter(is_of_domain).count() < FREEZES_WISHED_MAX
            }
            Subject::Key(name) => {
                let (mut all, mut of_domain) = (0_usize, 0_usize);
                for word in self.of(validator) {
                    if let Statement::Key(other, _) = &word.statement {
                        all = all.saturating_add(1);
                        of_domain = of_domain.saturating_add(usize::from(other.domain() == name.domain()));
                    }
                }
                all < ATTESTED_NAMES_MAX && of_domain < ATTESTED_PER_DOMAIN_MAX
            }
        }
    }

    /// A validator's last word, if no ledger has it yet.
    pub(crate) fn word(&self, subject: &Subject, validator: &PublicKey) -> Option<&Attestation> {
        self.0.get(subject)?.get(validator.as_bytes())
    }

    /// Whether a validator has said something about a key that no ledger has yet.
    pub(crate) fn has_key(&self, name: &KeyName, validator: &PublicKey) -> bool {
        self.word(&Subject::Key(name.clone()), validator).is_some()
    }

    /// What validators say about domains, each with how many of them say so.
    pub(crate) fn rulings(&self) -> BTreeMap<(&Domain, Ruling), usize> {
        let mut counts = BTreeMap::new();
        for word in self.0.values().flat_map(Words::values) {
            if let Statement::Domain(domain, ruling) = &word.statement {
                let count: &mut usize = counts.entry((domain, *ruling)).or_default();
                *count = count.saturating_add(1);
            }
        }
        counts
    }

    /// A validator takes back what it says about domains, but for what is kept.
    pub(crate) fn withdraw(&mut self, validator: &PublicKey, is_kept: impl Fn(&Domain, Ruling) -> bool) {
        self.0.retain(|_, words| {
            words.retain(|speaker, word| match &word.statement {
                Statement::Domain(domain, ruling) => {
                    speaker != validator.as_bytes() || is_kept(domain, *ruling)
                }
                Statement::Key(..) => true,
            });
            !words.is_empty()
        });
    }

    /// What one validator has said.
    pub(crate) fn of(&self, validator: &PublicKey) -> impl Iterator<Item = &Attestation> {
        let validator = *validator.as_bytes();
        self.0.values().filter_map(move |words| words.get(&validator))
    }

    /// What the next ledger takes up: that of which a quorum has spoken, domains and keys in bounded numbers apart,
    /// few keys of each domain, those first that were spoken of first.
    pub(crate) fn ready(&self, quorum: usize) -> Vec<Subject> {
        let spoken = self.0.iter().filter(|(_, words)| is_spoken_of(words, quorum));
        let mut oldest: Vec<(CloseTime, &Subject)> = spoken
            .filter_map(|(subject, words)| {
                Some((words.values().map(|word| word.observed_at).min()?, subject))
            })
            .collect();
        oldest.sort_unstable();
        let (mut keys, mut freezes) = (0_usize, 0_usize);
        let mut of_domain: BTreeMap<&str, usize> = BTreeMap::new();
        oldest.retain(|(_, subject)| match subject {
            Subject::Domain(_) => {
                freezes = freezes.saturating_add(1);
                freezes <= FREEZES_PER_LEDGER_MAX
            }
            Subject::Key(name) => {
                let count = of_domain.entry(name.domain()).or_default();
                *count = count.saturating_add(1);
                let is_few = *count <= KEY_SETS_PER_DOMAIN_MAX;
                keys = keys.saturating_add(usize::from(is_few));
                is_few && keys <= KEY_SETS_PER_LEDGER_MAX
            }
        });
        oldest.into_iter().map(|(_, subject)| subject.clone()).collect()
    }

    /// The DKIMKeySet about a subject, if a quorum agrees on an answer.
    pub(crate) fn key_set(&self, subject: &Subject, parent: &Ledger, network_id: u32) -> Option<Transaction> {
        let words: Vec<&Attestation> = self.0.get(subject)?.values().collect();
        let mut statements: Vec<_> = words.iter().map(|word| &word.statement).collect();
        statements.sort();
        statements.dedup();
        statements.into_iter().find_map(|statement| {
            let agreeing = words.iter().filter(|word| word.statement == *statement);
            let agreeing: Vec<Attestation> = agreeing.map(|word| (*word).clone()).collect();
            dkim::build_key_set(parent, network_id, &agreeing)
        })
    }

    /// Subjects are done with. So are words that count no more in the ledger after `parent`: too old ones, those not
    /// after the last quorum, and those that would change nothing any more. Spec: 7.2, 7.10
    pub(crate) fn forget(&mut self, used: &[Subject], parent: &Ledger) {
        for subject in used {
            self.0.remove(subject);
        }
        self.0.retain(|subject, words| {
            let entry = parent.entry(&subject.keylet());
            words.retain(|_, word| dkim::may_count(word, entry.as_ref(), parent.close_time()));
            !words.is_empty()
        });
    }

    /// Take back what a ledger had taken up that did not come to be; newer words stand.
    pub(crate) fn restore(&mut self, earlier: &Attestations) {
        for (subject, words) in &earlier.0 {
            let known = self.0.entry(subject.clone()).or_default();
            for (validator, word) in words {
                known.entry(*validator).or_insert_with(|| word.clone());
            }
        }
    }
}

/// Whether a quorum has spoken. About a key it may not agree: then all of them ask again. About a domain it has to:
/// operators who disagree keep no ledger busy.
fn is_spoken_of(words: &Words, quorum: usize) -> bool {
    let agrees = |ruling: Ruling| {
        let says_so = |word: &&Attestation| match &word.statement {
            Statement::Domain(_, other) => *other == ruling,
            Statement::Key(..) => true,
        };
        words.values().filter(says_so).count() >= quorum
    };
    agrees(Ruling::Frozen) || agrees(Ruling::Lifted)
}
