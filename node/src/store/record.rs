//! The records of the store and their bytes. Integers are big-endian; a record that does not parse to its
//! last byte is damaged.

use chain::commit::{Came, MailStage, PendingMail, PendingTx, Settled, SettledState, StateChange, StoredTx};
use codec::{AccountId, CloseTime, Hash256, LedgerIndex};

/// A validated ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLedger {
    /// Its index.
    pub index: LedgerIndex,
    /// Its hash.
    pub hash: Hash256,
    /// Its serialized header.
    pub header: Vec<u8>,
}

impl StoredLedger {
    pub(super) fn encode(hash: &Hash256, header: &[u8]) -> Vec<u8> {
        [&hash.as_bytes()[..], header].concat()
    }

    pub(super) fn decode(index: u32, bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { rest: bytes };
        let hash = reader.hash()?;
        Some(Self {
            index: LedgerIndex::new(index),
            hash,
            header: reader.rest.to_vec(),
        })
    }
}

/// A validated transaction.
pub(super) mod stored_tx {
    use super::*;

    pub(in crate::store) fn encode(tx: &StoredTx) -> Vec<u8> {
        let blob_bytes = u32::try_from(tx.blob.len()).unwrap_or(u32::MAX);
        let mut out = Vec::with_capacity(12 + tx.blob.len() + tx.meta.len());
        out.extend_from_slice(&tx.ledger_index.get().to_be_bytes());
        out.extend_from_slice(&tx.tx_index.to_be_bytes());
        out.extend_from_slice(&blob_bytes.to_be_bytes());
        out.extend_from_slice(&tx.blob);
        out.extend_from_slice(&tx.meta);
        out
    }

    pub(in crate::store) fn decode(id: Hash256, bytes: &[u8]) -> Option<StoredTx> {
        let mut reader = Reader { rest: bytes };
        let ledger_index = LedgerIndex::new(reader.u32()?);
        let tx_index = reader.u32()?;
        let blob_bytes = usize::try_from(reader.u32()?).ok()?;
        let (blob, meta) = reader.rest.split_at_checked(blob_bytes)?;
        Some(StoredTx {
            id,
            ledger_index,
            tx_index,
            blob: blob.to_vec(),
            meta: meta.to_vec(),
        })
    }
}

/// A mail on its way.
pub(super) mod pending_mail {
    use super::*;

    pub(in crate::store) fn encode(mail: &PendingMail) -> Vec<u8> {
        let stage = match mail.stage {
            MailStage::Kept => 0_u8,
            MailStage::Submitted => 1,
        };
        let mut out = vec![stage];
        out.extend_from_slice(&mail.order.to_be_bytes());
        out.extend_from_slice(mail.email_id.as_bytes());
        out.extend_from_slice(&mail.executable_until.seconds().to_be_bytes());
        out.extend_from_slice(&mail.raw);
        out
    }

    pub(in crate::store) fn decode(bytes: &[u8]) -> Option<PendingMail> {
        let mut reader = Reader { rest: bytes };
        let stage = match reader.array::<1>()? {
            [0] => MailStage::Kept,
            [1] => MailStage::Submitted,
            _ => return None,
        };
        let order = u64::from_be_bytes(reader.array()?);
        let email_id = reader.hash()?;
        let executable_until = CloseTime::new(reader.u32()?);
        Some(PendingMail {
            stage,
            order,
            email_id,
            executable_until,
            raw: reader.rest.into(),
        })
    }
}

/// A transaction on its way.
pub(super) mod pending_tx {
    use super::*;

    pub(in crate::store) fn encode(tx: &PendingTx) -> Vec<u8> {
        let mut out = tx.came.open.get().to_be_bytes().to_vec();
        out.extend_from_slice(&tx.came.next_mail.to_be_bytes());
        out.extend_from_slice(&tx.came.number.to_be_bytes());
        out.extend_from_slice(&tx.blob);
        out
    }

    pub(in crate::store) fn decode(bytes: &[u8]) -> Option<PendingTx> {
        let mut reader = Reader { rest: bytes };
        let came = Came {
            open: LedgerIndex::new(reader.u32()?),
            next_mail: u64::from_be_bytes(reader.array()?),
            number: u64::from_be_bytes(reader.array()?),
        };
        Some(PendingTx {
            came,
            blob: reader.rest.to_vec(),
        })
    }
}

/// The last word about an EmailID.
pub(super) mod settled_mail {
    use super::*;

    pub(in crate::store) fn encode(settled: &Settled) -> Vec<u8> {
        let ledger_index = match settled.state {
            SettledState::Validated { ledger_index } => ledger_index.get(),
            SettledState::Failed => 0,
        };
        let mut out = ledger_index.to_be_bytes().to_vec();
        out.extend_from_slice(&settled.code.to_be_bytes());
        out.extend_from_slice(settled.hash.as_bytes());
        out
    }

    pub(in crate::store) fn decode(bytes: &[u8]) -> Option<Settled> {
        let mut reader = Reader { rest: bytes };
        let state = match reader.u32()? {
            0 => SettledState::Failed,
            index => SettledState::Validated {
                ledger_index: LedgerIndex::new(index),
            },
        };
        let code = i32::from_be_bytes(reader.array()?);
        let hash = reader.hash()?;
        reader.rest.is_empty().then_some(Settled { state, code, hash })
    }
}

