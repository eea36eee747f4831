//! What proves a ledger to a node that knows the network's first validators alone.
//!
//! The last block of an epoch (its border) has a certificate of the epoch's validators, and bears the hash of the
//! ledger before its own. That ledger's header has the root of its state, and the state has the list of the next
//! epoch's validators. So one border proves a ledger, and who signs the next border. Where the list stays as it is,
//! the same validators sign later borders as well: only borders at which it changes are needed in between.
//!
//! | bytes | what |
//! |---|---|
//! | 108 | head of the border block ([`Head`]) |
//! | 118 | header of the ledger before its own |
//! | 1, then for each 2 + 32 n | nodes on the path from the root of that ledger's state to its UNLReport: which branches there are, the highest bit for branch 15, and their hashes |
//! | 4 + n | length and bytes of the UNLReport |
//! | the rest | the engine's certificate |

use std::num::NonZeroU64;

use bytes::{Buf, BufMut};
use codec::keys::PublicKey as NodeKey;
use codec::{Hash256, LedgerIndex, keylet};
use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::Epochable as _;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::Finalization;
use commonware_parallel::Sequential;
use commonware_utils::ordered::Set;
use ledger::state_map::Path;
use ledger::{Header, Ledger};
use rand_core::CryptoRng;

use crate::block::{Digest, HEAD_BYTES, Head};
use crate::epochs::{First, engine_key};
use crate::limits::{BORDER_BYTES_MAX, VALIDATORS_MAX};

/// Branches of a node.
const BRANCHES: usize = 16;

/// The certificate of a block.
pub(crate) type Certificate = Finalization<Scheme, Digest>;

/// The last block of an epoch, and what it proves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Border {
    head: Head,
    header: Header,
    list: Path,
    certificate: Certificate,
}

/// Why a border proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BorderFault {
    /// The epoch's validators are proven already, or those before them are not.
    #[error("it is of epoch {0}, which is not the next one")]
    Epoch(u64),
    /// It is no last block of an epoch.
    #[error("its block {0} is not the last one of its epoch")]
    Height(u64),
    /// The certificate is of another block.
    #[error("its certificate is of another block")]
    OtherBlock,
    /// The certificate is not good.
    #[error("its certificate is not that of the epoch's validators")]
    Certificate,
    /// The ledger is not the one that the block bears the hash of.
    #[error("its ledger is not the one before the block's")]
    OtherLedger,
    /// The list is not in the ledger.
    #[error("its list of validators is not that of its ledger")]
    List,
}

impl Border {
    /// That of a final block and the ledger before its own; `None` for a ledger without a list.
    #[must_use]
    pub(crate) fn new(head: Head, before: &Ledger, certificate: Certificate) -> Option<Self> {
        Some(Self {
            head,
            header: *before.header(),
            list: before.state().path(&keylet::unl_report())?,
            certificate,
        })
    }

    /// The epoch that ends with it.
    #[must_use]
    pub(crate) fn epoch(&self) -> u64 {
        self.certificate.epoch().get()
    }

    /// The header of the ledger that it proves.
    #[must_use]
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The name of its block.
    #[must_use]
    pub(crate) fn block(&self) -> Digest {
        self.certificate.proposal.payload
    }

