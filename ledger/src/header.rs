//! The ledger header: its fields, its bytes and its hash.
//!
//! Xahau's form (app/ledger/Ledger.cpp, ledger/View.cpp).

use codec::hash::{PREFIX_LEDGER, sha512_half};
use codec::{CloseTime, Drops, Hash256, LedgerIndex};

use crate::limits::HEADER_BYTES;

/// What a ledger hash covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Number of this ledger; the genesis is 1.
    pub index: LedgerIndex,
    /// Drops in existence after this ledger's fees.
    pub total_drops: Drops,
    /// Hash of the parent ledger; zero in the genesis.
    pub parent_hash: Hash256,
    /// Root of the transactions.
    pub tx_hash: Hash256,
    /// Root of the state.
    pub account_hash: Hash256,
    /// Close time of the parent.
    pub parent_close_time: CloseTime,
    /// Close time of this ledger.
    pub close_time: CloseTime,
    /// Resolution of the close time in seconds.
    pub close_resolution: u8,
    /// 1 where the validators did not agree on the close time.
    pub close_flags: u8,
}

impl Header {
    /// The ledger's hash.
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        sha512_half(&[&PREFIX_LEDGER, &self.encode()])
    }

    /// The 118 bytes that xahaud calls `ledger_data`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&self.index.get().to_be_bytes());
        bytes.extend_from_slice(&self.total_drops.get().to_be_bytes());
        bytes.extend_from_slice(self.parent_hash.as_bytes());
        bytes.extend_from_slice(self.tx_hash.as_bytes());
        bytes.extend_from_slice(self.account_hash.as_bytes());
        bytes.extend_from_slice(&self.parent_close_time.seconds().to_be_bytes());
        bytes.extend_from_slice(&self.close_time.seconds().to_be_bytes());
        bytes.push(self.close_resolution);
        bytes.push(self.close_flags);
        bytes
    }

    /// Reads what `encode` writes; `None` for any other length.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Header> {
        let mut rest = bytes;
        let header = Header {
            index: LedgerIndex::new(u32::from_be_bytes(take(&mut rest)?)),
            total_drops: Drops::new(u64::from_be_bytes(take(&mut rest)?)),
            parent_hash: Hash256::new(take(&mut rest)?),
            tx_hash: Hash256::new(take(&mut rest)?),
            account_hash: Hash256::new(take(&mut rest)?),
            parent_close_time: CloseTime::new(u32::from_be_bytes(take(&mut rest)?)),
            close_time: CloseTime::new(u32::from_be_bytes(take(&mut rest)?)),
            close_resolution: u8::from_be_bytes(take(&mut rest)?),
            close_flags: u8::from_be_bytes(take(&mut rest)?),
        };
        rest.is_empty().then_some(header)
    }
}

/// Cuts the next `N` bytes off.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// First closed ledger as recorded in fixtures/golden/xahaud/ledger_start.json.
    const RECORDED: &str = "0000000200005AF3107A40001E1D18504F0563478181F7F12BE6D70DDE157A3A4FEB5CC150E667AC85AF03C6\
0000000000000000000000000000000000000000000000000000000000000000E2EEB2F6E689DED28E2518DD325544E73ABA0888036B8BFD798D59\
0F237FDD9B3292E0C73292E0D21E00";

    #[test]
    fn accepts_the_recorded_header_with_its_hash() {
        let bytes = hex::decode(RECORDED).unwrap();
        let header = Header::decode(&bytes).unwrap();
        assert_eq!(header.encode(), bytes);
        assert_eq!(
            header.hash().to_string(),
            "E3BE424DDA24BA2185265F75B99D543AED5315147A05E88296C43D1FD8EA5E09"
        );
    }

    #[test]
    fn rejects_other_lengths() {
        let bytes = hex::decode(RECORDED).unwrap();
        assert!(Header::decode(&bytes[..117]).is_none());
        assert!(Header::decode(&[bytes.as_slice(), &[0]].concat()).is_none());
        assert!(Header::decode(&[]).is_none());
    }

    proptest! {
        #[test]
        fn accepts_every_header_back(bytes in proptest::collection::vec(any::<u8>(), HEADER_BYTES)) {
            prop_assert_eq!(Header::decode(&bytes).unwrap().encode(), bytes);
        }
    }
}
