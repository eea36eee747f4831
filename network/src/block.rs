//! What validators agree on: the transactions of one ledger, and when it closes.
//!
//! | bytes | what |
//! |---|---|
//! | 32 | digest of the parent block; in the first one, of the blocks of an epoch (8) and the seconds of a majority (4) |
//! | 8 | height, big-endian; the first block has 0 and no transactions |
//! | 4 | close time of its ledger, seconds since 2000, big-endian |
//! | 32 | hash of the ledger before its own: a node that has another one notices |
//! | 4 | number of transactions, big-endian |
//! | 4 + n each | length, big-endian, and bytes; ascending by id, so that a set has one spelling |
//!
//! The hash of a block's own ledger is in the next block. A block's name is the hash of its head, in which one hash
//! stands for the transactions: who has the head and a certificate knows that the ledger before it is final.

use std::num::NonZeroU64;

use bytes::BufMut;
use codec::{CloseTime, Hash256};
use commonware_codec::{Buf, EncodeSize, Error, FixedSize, Read, ReadExt, Write};
use commonware_consensus::types::Height;
use commonware_consensus::{BoundedBlock, Heightable};
use commonware_cryptography::{Digestible, Hasher, Sha256, sha256};
use ledger::{Ledger, Transaction, TransactionError};

use crate::limits::BLOCK_BYTES_MAX;

/// Name of a block: SHA-256 of its head.
pub type Digest = sha256::Digest;

/// Bytes of a head.
pub(crate) const HEAD_BYTES: usize = 32 + 8 + 4 + 32 + 32;

/// Bytes of a block without transactions.
const FIXED_BYTES: usize = 32 + 8 + 4 + 32 + 4;

/// A block without its transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The block before it.
    pub parent: Digest,
    /// Its height.
    pub height: u64,
    /// Close time of its ledger.
    pub close_time: CloseTime,
    /// Hash of the ledger before its own.
    pub parent_ledger: Hash256,
    /// SHA-256 of the bytes that hold its transactions, from their number on.
    pub transactions: Digest,
}

impl Head {
    /// The block's name.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        self.write(&mut bytes);
        Sha256::hash(&[&bytes])
    }
}

impl Write for Head {
    fn write(&self, buf: &mut impl BufMut) {
        self.parent.write(buf);
        buf.put_u64(self.height);
        buf.put_u32(self.close_time.seconds());
        buf.put_slice(self.parent_ledger.as_bytes());
        self.transactions.write(buf);
    }
}

impl FixedSize for Head {
    const SIZE: usize = HEAD_BYTES;
}

impl Read for Head {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            parent: Digest::read(buf)?,
            height: u64::read(buf)?,
            close_time: CloseTime::new(u32::read(buf)?),
            parent_ledger: Hash256::new(<[u8; 32]>::read(buf)?),
            transactions: Digest::read(buf)?,
        })
    }
}

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The block before it.
    pub parent: Digest,
    /// Its height.
    pub height: u64,
    /// Close time of its ledger.
    pub close_time: CloseTime,
    /// Hash of the ledger before its own; in the first block, of the ledger that the network starts with.
    pub parent_ledger: Hash256,
    /// Its transactions.
    pub transactions: Vec<Vec<u8>>,
}

impl Block {
    /// The first block of a network that starts with this ledger. In place of a parent it names what its ledgers are
    /// made by and no ledger has, the blocks of an epoch and the time that a majority has to last: networks in which
    /// these differ have different first blocks.
    #[must_use]
    pub fn first(ledger: &Ledger, epoch: NonZeroU64, majority_secs: u32) -> Self {
        Self {
            parent: Sha256::hash(&[&epoch.get().to_be_bytes(), &majority_secs.to_be_bytes()]),
            height: 0,
            close_time: ledger.close_time(),
            parent_ledger: ledger.hash(),
            transactions: Vec::new(),
        }
    }

    /// The block after `parent` for the ledger after `ledger`.
    #[must_use]
    pub fn after<'a>(
        parent: Digest,
        height: u64,
        ledger: &Ledger,
        close_time: CloseTime,
        transactions: impl IntoIterator<Item = &'a Transaction>,
    ) -> Self {
        let mut sorted: Vec<_> = transactions.into_iter().map(|tx| (tx.id(), tx.blob())).collect();
        sorted.sort_unstable();
        Self {
            parent,
            height,
            close_time,
            parent_ledger: ledger.hash(),
            transactions: sorted.into_iter().map(|(_, blob)| blob.to_vec()).collect(),
        }
    }

    /// Its head.
    #[must_use]
    pub fn head(&self) -> Head {
        let mut transactions = Vec::with_capacity(self.encode_size());
        self.write_transactions(&mut transactions);
        Head {
            parent: self.parent,
            height: self.height,
            close_time: self.close_time,
            parent_ledger: self.parent_ledger,
            transactions: Sha256::hash(&[&transactions]),
        }
    }

    fn write_transactions(&self, buf: &mut impl BufMut) {
        buf.put_u32(length(self.transactions.len()));
        for blob in &self.transactions {
            buf.put_u32(length(blob.len()));
            buf.put_slice(blob);
        }
    }

    /// Its transactions, read.
    pub fn read_transactions(&self) -> Result<Vec<Transaction>, TransactionError> {
        self.transactions
            .iter()
            .map(|blob| Transaction::parse(blob))
            .collect()
    }
}

impl Write for Block {
    fn write(&self, buf: &mut impl BufMut) {
        self.parent.write(buf);
        buf.put_u64(self.height);
        buf.put_u32(self.close_time.seconds());
        buf.put_slice(self.parent_ledger.as_bytes());
        self.write_transactions(buf);
    }
}

