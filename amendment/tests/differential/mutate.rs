//! Seeded mutations of accepted mails: of bytes that no signature sees, of any bytes, and of mails that are
//! signed again.

use crate::corpus::Sample;
use crate::mail::Mail;
use crate::resign;
use crate::rng::Rng;
use crate::sign::Signer;
use crate::{seen, unseen};

/// What a mutation touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bytes that no signature covers, or spellings that its canonical form drops.
    Unseen,
    /// Whatever it likes, before the mail is signed with a test key.
    Resigned,
    /// Any bytes of mail and keys.
    Any,
}

/// A changed mail.
pub(crate) struct Mutant<'s> {
    /// What it was.
    pub seed: &'s Sample,
    /// What it is.
    pub sample: Sample,
    /// What changed.
    pub kind: Kind,
    /// DKIM-Signature fields of the seed.
    pub signatures: usize,
}

/// Bytes of a seed; larger ones only make the run longer.
const SEED_BYTES_MAX: usize = 24 * 1024;

/// Makes mutants of accepted mails.
pub(crate) struct Mutator<'s> {
    seeds: Vec<(&'s Sample, Mail)>,
    signer: Signer,
}

impl<'s> Mutator<'s> {
    /// A mutator of these accepted mails.
    pub(crate) fn new(seeds: &'s [Sample]) -> Mutator<'s> {
        let small = seeds.iter().filter(|seed| seed.mail.len() <= SEED_BYTES_MAX);
        Mutator {
            seeds: small
                .map(|seed| (seed, Mail::split(&seed.mail).expect("an accepted mail")))
                .collect(),
            signer: Signer::new(),
        }
    }

    /// The mutant of a number.
    pub(crate) fn mutant(&self, number: u64) -> Mutant<'s> {
        let mut rng = Rng::new(number);
        let (seed, mail) = &self.seeds[rng.below(self.seeds.len())];
        let mut sample = (*seed).clone();
        let kind = match number % 20 {
            0..=4 => Kind::Unseen,
            5..=8 => Kind::Resigned,
            _ => Kind::Any,
        };
        let what = match kind {
            Kind::Unseen => unseen::mutate(&mut rng, mail, &mut sample),
            Kind::Resigned => resign::mutate(&mut rng, mail, &mut sample, &self.signer),
            Kind::Any => seen::mutate(&mut rng, mail, &mut sample),
        };
        sample.name = format!("{} as mutation {number} ({})", seed.name, what.join(", "));
        Mutant {
            seed,
            sample,
            kind,
            signatures: mail.signatures().len(),
        }
    }
}