/// What takes a state back to that of the parent ledger.
pub(super) struct UndoRecord;

/// Length in an undo record that says: there was no entry.
const ABSENT: u32 = u32::MAX;

impl UndoRecord {
    pub(super) fn encode(changes: &[StateChange]) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, value) in changes {
            out.extend_from_slice(key.as_bytes());
            match value {
                Some(value) => {
                    let bytes = u32::try_from(value.len()).unwrap_or(ABSENT - 1);
                    out.extend_from_slice(&bytes.to_be_bytes());
                    out.extend_from_slice(value);
                }
                None => out.extend_from_slice(&ABSENT.to_be_bytes()),
            }
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Vec<StateChange>> {
        let mut reader = Reader { rest: bytes };
        let mut changes = Vec::new();
        while !reader.rest.is_empty() {
            let key = reader.hash()?;
            let value = match reader.u32()? {
                ABSENT => None,
                bytes => Some(reader.bytes(usize::try_from(bytes).ok()?)?.to_vec()),
            };
            changes.push((key, value));
        }
        Some(changes)
    }
}

/// The record at a position of a ledger: the transaction's id, and the accounts that it affects.
pub(super) mod tx_place {
    use super::{AccountId, Hash256, Reader};

    pub(in crate::store) fn encode(id: &Hash256, affected: &[AccountId]) -> Vec<u8> {
        let mut out = id.as_bytes().to_vec();
        affected
            .iter()
            .for_each(|account| out.extend_from_slice(account.as_bytes()));
        out
    }

    pub(in crate::store) fn decode(bytes: &[u8]) -> Option<(Hash256, Vec<AccountId>)> {
        let mut reader = Reader { rest: bytes };
        let id = reader.hash()?;
        let mut affected = Vec::new();
        while !reader.rest.is_empty() {
            affected.push(AccountId::new(reader.array()?));
        }
        Some((id, affected))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn hash(&mut self) -> Option<Hash256> {
        self.array().map(Hash256::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_it_wrote_and_rejects_every_cut_of_it() {
        let settled = Settled {
            state: SettledState::Validated {
                ledger_index: LedgerIndex::new(9),
            },
            code: -80,
            hash: Hash256::new([7; 32]),
        };
        let bytes = settled_mail::encode(&settled);
        assert_eq!(settled_mail::decode(&bytes), Some(settled));
        for cut in 0..bytes.len() {
            assert_eq!(settled_mail::decode(&bytes[..cut]), None);
        }
        assert_eq!(settled_mail::decode(&[&bytes[..], &[0]].concat()), None);

        let tx = StoredTx {
            id: Hash256::ZERO,
            ledger_index: LedgerIndex::new(3),
            tx_index: 1,
            blob: vec![1, 2, 3],
            meta: vec![4, 5],
        };
        let bytes = stored_tx::encode(&tx);
        assert_eq!(stored_tx::decode(Hash256::ZERO, &bytes), Some(tx));
        for cut in 0..15 {
            assert_eq!(stored_tx::decode(Hash256::ZERO, &bytes[..cut]), None);
        }

        let changes = vec![
            (Hash256::new([1; 32]), Some(vec![1, 2])),
            (Hash256::new([2; 32]), None),
            (Hash256::new([3; 32]), Some(Vec::new())),
        ];
        let bytes = UndoRecord::encode(&changes);
        assert_eq!(UndoRecord::decode(&bytes), Some(changes));
        for cut in (1..bytes.len()).filter(|cut| ![38, 74].contains(cut)) {
            assert_eq!(UndoRecord::decode(&bytes[..cut]), None, "{cut}");
        }
        let place = tx_place::encode(&Hash256::ZERO, &[AccountId::ONE, AccountId::ZERO]);
        assert_eq!(
            tx_place::decode(&place),
            Some((Hash256::ZERO, vec![AccountId::ONE, AccountId::ZERO]))
        );
        assert_eq!(tx_place::decode(&place[..71]), None);

        let mail = PendingMail {
            stage: MailStage::Submitted,
            order: 5,
            email_id: Hash256::new([1; 32]),
            executable_until: CloseTime::new(7),
            raw: b"A: b\r\n\r\n"[..].into(),
        };
        let bytes = pending_mail::encode(&mail);
        assert_eq!(pending_mail::decode(&bytes), Some(mail));
        for cut in 0..45 {
            assert_eq!(pending_mail::decode(&bytes[..cut]), None);
        }
        assert_eq!(pending_mail::decode(&[&[2], &bytes[1..]].concat()), None);

        let tx = PendingTx {
            came: Came {
                open: LedgerIndex::new(9),
                next_mail: 1 << 40,
                number: 3,
            },
            blob: vec![1, 2, 3],
        };
        let bytes = pending_tx::encode(&tx);
        assert_eq!(pending_tx::decode(&bytes), Some(tx));
        for cut in 0..20 {
            assert_eq!(pending_tx::decode(&bytes[..cut]), None);
        }
    }
}