/// A length as the encoding holds it: all are far below 4 GiB.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        FIXED_BYTES + self.transactions.iter().map(|blob| 4 + blob.len()).sum::<usize>()
    }
}

impl Read for Block {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, Error> {
        let parent = Digest::read(buf)?;
        let height = u64::read(buf)?;
        let close_time = CloseTime::new(u32::read(buf)?);
        let parent_ledger = Hash256::new(<[u8; 32]>::read(buf)?);
        let count = u32::read(buf)?;
        let mut room = BLOCK_BYTES_MAX - FIXED_BYTES;
        let mut transactions = Vec::new();
        for _ in 0..count {
            let bytes = u32::read(buf)? as usize;
            room = room.checked_sub(4 + bytes).ok_or(Error::InvalidLength(bytes))?;
            if buf.remaining() < bytes {
                return Err(Error::EndOfBuffer);
            }
            let mut blob = vec![0; bytes];
            buf.copy_to_slice(&mut blob);
            transactions.push(blob);
        }
        Ok(Self {
            parent,
            height,
            close_time,
            parent_ledger,
            transactions,
        })
    }
}

impl Digestible for Block {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        self.head().digest()
    }
}

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.height)
    }
}

impl commonware_consensus::Block for Block {
    fn parent(&self) -> Digest {
        self.parent
    }
}

impl BoundedBlock for Block {
    fn max_encode_size((): &()) -> usize {
        BLOCK_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_codec::{DecodeExt as _, Encode as _};

    fn block(transactions: Vec<Vec<u8>>) -> Block {
        Block {
            parent: Sha256::hash(&[b"parent"]),
            height: 7,
            close_time: CloseTime::new(800_000_001),
            parent_ledger: Hash256::new([5; 32]),
            transactions,
        }
    }

    #[test]
    fn accepts_its_own_bytes_and_rejects_them_cut_or_longer() {
        let block = block(vec![vec![1, 2, 3], Vec::new(), vec![9; 300]]);
        let bytes = block.encode();
        assert_eq!(bytes.len(), block.encode_size());
        assert_eq!(Block::decode(bytes.clone()).expect("a block"), block);
        for cut in 0..bytes.len() {
            assert!(Block::decode(bytes.slice(..cut)).is_err(), "{cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(Block::decode(bytes::Bytes::from(longer)).is_err());
    }

    #[test]
    fn accepts_its_head_for_its_name_and_rejects_that_of_other_transactions() {
        use codec::hash::sha256;
        let (one, other) = (block(vec![vec![1, 2]]), block(vec![vec![1], vec![2]]));
        assert_ne!(one.digest(), other.digest());
        let head = one.head().encode();
        assert_eq!(head.len(), HEAD_BYTES);
        assert_eq!(Head::decode(head.clone()).expect("a head"), one.head());
        // By hand: SHA-256 over the parts as the table has them.
        let of_transactions = sha256(&[&[0, 0, 0, 1, 0, 0, 0, 2, 1, 2]]);
        let parent = sha256(&[b"parent"]);
        let by_hand = [
            &parent[..],
            &7u64.to_be_bytes(),
            &800_000_001u32.to_be_bytes(),
            &[5; 32],
            &of_transactions,
        ]
        .concat();
        assert_eq!(&head[..], by_hand);
        assert_eq!(one.digest().as_ref(), sha256(&[&by_hand]));
    }

    // docs/network.md: a node with another first ledger, epoch or majority belongs to another network.
    #[test]
    fn accepts_the_same_first_block_for_the_same_beginning_alone() {
        use codec::hash::sha256;
        let ledger = |seconds| {
            Ledger::genesis(&ledger::GenesisConfig {
                network_id: 21_337,
                validators: Vec::new(),
                email: ledger::genesis::EmailAmendment::Absent,
                close_time: CloseTime::new(seconds),
                key_delays: ledger::dkim::KeyDelays::NONE,
            })
        };
        let first = |seconds, epoch, majority_secs| {
            let epoch = NonZeroU64::new(epoch).expect("not 0");
            Block::first(&ledger(seconds), epoch, majority_secs)
        };
        let one = first(800_000_000, 900, 432_000);
        assert_eq!(one.digest(), first(800_000_000, 900, 432_000).digest());
        for other in [
            first(800_000_001, 900, 432_000),
            first(800_000_000, 901, 432_000),
            first(800_000_000, 900, 431_999),
        ] {
            assert_ne!(one.digest(), other.digest());
        }
        let by_hand = sha256(&[&[0, 0, 0, 0, 0, 0, 0x03, 0x84, 0x00, 0x06, 0x97, 0x80]]);
        assert_eq!(one.parent.as_ref(), by_hand);
    }

    #[test]
    fn rejects_a_block_beyond_the_bound_and_accepts_one_at_it() {
        let at_bound = block(vec![vec![0; BLOCK_BYTES_MAX - FIXED_BYTES - 4]]);
        assert_eq!(at_bound.encode_size(), BLOCK_BYTES_MAX);
        assert!(Block::decode(at_bound.encode()).is_ok());
        let beyond = block(vec![vec![0; BLOCK_BYTES_MAX - FIXED_BYTES - 3]]);
        assert!(Block::decode(beyond.encode()).is_err());
    }

    #[test]
    fn rejects_lengths_that_are_not_there_without_making_room_for_them() {
        let mut bytes = block(Vec::new()).encode().to_vec();
        let count_at = bytes.len() - 4;
        bytes[count_at..].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(Block::decode(bytes::Bytes::from(bytes.clone())).is_err());
        bytes.extend_from_slice(&u32::MAX.to_be_bytes());
        assert!(Block::decode(bytes::Bytes::from(bytes)).is_err());
    }
}
