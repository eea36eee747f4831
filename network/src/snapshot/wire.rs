//! The messages of the channel on which a node fetches a ledger, and the files that its pieces are kept in.
//!
//! | message | bytes |
//! |---|---|
//! | 0: the border after the known ones? | first epoch whose border is wanted (8) |
//! | 1: a piece? | place |
//! | 2: a border | the epoch asked for (8), index of the last ledger here (4), then nothing where there is none, or the border ([`Border`]) |
//! | 3: a piece | place, then nothing where it is not here, or the piece |
//!
//! A place is the hash of the ledger (32), 0 for its state, 1 for its transactions or 2 for the block after it (1),
//! the number of nibbles (1) and the nibbles, two in a byte; the block, which is one item, has none. A piece is 0 and,
//! for each item, its key (32), the length of its bytes (4) and these; or 1, which branches there are (2) and their
//! hashes (32 each).

use bytes::{Buf, BufMut};
use codec::{Hash256, LedgerIndex};
use ledger::state_map::{Piece, Prefix};

use super::proof::{Border, put_branches, take_branches};
use crate::limits::SNAPSHOT_MESSAGE_BYTES_MAX;

/// Which part of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// The state of its ledger.
    State,
    /// The transactions of its ledger.
    Transactions,
    /// The border block: one item, under its name.
    Block,
}

/// A place in a part of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// Hash of the ledger.
    pub(crate) ledger: Hash256,
    /// Which part.
    pub(crate) part: Part,
    /// Where in it.
    pub(crate) at: Prefix,
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    /// Asks for the first border from an epoch on at which validators change, or else for the newest.
    WantBorder {
        /// The epoch.
        from: u64,
    },
    /// Asks for a piece.
    WantPiece(Place),
    /// A border, if there is one.
    Border {
        /// The epoch that was asked for.
        from: u64,
        /// The last ledger of the one that answers.
        last: LedgerIndex,
        /// The border.
        border: Option<Box<Border>>,
    },
    /// A piece, if it is there.
    Piece(Place, Option<Piece>),
}

impl Message {
    /// Its bytes; `None` where they are too many for a message.
    #[must_use]
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Self::WantBorder { from } => {
                out.put_u8(0);
                out.put_u64(*from);
            }
            Self::WantPiece(place) => {
                out.put_u8(1);
                put_place(&mut out, place);
            }
            Self::Border { from, last, border } => {
                out.put_u8(2);
                out.put_u64(*from);
                out.put_u32(last.get());
                if let Some(border) = border {
                    out.put_slice(&border.encode());
                }
            }
            Self::Piece(place, piece) => {
                out.put_u8(3);
                put_place(&mut out, place);
                if let Some(piece) = piece {
                    put_piece(&mut out, piece);
                }
            }
        }
        (out.len() <= SNAPSHOT_MESSAGE_BYTES_MAX).then_some(out)
    }

    /// Reads one; `None` unless all bytes make it.
    #[must_use]
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        if bytes.len() > SNAPSHOT_MESSAGE_BYTES_MAX {
            return None;
        }
        let kind = bytes.try_get_u8().ok()?;
        let (message, rest): (Self, &[u8]) = match kind {
            0 => {
                let from = bytes.try_get_u64().ok()?;
                (Self::WantBorder { from }, bytes)
            }
            1 => (Self::WantPiece(take_place(&mut bytes)?), bytes),
            2 => {
                let from = bytes.try_get_u64().ok()?;
                let last = LedgerIndex::new(bytes.try_get_u32().ok()?);
                let border = match bytes {
                    [] => None,
                    bytes => Some(Box::new(Border::decode(bytes)?)),
                };
                (Self::Border { from, last, border }, &[])
            }
            3 => {
                let place = take_place(&mut bytes)?;
                let piece = match bytes {
                    [] => None,
                    bytes => Some(decode_piece(bytes)?),
                };
                (Self::Piece(place, piece), &[])
            }
            _ => return None,
        };
        rest.is_empty().then_some(message)
    }
}

fn put_place(out: &mut Vec<u8>, place: &Place) {
    out.put_slice(place.ledger.as_bytes());
    out.put_u8(match place.part {
        Part::State => 0,
        Part::Transactions => 1,
        Part::Block => 2,
    });
    out.put_u8(place.at.depth());
    out.put_slice(place.at.nibbles());
}

