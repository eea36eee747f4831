//! What a node does that keeps no rule. It runs the same engine; its machine and its words are false.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use amendment::{Domain, KeyName};
use codec::format::TxType;
use codec::hash::sha512_half;
use codec::keys::KeyPair;
use codec::{AccountId, Amount, CloseTime, Hash256, Object, Ter, keylet, sf};
use ledger::close::close_at;
use ledger::dkim::{Answer, Attestation, Ruling, Statement};
use ledger::votes::{SignedVote, Wish};
use ledger::{AppliedTx, Closed, Ledger, Transaction};
use network::Submission;

use crate::dice::{Dice, VALIDATORS};
use crate::mails::{NETWORK, evil_record, signed_payment, validator};

/// How a node behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conduct {
    Honest,
    /// It makes other ledgers of the same blocks.
    FalseLedgers,
    /// Its blocks hold what is no transaction of their ledger, build on ledgers that there are not, and close at
    /// times that are not.
    FalseBlocks,
    /// It forges, replays, and dates attestations as it likes; it passes on junk without end, valid and not, and
    /// sends bytes that mean nothing on every channel.
    FalseWords,
    /// Two nodes have its key, each of which knows the half of the others: it says two things.
    Twin,
    /// It hears all and sends nothing.
    Silent,
}

/// How often false words are said: once in so many turns.
const FALSE_TURNS: u64 = 8;
/// Names of each domain that it invents: more than a validator keeps of one.
const INVENTED: u32 = 10;
/// Different things that it passes on.
const JUNK: u32 = 200;

/// What is false about a node. Nothing about an honest one.
pub(crate) struct Byzantine {
    conduct: Conduct,
    key: KeyPair,
    memory: Mutex<Memory>,
}

struct Memory {
    dice: Dice,
    /// Transactions of ledgers, to have them again.
    seen: Vec<(Transaction, Ter)>,
    /// Words of others, to say them again.
    heard: Vec<Attestation>,
}

