//! The ledgers that a node can give to others, and prove: those before the last borders.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codec::LedgerIndex;
use commonware_cryptography::Digested;
use ledger::Ledger;
use ledger::state_map::Piece;
use rand_core::CryptoRng;

use super::disk::{DiskError, Proofs};
use super::fetch::piece_of_block;
use super::proof::{Border, Certificate, Step, Trust};
use super::wire::{Message, Part, Place};
use crate::block::Block;
use crate::commits::EpochEnd;
use crate::limits::{PIECE_BYTES, SNAPSHOTS_KEPT};

/// What a node has for others. Cheap to clone: all clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Points(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    trust: Trust,
    proofs: Option<Proofs>,
    points: VecDeque<Point>,
}

/// A ledger, what proves it, and the block after it.
#[derive(Debug, Clone)]
struct Point {
    border: Border,
    before: Ledger,
    block: Digested<Block>,
}

impl Points {
    /// None yet. Where validators change goes to disk, for a node that has one.
    #[must_use]
    pub(crate) fn new(trust: Trust, proofs: Option<Proofs>) -> Self {
        Self(Arc::new(Mutex::new(Kept {
            trust,
            proofs,
            points: VecDeque::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last block of an epoch is final, by this certificate. One that comes again changes nothing.
    pub(crate) fn reach(
        &self,
        rng: &mut impl CryptoRng,
        end: EpochEnd,
        certificate: Certificate,
    ) -> Result<(), DiskError> {
        let EpochEnd { block, before } = end;
        let Some(border) = Border::new(block.inner().head(), &before, certificate) else {
            return Ok(());
        };
        let mut kept = self.lock();
        let epoch = border.epoch();
        if kept
            .points
            .back()
            .is_some_and(|newest| newest.border.epoch() >= epoch)
        {
            return Ok(());
        }
        if epoch >= kept.trust.last_from() {
            let mut trust = kept.trust.clone();
            match trust.take(rng, &border) {
                Ok(Step::Same) => {}
                Ok(Step::Changed) => {
                    if let Some(proofs) = &kept.proofs {
                        proofs.write_change(&border)?;
                    }
                    kept.trust = trust;
                }
                Err(fault) => {
                    tracing::error!(epoch, %fault, "the border of this epoch cannot be proven to others");
                    return Ok(());
                }
            }
        }
        if kept.points.len() >= SNAPSHOTS_KEPT {
            kept.points.pop_front();
        }
        kept.points.push_back(Point {
            border,
            before,
            block,
        });
        Ok(())
    }

    /// The answer to a question, where `last` is the last ledger; `None` for what is no question.
    #[must_use]
    pub(crate) fn answer(&self, question: &Message, last: LedgerIndex) -> Option<Message> {
        match question {
            Message::WantBorder { from } => {
                let kept = self.lock();
                let changes = kept.trust.changes().iter();
                let newest = kept.points.back().map(|point| &point.border);
                let mut borders = changes.chain(newest).filter(|border| border.epoch() >= *from);
                Some(Message::Border {
                    from: *from,
                    last,
                    border: borders.next().cloned().map(Box::new),
                })
            }
            Message::WantPiece(place) => Some(Message::Piece(*place, self.piece(place))),
            Message::Border { .. } | Message::Piece(..) => None,
        }
    }

    fn piece(&self, place: &Place) -> Option<Piece> {
        let kept = self.lock();
        let mut points = kept.points.iter();
        let point = points.find(|point| point.border.header().hash() == place.ledger)?;
        let point = point.clone();
        drop(kept);
        match place.part {
            Part::State => point.before.state().piece(&place.at, PIECE_BYTES),
            Part::Transactions => point.before.transactions().piece(&place.at, PIECE_BYTES),
            Part::Block => Some(piece_of_block(point.block.inner())),
        }
    }
}
