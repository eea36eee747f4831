//! What the validators decided, found out anew from the transactions of each ledger by the words of the spec: who is on
//! their list, and whether the mail of a domain is stopped.

use std::collections::{BTreeMap, BTreeSet};

use codec::format::TxType;
use codec::keys::{LowS, PublicKey};
use codec::{Object, sf};

use crate::dice::{EPOCH, VALIDATORS};
use crate::mails::{ERIN, Meaning, NETWORK, time_of};
use crate::operators::key_of;

/// Keys of validators.
pub(crate) type List = BTreeSet<Vec<u8>>;

/// Validators of so many whose word decides: ceil(0.8 n). Spec: 7.2, 15.4
pub(crate) fn quorum(validators: usize) -> usize {
    (4 * validators).div_ceil(5)
}

/// How often what was decided.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub joins: u64,
    pub leaves: u64,
    pub replaced_keys: u64,
    pub freezes: u64,
    pub lifts: u64,
}

/// A vote that stands: when it was cast, and the list that it is for.
type Vote = (u32, List);

/// The mail of the domain that is ruled about. Spec: 7.10
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mail {
    Free,
    Stopped,
    /// It counts if it is dated from then on.
    From(u32),
}

pub(crate) struct Decisions {
    first_ledger: u32,
    list: List,
    /// The ledger that made it the list.
    settled: Option<u32>,
    votes: BTreeMap<Vec<u8>, Vote>,
    mail: Mail,
    counts: Counts,
}

impl Decisions {
    /// Of a network that begins with this ledger.
    pub(crate) fn new(first_ledger: u32) -> Self {
        let keys = (0..usize::from(VALIDATORS)).map(|node| key_of(node).as_bytes().to_vec());
        Self {
            first_ledger,
            list: keys.collect(),
            settled: None,
            votes: BTreeMap::new(),
            mail: Mail::Free,
            counts: Counts::default(),
        }
    }

    /// Whose word counts in the next ledger.
    pub(crate) fn list(&self) -> &List {
        &self.list
    }

    /// Whether those on the list order the block of a ledger: the second after the one that settled it, or a later one.
    pub(crate) fn list_counts_at(&self, index: u32) -> bool {
        self.settled.is_none_or(|settled| index >= settled + 2)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// A mail is executed in the next ledger. Spec: 7.10
    pub(crate) fn mail(&self, (from, date): &Meaning) {
        if from != ERIN {
            return;
        }
        match self.mail {
            Mail::Free => {}
            Mail::Stopped => panic!("a mail of {date} is executed, and its domain is stopped"),
            Mail::From(time) => {
                let date = time_of(date).expect("a date").seconds();
                assert!(
                    date >= time,
                    "a mail of {date} is executed: before {time} none is any more"
                );
            }
        }
    }

    /// The mail of the domain is stopped (Flags 2) or let through again (4) by words of these times, ascending. The
    /// time is their lower median, and the delay of this network is none. Spec: 7.4, 7.10
    pub(crate) fn ruling(&mut self, flags: u32, times: &[u32]) {
        let time = times[(times.len() - 1) / 2];
        let before = self.mail;
        match flags {
            2 => {
                assert_ne!(before, Mail::Stopped, "a freeze that changes nothing");
                self.mail = Mail::Stopped;
                self.counts.freezes += 1;
            }
            4 => {
                assert_eq!(before, Mail::Stopped, "a lift that changes nothing");
                self.mail = Mail::From(time);
                self.counts.lifts += 1;
            }
            other => panic!("Flags {other}"),
        }
    }

    /// Votes and lists in a ledger. Spec: 15.1, 15.2, 15.4
    pub(crate) fn read(&mut self, index: u32, transactions: &[Object]) {
        let of_type = |tx_type: TxType| {
            let is = move |tx: &&Object| tx.u16(sf::TRANSACTION_TYPE) == Some(tx_type.code());
            transactions.iter().filter(is)
        };
        let named = of_type(TxType::UnlReport).filter_map(|tx| key_in(tx.object(sf::ACTIVE_VALIDATOR)?));
        let named: List = named.collect();
        let place = (index - self.first_ledger) % EPOCH;
        let agreed = if place == EPOCH.get() - 2 {
            self.agreed()
        } else {
            List::new()
        };
        assert_eq!(
            named, agreed,
            "ledger {index} has another list than the votes came to"
        );
        for vote in of_type(TxType::ValidatorVote) {
            self.take(index, vote);
        }
        if agreed.is_empty() {
            return;
        }
        let (new, gone) = (
            agreed.difference(&self.list).count(),
            self.list.difference(&agreed).count(),
        );
        match (new, gone) {
            (_, 0) => self.counts.joins += 1,
            (0, _) => self.counts.leaves += 1,
            _ => self.counts.replaced_keys += 1,
        }
        self.list = agreed;
        self.settled = Some(index);
        self.votes.values_mut().for_each(|(_, list)| list.clear());
    }

    /// The list that a quorum wants instead of the one that there is; empty without one.
    fn agreed(&self) -> List {
        let mut wanted: BTreeMap<&List, usize> = BTreeMap::new();
        for (key, (_, list)) in &self.votes {
            if self.list.contains(key) && !list.is_empty() && *list != self.list {
                *wanted.entry(list).or_default() += 1;
            }
        }
        let agreed = wanted
            .into_iter()
            .find(|(_, votes)| *votes >= quorum(self.list.len()));
        agreed.map(|(list, _)| list.clone()).unwrap_or_default()
    }

    fn take(&mut self, index: u32, vote: &Object) {
        let key = vote.blob(sf::PUBLIC_KEY).expect("a key").to_vec();
        assert!(self.list.contains(&key), "a vote of one that is not listed");
        assert_eq!(vote.u32(sf::LEDGER_SEQUENCE), Some(index));
        let observed = vote.u32(sf::OBSERVED_AT).expect("a time");
        let signature = vote.blob(sf::SIGNATURE).expect("a signature");
        let keys = vote.array(sf::ACTIVE_VALIDATORS).unwrap_or_default().iter();
        let keys: Vec<Vec<u8>> = keys.filter_map(|(_, one)| key_in(one)).collect();
        let amendments = vote.vector256(sf::AMENDMENTS).unwrap_or_default();
        let ids: Vec<u8> = amendments.iter().flat_map(|id| *id.as_bytes()).collect();
        let count = |items: usize| [u8::try_from(items).expect("few")];
        let message = [
            b"VAV\0".as_slice(),
            &NETWORK.to_be_bytes(),
            &observed.to_be_bytes(),
            &count(amendments.len()),
            &ids,
            &count(keys.len()),
            &keys.concat(),
        ]
        .concat();
        let public = PublicKey::parse(&key).expect("a key");
        assert!(
            public.verify(&message, signature, LowS::Required),
            "a vote that nobody signed"
        );
        // Those of whoever left are gone for good.
        self.votes.retain(|key, _| self.list.contains(key));
        let before = self.votes.insert(key, (observed, keys.into_iter().collect()));
        assert!(before.is_none_or(|(last, _)| last < observed), "an older vote");
    }
}

fn key_in(validator: &Object) -> Option<Vec<u8>> {
    Some(validator.blob(sf::PUBLIC_KEY)?.to_vec())
}