impl Byzantine {
    pub(crate) fn new(conduct: Conduct, key: KeyPair, node: usize) -> Self {
        let seed = u64::try_from(node).expect("few");
        Self {
            conduct,
            key,
            memory: Mutex::new(Memory {
                dice: Dice::new(seed),
                seen: Vec::new(),
                heard: Vec::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no test panicked with it")
    }

    /// The clock that it goes by: half a minute ahead for a quarter of the time.
    pub(crate) fn clock(&self, now: CloseTime) -> CloseTime {
        let is_ahead = self.conduct == Conduct::FalseBlocks && (now.seconds() / 16).is_multiple_of(4);
        CloseTime::new(now.seconds() + if is_ahead { 30 } else { 0 })
    }

    /// What it proposes in place of what it should.
    pub(crate) fn proposed(&self, mut closed: Closed, parent: &Ledger) -> Closed {
        if self.conduct != Conduct::FalseBlocks {
            return closed;
        }
        let mut memory = self.lock();
        let false_tx = match memory.dice.roll(5) {
            0 => None,
            1 => Some(junk_payment(parent.index().get())),
            2 => memory.seen_again(parent),
            3 if memory.dice.roll(2) == 0 => Some(uncalled(parent)),
            3 => Some(list_of_its_own(&self.key, parent)),
            _ => memory.too_few_words(parent),
        };
        closed.applied.extend(false_tx.map(|tx| AppliedTx {
            tx_id: tx.id(),
            tx,
            metadata: Object::new(),
            ter: Ter::TES_SUCCESS,
            index: 0,
            email_id: None,
        }));
        closed
    }

    /// The ledger that it makes of a right block.
    pub(crate) fn verified(&self, closed: Closed, parent: &Ledger) -> Closed {
        let transactions = || closed.applied.iter().map(|applied| applied.tx.clone());
        let close_time = closed.ledger.close_time();
        match self.conduct {
            Conduct::FalseLedgers if parent.index().get() > 5 => {
                let close_time = CloseTime::new(close_time.seconds() + 1);
                close_at(parent, transactions(), close_time, 0)
            }
            Conduct::FalseBlocks if self.lock().dice.roll(8) == 0 => {
                close_at(parent, transactions(), close_time, 1)
            }
            _ => closed,
        }
    }

    /// What it writes: the network's ledger, so that it goes on after all that it claimed.
    pub(crate) fn finalized(&self, closed: Arc<Closed>, parent: &Ledger) -> Arc<Closed> {
        if self.conduct != Conduct::FalseBlocks {
            return closed;
        }
        let transactions = closed.applied.iter().map(|applied| applied.tx.clone());
        let closed = close_at(parent, transactions, closed.ledger.close_time(), 0);
        let seen = closed.applied.iter().filter(|applied| !applied.tx.is_pseudo());
        self.lock()
            .seen
            .extend(seen.map(|applied| (applied.tx.clone(), applied.ter)));
        Arc::new(closed)
    }

    /// A word that it could say again.
    pub(crate) fn hear(&self, word: &Attestation) {
        if matches!(self.conduct, Conduct::FalseBlocks | Conduct::FalseWords) {
            self.lock().heard.push(word.clone());
        }
    }

    /// What it says about keys beside what DNS told it.
    pub(crate) fn words(&self, mut own: Vec<Attestation>, now: CloseTime) -> Vec<Attestation> {
        if self.conduct != Conduct::FalseWords || self.lock().dice.roll(FALSE_TURNS) != 0 {
            return own;
        }
        let (evil, record) = evil_record();
        let record = Answer::Record(record);
        let evil = name_of(&evil);
        let signed = |name: &KeyName, answer: &Answer, secs: u32| {
            Attestation::sign(
                NETWORK,
                name.clone(),
                answer.clone(),
                CloseTime::new(secs),
                &self.key,
            )
        };
        let now = now.seconds();
        // Dated to the past and to the future, then at last to the present.
        own.extend(
            [now - 10_000, now + 10_000, now]
                .map(|secs| signed(&evil, &record, secs))
                .into_iter()
                .flatten(),
        );
        own.extend(forged(&evil, &record, now));
        own.extend(of_another_network(&record, now));
        // Its word alone stops nobody's mail.
        own.extend(["one.test", "two.test"].into_iter().filter_map(|domain| {
            let domain = Domain::new(domain.as_bytes())?;
            let frozen = Statement::Domain(domain, Ruling::Frozen);
            Attestation::of(NETWORK, frozen, CloseTime::new(now), &self.key)
        }));
        for number in 0..INVENTED {
            for domain in ["one", "two"] {
                let name = name_of(&format!("x{number}._domainkey.{domain}.test"));
                own.extend(signed(&name, &record, now));
            }
        }
        let heard = &self.lock().heard;
        own.extend(heard.iter().step_by(1 + heard.len() / 16).cloned());
        own
    }

    /// What it votes for: itself alone, now and then.
    pub(crate) fn ballot(&self, own: Option<SignedVote>, now: CloseTime) -> Option<SignedVote> {
        if self.conduct != Conduct::FalseWords || self.lock().dice.roll(FALSE_TURNS) != 0 {
            return own;
        }
        let wish = Wish {
            validators: [self.key.public_key()].into(),
            ..Wish::default()
        };
        SignedVote::sign(NETWORK, wish, now, &self.key)
    }

    /// What it passes on beside what came in.
    pub(crate) fn pending(&self, mut own: Vec<(Hash256, Submission)>) -> Vec<(Hash256, Submission)> {
        static ALL: LazyLock<Vec<(Hash256, Submission)>> = LazyLock::new(|| (0..JUNK).map(junk).collect());
        if self.conduct == Conduct::FalseWords {
            let at = usize::try_from(self.lock().dice.roll(u64::from(JUNK))).expect("few");
            own.extend(ALL.iter().skip(at).take(2).cloned());
        }
        own
    }
}

impl Memory {
    /// A transaction that a ledger has had, a mail's in a new wrapper. Those first that only cost their fee.
    fn seen_again(&mut self, parent: &Ledger) -> Option<Transaction> {
        let failed: Vec<_> = self
            .seen
            .iter()
            .filter(|(_, ter)| *ter != Ter::TES_SUCCESS)
            .collect();
        let from: Vec<_> = if failed.is_empty() || self.dice.roll(2) == 0 {
            self.seen.iter().collect()
        } else {
            failed
        };
        let at = self.dice.roll(u64::try_from(from.len().max(1)).expect("few"));
        let (tx, _) = from.get(usize::try_from(at).expect("few"))?;
        wrapped_again(tx, parent)
    }

    /// A DKIMKeySet with one word less than a quorum.
    fn too_few_words(&self, parent: &Ledger) -> Option<Transaction> {
        let mut said: BTreeMap<&Statement, BTreeMap<[u8; 33], &Attestation>> = BTreeMap::new();
        for word in &self.heard {
            let words = said.entry(&word.statement).or_default();
            words.insert(*word.public_key.as_bytes(), word);
        }
        said.retain(|statement, _| matches!(statement, Statement::Key(..)));
        let words = said.into_values().find(|words| words.len() >= 3)?;
        let words: Vec<&Attestation> = words.into_values().take(3).collect();
        let first = words.first()?;
        let Statement::Key(name, Answer::Record(record)) = &first.statement else {
            return None;
        };
        let endorsements = words.iter().map(|word| {
            let one = Object::new()
                .with(sf::PUBLIC_KEY, word.public_key.as_bytes().to_vec())
                .with(sf::SIGNATURE, word.signature.clone())
                .with(sf::OBSERVED_AT, word.observed_at.seconds());
            (sf::DKIM_ATTESTATION, one)
        });
        let set = of_validators(TxType::DkimKeySet, parent)
            .with(sf::DOMAIN, name.domain().as_bytes())
            .with(sf::SELECTOR, name.selector().as_bytes())
            .with(sf::DKIM_RECORD, record.clone())
            .with(sf::DKIM_ATTESTATIONS, endorsements.collect::<Vec<_>>());
        Transaction::from_object(&set).ok()
    }
}

fn name_of(dns_name: &str) -> KeyName {
    let (selector, domain) = dns_name.split_once("._domainkey.").expect("a key's name");
    KeyName::new(domain.as_bytes(), selector.as_bytes()).expect("a name")
}

/// A word of each other validator, with signatures that are not theirs.
fn forged(name: &KeyName, answer: &Answer, now: u32) -> Vec<Attestation> {
    let forger = KeyPair::ed25519([200; 16]);
    let words = (1..=VALIDATORS).filter_map(|number| {
        let word = Attestation::sign(
            NETWORK,
            name.clone(),
            answer.clone(),
            CloseTime::new(now),
            &forger,
        )?;
        Some(Attestation {
            public_key: validator(number).public_key(),
            ..word
        })
    });
    words.collect()
}

/// What all validators said on another network, where the attacker has that selector.
fn of_another_network(answer: &Answer, now: u32) -> Vec<Attestation> {
    let name = name_of("other._domainkey.one.test");
    let words = (1..=VALIDATORS).filter_map(|number| {
        let (key, seen) = (validator(number), CloseTime::new(now));
        Attestation::sign(NETWORK + 1, name.clone(), answer.clone(), seen, &key)
    });
    words.collect()
}

/// A transaction once more; a mail's in a wrapper that the ledger after `parent` would take.
pub(crate) fn wrapped_again(tx: &Transaction, parent: &Ledger) -> Option<Transaction> {
    if !tx.is_email_signed() {
        return Some(tx.clone());
    }
    let root = parent.entry(&keylet::account(tx.account()))?;
    let mut again = tx.object().clone();
    let fee = again.amount(sf::FEE)?.as_drops()?.get();
    again.set(sf::SEQUENCE, root.u32(sf::SEQUENCE)?);
    again.set(sf::LAST_LEDGER_SEQUENCE, parent.index().get() + 10);
    // A further live entry costs a base fee.
    again.set(sf::FEE, Amount::Native(i64::try_from(fee).ok()? + 100));
    Transaction::from_object(&again).ok()
}

fn of_validators(tx_type: TxType, parent: &Ledger) -> Object {
    Object::new()
        .with(sf::TRANSACTION_TYPE, tx_type.code())
        .with(sf::ACCOUNT, AccountId::ZERO)
        .with(sf::SEQUENCE, 0_u32)
        .with(sf::FEE, Amount::Native(0))
        .with(sf::SIGNING_PUB_KEY, b"".as_slice())
        .with(sf::LEDGER_SEQUENCE, parent.index().get() + 1)
}

/// An amendment that nobody voted for.
fn uncalled(parent: &Ledger) -> Transaction {
    let enable =
        of_validators(TxType::EnableAmendment, parent).with(sf::AMENDMENT, sha512_half(&[b"nobody's"]));
    Transaction::from_object(&enable).expect("a pseudo-transaction")
}

/// A list of validators that nobody else voted for.
fn list_of_its_own(key: &KeyPair, parent: &Ledger) -> Transaction {
    let own = Object::new().with(sf::PUBLIC_KEY, key.public_key().as_bytes().as_slice());
    let report = of_validators(TxType::UnlReport, parent).with(sf::ACTIVE_VALIDATOR, own);
    Transaction::from_object(&report).expect("a pseudo-transaction")
}

/// A payment, well signed, of an account that there is not.
fn junk_payment(number: u32) -> Transaction {
    let mut entropy = [201; 16];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    signed_payment(&KeyPair::ed25519(entropy), AccountId::ZERO, number, 1)
}

/// Something to pass on: a payment, a mail whose key nobody has, or what is neither.
fn junk(number: u32) -> (Hash256, Submission) {
    let payment = junk_payment(number).blob().to_vec();
    let submission = match number % 4 {
        0 => Submission::Mail(payment.into()),
        1 => {
            let mail = format!(
                "dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=one.test; s=j{number}; h=From:Date; \
                 bh=AAAA; b=AAAA\r\nfrom:alice@one.test\r\ndate:16 Nov 2026 10:00:00 +0000\r\n\r\nREMIT 1 XAH\r\n"
            );
            Submission::Mail(mail.into_bytes().into())
        }
        2 => Submission::Transaction(payment[..payment.len() / 2].into()),
        _ => Submission::Transaction(payment.into()),
    };
    (sha512_half(&[&number.to_be_bytes()]), submission)
}