    /// The certificate of its block.
    #[must_use]
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its bytes.
    #[must_use]
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = self.head.encode().to_vec();
        out.put_slice(&self.header.encode());
        out.put_u8(u8::try_from(self.list.nodes.len()).unwrap_or(u8::MAX));
        for branches in &self.list.nodes {
            put_branches(&mut out, branches);
        }
        out.put_u32(u32::try_from(self.list.bytes.len()).unwrap_or(u32::MAX));
        out.put_slice(&self.list.bytes);
        out.put_slice(&self.certificate.encode());
        out
    }

    /// Reads one; `None` unless all bytes make it.
    #[must_use]
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > BORDER_BYTES_MAX {
            return None;
        }
        let (head, bytes) = bytes.split_at_checked(HEAD_BYTES)?;
        let head = Head::decode(Copying(head)).ok()?;
        let (header, mut bytes) = bytes.split_at_checked(ledger::limits::HEADER_BYTES)?;
        let header = Header::decode(header)?;
        let count = usize::from(bytes.try_get_u8().ok()?);
        if count > ledger::limits::MAP_DEPTH_MAX {
            return None;
        }
        let nodes: Option<Vec<_>> = (0..count).map(|_| take_branches(&mut bytes)).collect();
        let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
        let (list, certificate) = bytes.split_at_checked(length)?;
        Some(Self {
            head,
            header,
            list: Path {
                nodes: nodes?,
                bytes: list.to_vec(),
            },
            certificate: Certificate::decode_cfg(Copying(certificate), &VALIDATORS_MAX).ok()?,
        })
    }

    /// Checks all but the certificate; answers the validators of the next epoch.
    fn next_validators(&self, calendar: &Calendar) -> Result<Vec<NodeKey>, BorderFault> {
        let height = self.head.height;
        if height != calendar.border(self.epoch()) {
            return Err(BorderFault::Height(height));
        }
        let before = u64::from(calendar.first.get())
            .saturating_add(height)
            .saturating_sub(1);
        if u64::from(self.header.index.get()) != before || self.header.hash() != self.head.parent_ledger {
            return Err(BorderFault::OtherLedger);
        }
        if self.head.digest() != self.certificate.proposal.payload {
            return Err(BorderFault::OtherBlock);
        }
        let list = self.list.proves(&self.header.account_hash, &keylet::unl_report());
        let list = list.and_then(|bytes| codec::decode(bytes).ok());
        Ok(ledger::dkim::validators_of(&list.ok_or(BorderFault::List)?))
    }
}

/// Which ledgers the epochs of a network consist of. Spec: 15.4
#[derive(Debug, Clone, Copy)]
struct Calendar {
    first: LedgerIndex,
    blocks: NonZeroU64,
}

impl Calendar {
    /// Height of the last block of an epoch.
    fn border(self, epoch: u64) -> u64 {
        epoch
            .saturating_add(1)
            .saturating_mul(self.blocks.get())
            .saturating_sub(1)
    }

    /// The epoch of a ledger.
    fn of(self, index: LedgerIndex) -> u64 {
        u64::from(index.get().saturating_sub(self.first.get())) / self.blocks
    }
}

/// Whether a border changed who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next epoch has other validators.
    Changed,
    /// It has the same ones.
    Same,
}

/// Who signs which epoch, as far as it is proven: the first validators, and the borders at which they change.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    namespace: Vec<u8>,
    calendar: Calendar,
    /// Validators by the epoch from which on they sign.
    lists: Vec<(u64, Vec<NodeKey>)>,
    changes: Vec<Border>,
}

impl Trust {
    /// For a network that begins so. `namespace` is what its signatures are made for.
    #[must_use]
    pub(crate) fn new(namespace: Vec<u8>, first: &First) -> Self {
        Self {
            namespace,
            calendar: Calendar {
                first: first.index,
                blocks: first.epoch,
            },
            lists: vec![(0, first.validators.clone())],
            changes: Vec::new(),
        }
    }

    /// The validators of an epoch, as far as it is known: those of the last change before it.
    #[must_use]
    pub(crate) fn validators(&self, epoch: u64) -> &[NodeKey] {
        let list = self.lists.iter().rev().find(|(from, _)| *from <= epoch);
        list.map_or(&[], |(_, validators)| validators)
    }

    /// The first epoch that the last known validators sign.
    #[must_use]
    pub(crate) fn last_from(&self) -> u64 {
        self.lists.last().map_or(0, |(from, _)| *from)
    }

    /// The epoch of a ledger.
    #[must_use]
    pub(crate) fn epoch_of(&self, index: LedgerIndex) -> u64 {
        self.calendar.of(index)
    }