fn take_place(bytes: &mut &[u8]) -> Option<Place> {
    let ledger = Hash256::new(take(bytes)?);
    let part = match bytes.try_get_u8().ok()? {
        0 => Part::State,
        1 => Part::Transactions,
        2 => Part::Block,
        _ => return None,
    };
    let depth = bytes.try_get_u8().ok()?;
    let (nibbles, rest) = bytes.split_at_checked(usize::from(depth).div_ceil(2))?;
    *bytes = rest;
    let at = Prefix::new(depth, nibbles)?;
    Some(Place { ledger, part, at })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

/// The bytes of a piece.
#[must_use]
pub(crate) fn encode_piece(piece: &Piece) -> Vec<u8> {
    let mut out = Vec::new();
    put_piece(&mut out, piece);
    out
}

fn put_piece(out: &mut Vec<u8>, piece: &Piece) {
    match piece {
        Piece::Items(items) => {
            out.put_u8(0);
            for (key, bytes) in items {
                out.put_slice(key.as_bytes());
                out.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                out.put_slice(bytes);
            }
        }
        Piece::Branches(branches) => {
            out.put_u8(1);
            put_branches(out, branches);
        }
    }
}

/// Reads a piece; `None` unless all bytes make it.
#[must_use]
pub(crate) fn decode_piece(mut bytes: &[u8]) -> Option<Piece> {
    match bytes.try_get_u8().ok()? {
        0 => {
            let mut items = Vec::new();
            while !bytes.is_empty() {
                let key = Hash256::new(take(&mut bytes)?);
                let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
                let (item, rest) = bytes.split_at_checked(length)?;
                items.push((key, item.to_vec()));
                bytes = rest;
            }
            Some(Piece::Items(items))
        }
        1 => {
            let branches = take_branches(&mut bytes)?;
            bytes.is_empty().then(|| Piece::Branches(Box::new(branches)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            ledger: Hash256::new([7; 32]),
            part: Part::Transactions,
            at: Prefix::new(3, &[0x12, 0x30]).expect("a place"),
        }
    }

    fn messages() -> Vec<Message> {
        let mut branches = [Hash256::ZERO; 16];
        (branches[0], branches[15]) = (Hash256::new([1; 32]), Hash256::new([2; 32]));
        let items = vec![
            (Hash256::new([3; 32]), vec![4, 5]),
            (Hash256::new([6; 32]), Vec::new()),
        ];
        vec![
            Message::WantBorder { from: 9 },
            Message::WantPiece(place()),
            Message::Border {
                from: 9,
                last: LedgerIndex::new(77),
                border: None,
            },
            Message::Piece(place(), None),
            Message::Piece(place(), Some(Piece::Items(items))),
            Message::Piece(place(), Some(Piece::Branches(Box::new(branches)))),
            Message::Piece(place(), Some(Piece::Items(Vec::new()))),
        ]
    }

    #[test]
    fn accepts_its_own_messages_and_rejects_them_longer_and_every_cut_that_says_something_else() {
        for message in messages() {
            let bytes = message.encode().expect("short");
            assert_eq!(Message::decode(&bytes), Some(message.clone()), "{message:?}");
            for cut in 0..bytes.len() {
                assert_ne!(Message::decode(&bytes[..cut]), Some(message.clone()), "{cut}");
            }
            assert_ne!(
                Message::decode(&[&bytes[..], &[0]].concat()),
                Some(message.clone()),
                "{message:?}"
            );
        }
    }

    #[test]
    fn rejects_other_kinds_branches_of_zero_and_lengths_that_are_not_there() {
        assert_eq!(Message::decode(&[]), None);
        assert_eq!(Message::decode(&[4, 0]), None);
        assert_eq!(decode_piece(&[2]), None);
        let zero = [&[1, 0, 1][..], &[0; 32]].concat();
        assert_eq!(decode_piece(&zero), None);
        let endless = [&[0][..], &[9; 32], &[0xFF; 4]].concat();
        assert_eq!(decode_piece(&endless), None);
        assert_eq!(Message::decode(&vec![0; SNAPSHOT_MESSAGE_BYTES_MAX + 1]), None);
    }

    #[test]
    fn rejects_a_message_that_is_too_long_to_be_sent() {
        let large = vec![(Hash256::new([1; 32]), vec![0; SNAPSHOT_MESSAGE_BYTES_MAX])];
        assert_eq!(Message::Piece(place(), Some(Piece::Items(large))).encode(), None);
    }
}