    /// The last ledger of the epoch that a ledger belongs to.
    #[must_use]
    pub(crate) fn border_after(&self, index: LedgerIndex) -> u64 {
        u64::from(self.calendar.first.get()).saturating_add(self.calendar.border(self.epoch_of(index)))
    }

    /// The borders at which the validators changed.
    #[must_use]
    pub(crate) fn changes(&self) -> &[Border] {
        &self.changes
    }

    /// Checks a border, and learns who signs after it.
    pub(crate) fn take(&mut self, rng: &mut impl CryptoRng, border: &Border) -> Result<Step, BorderFault> {
        if border.epoch() < self.last_from() {
            return Err(BorderFault::Epoch(border.epoch()));
        }
        let next = border.next_validators(&self.calendar)?;
        let signers = self.validators(border.epoch());
        let keys = Set::from_iter_dedup(signers.iter().filter_map(engine_key));
        let scheme = Scheme::verifier(&self.namespace, keys);
        if !border.certificate.verify(rng, &scheme, &Sequential) {
            return Err(BorderFault::Certificate);
        }
        if next == signers {
            return Ok(Step::Same);
        }
        self.lists.push((border.epoch().saturating_add(1), next));
        self.changes.push(border.clone());
        Ok(Step::Changed)
    }
}

/// The branches of a node: which there are, and their hashes.
pub(super) fn put_branches(out: &mut Vec<u8>, branches: &[Hash256; BRANCHES]) {
    let is_there = |hash: &Hash256| *hash != Hash256::ZERO;
    let present = (0..).zip(branches).filter(|(_, hash)| is_there(hash));
    out.put_u16(present.fold(0, |bits, (at, _): (u32, _)| bits | (1_u16 << at)));
    for hash in branches.iter().filter(|hash| is_there(hash)) {
        out.put_slice(hash.as_bytes());
    }
}

/// Reads the branches of a node; a branch that is there has no hash of zero.
pub(super) fn take_branches(bytes: &mut &[u8]) -> Option<[Hash256; BRANCHES]> {
    let present = bytes.try_get_u16().ok()?;
    let mut branches = [Hash256::ZERO; BRANCHES];
    for (at, hash) in branches.iter_mut().enumerate() {
        if present >> at & 1 == 1 {
            let (taken, rest) = bytes.split_first_chunk()?;
            (*hash, *bytes) = (Hash256::new(*taken), rest);
            if *hash == Hash256::ZERO {
                return None;
            }
        }
    }
    Some(branches)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::block::Block;
    use crate::commits::EpochEnd;
    use codec::CloseTime;
    use codec::keys::KeyPair;
    use commonware_consensus::simplex::types::{Finalize, Proposal};
    use commonware_consensus::types::{Epoch, Round, View};
    use commonware_cryptography::ed25519::PrivateKey;
    use commonware_cryptography::{Digested, Digestible as _, Hasher as _, Sha256, sha256};
    use commonware_utils::iter::NonEmpty;
    use ledger::GenesisConfig;
    use ledger::dkim::KeyDelays;
    use ledger::genesis::EmailAmendment;
    use rand_core::Rng as _;

    const NAMESPACE: &[u8] = b"a network";
    pub(crate) const EPOCH: u64 = 5;

    fn keys(seeds: &[u8]) -> Vec<KeyPair> {
        seeds.iter().map(|seed| KeyPair::ed25519([*seed; 16])).collect()
    }

    /// A ledger with this list, and this index.
    pub(crate) fn ledger(index: u32, validators: &[u8]) -> Ledger {
        ledger_with(index, validators, 0)
    }

    /// One with so many further entries of 500 bytes.
    pub(crate) fn ledger_with(index: u32, validators: &[u8], entries: u32) -> Ledger {
        let genesis = Ledger::genesis(&GenesisConfig {
            network_id: 21_337,
            validators: keys(validators).iter().map(KeyPair::public_key).collect(),
            email: EmailAmendment::Enabled,
            close_time: CloseTime::new(800_000_000),
            key_delays: KeyDelays::NONE,
        });
        let mut state = genesis.state().clone();
        for number in 0..entries {
            state.insert(codec::hash::sha512_half(&[&number.to_be_bytes()]), vec![7; 500]);
        }
        let header = Header {
            index: LedgerIndex::new(index),
            account_hash: state.root_hash(),
            ..*genesis.header()
        };
        Ledger::from_parts(header, state, genesis.transactions().clone()).expect("a ledger")
    }

    pub(crate) fn block(epoch: u64, before: &Ledger) -> Block {
        Block {
            parent: Sha256::hash(&[b"parent"]),
            height: (epoch + 1) * EPOCH - 1,
            close_time: CloseTime::new(800_000_009),
            parent_ledger: before.hash(),
            transactions: vec![vec![1, 2, 3]],
        }
    }

    /// A certificate of a block, by `signers` among `validators`.
    pub(crate) fn certificate(
        epoch: u64,
        block: sha256::Digest,
        validators: &[u8],
        signers: &[u8],
    ) -> Certificate {
        let list = keys(validators);
        let set = Set::from_iter_dedup(list.iter().filter_map(|key| engine_key(&key.public_key())));
        let round = Round::new(Epoch::new(epoch), View::new(7));
        let proposal = Proposal::new(round, View::new(6), block);
        let votes: Vec<_> = keys(signers)
            .iter()
            .map(|key| {
                let secret =
                    PrivateKey::decode(Copying(&key.ed25519_secret().expect("ed25519"))).expect("a key");
                let scheme = Scheme::signer(NAMESPACE, set.clone(), secret).expect("a member");
                Finalize::sign(&scheme, proposal.clone()).expect("a vote")
            })
            .collect();
        let scheme = Scheme::verifier(NAMESPACE, set);
        let votes = NonEmpty::try_new(votes.into_iter()).expect("votes");
        Certificate::from_owned_finalizes(&scheme, votes, &Sequential).expect("enough votes")
    }

    pub(crate) fn trust(validators: &[u8]) -> Trust {
        let first = First {
            block: block(0, &ledger(2, validators)),
            index: LedgerIndex::new(2),
            epoch: NonZeroU64::new(EPOCH).expect("not zero"),
            validators: ledger::dkim::validators(&ledger(2, validators)),
        };
        Trust::new(NAMESPACE.to_vec(), &first)
    }

    /// The border of an epoch that these sign, whose ledger has the list `next`.
    pub(crate) fn border(epoch: u64, signers: &[u8], next: &[u8]) -> Border {
        let (end, certificate) = end(epoch, signers, ledger(before(epoch), next));
        Border::new(end.block.inner().head(), &end.before, certificate).expect("a list")
    }

    /// The index of the ledger that the border of an epoch proves.
    pub(crate) fn before(epoch: u64) -> u32 {
        u32::try_from(2 + (epoch + 1) * EPOCH - 2).expect("small")
    }

    /// The end of an epoch after this ledger, signed by all of these but one.
    pub(crate) fn end(epoch: u64, signers: &[u8], before: Ledger) -> (EpochEnd, Certificate) {
        let block =
            futures_util::FutureExt::now_or_never(Digested::compute(block(epoch, &before), &Sequential))
                .expect("at once");
        let certificate = certificate(epoch, block.digest(), signers, &signers[..signers.len() - 1]);
        (EpochEnd { block, before }, certificate)
    }

    /// Random numbers of no account: they weigh signatures that are checked together.
    pub(crate) struct Numbers(pub(crate) u64);

    impl rand_core::TryRng for Numbers {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(self.next_u64() as u32)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            Ok(self.0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes
                .iter_mut()
                .for_each(|byte| *byte = (self.next_u64() >> 33) as u8);
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Numbers {}

    fn take(trust: &mut Trust, border: &Border) -> Result<Step, BorderFault> {
        trust.take(&mut Numbers(1), border)
    }

    const FIRST: &[u8] = &[1, 2, 3, 4];
    const SECOND: &[u8] = &[1, 2, 3, 4, 5];
    const THIRD: &[u8] = &[2, 3, 4, 5];

    #[test]
    fn accepts_validators_from_change_to_change_and_skips_borders_without_one() {
        let mut trust = trust(FIRST);
        assert_eq!(take(&mut trust, &border(4, FIRST, FIRST)), Ok(Step::Same));
        assert_eq!(take(&mut trust, &border(7, FIRST, SECOND)), Ok(Step::Changed));
        assert_eq!(take(&mut trust, &border(9, SECOND, THIRD)), Ok(Step::Changed));
        assert_eq!(take(&mut trust, &border(30, THIRD, THIRD)), Ok(Step::Same));
        assert_eq!(trust.changes().len(), 2);
        let count = |epoch| trust.validators(epoch).len();
        assert_eq!([0, 7, 8, 9, 10, 99].map(count), [4, 4, 5, 5, 4, 4]);
    }

    #[test]
    fn rejects_a_border_whose_signers_are_not_the_proven_ones() {
        let mut trust = trust(FIRST);
        let by_others = border(7, &[6, 7, 8, 9], FIRST);
        assert_eq!(take(&mut trust, &by_others), Err(BorderFault::Certificate));
        let after_a_change = border(9, THIRD, THIRD);
        assert_eq!(take(&mut trust, &after_a_change), Err(BorderFault::Certificate));
        take(&mut trust, &border(7, FIRST, SECOND)).expect("a change");
        let of_the_past = border(7, FIRST, THIRD);
        assert_eq!(take(&mut trust, &of_the_past), Err(BorderFault::Epoch(7)));
    }

    #[test]
    fn rejects_parts_of_different_borders() {
        let (one, other) = (border(3, FIRST, FIRST), border(3, FIRST, SECOND));
        let mut trust = trust(FIRST);
        let mixed = |head: &Border, header: &Border, list: &Border, certificate: &Border| Border {
            head: head.head.clone(),
            header: header.header,
            list: list.list.clone(),
            certificate: certificate.certificate.clone(),
        };
        let cases = [
            (mixed(&one, &one, &one, &other), BorderFault::OtherBlock),
            (mixed(&one, &other, &one, &one), BorderFault::OtherLedger),
            (mixed(&one, &one, &other, &one), BorderFault::List),
            (
                mixed(&one, &one, &one, &border(4, FIRST, FIRST)),
                BorderFault::Height(19),
            ),
        ];
        for (border, fault) in cases {
            assert_eq!(take(&mut trust, &border), Err(fault));
        }
        assert_eq!(take(&mut trust, &mixed(&one, &one, &one, &one)), Ok(Step::Same));
    }

    #[test]
    fn accepts_its_own_bytes_and_rejects_them_cut_or_longer() {
        let border = border(3, FIRST, SECOND);
        let bytes = border.encode();
        assert!(bytes.len() < 4_096, "{}", bytes.len());
        assert_eq!(Border::decode(&bytes).as_ref(), Some(&border));
        for cut in 0..bytes.len() {
            assert_eq!(Border::decode(&bytes[..cut]), None, "{cut}");
        }
        assert_eq!(Border::decode(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(Border::decode(&vec![0; BORDER_BYTES_MAX + 1]), None);
    }

    #[test]
    fn rejects_every_border_with_a_changed_byte() {
        let border = border(3, FIRST, SECOND);
        let bytes = border.encode();
        for at in (0..bytes.len()).step_by(7) {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1;
            let read = Border::decode(&wrong);
            let taken = read.is_some_and(|border| take(&mut trust(FIRST), &border).is_ok());
            assert!(!taken, "byte {at}");
        }
    }
}
