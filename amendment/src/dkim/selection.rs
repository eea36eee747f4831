//! The header fields that one signature selects: bottom-up, in canonical form, in the two orders that count.
//! Knows no field's meaning.
//!
//! Spec: 3.1, 4.3 (selected exactly once). RFC 6376 5.4.2.

use std::borrow::Cow;

use crate::dkim::canon;
use crate::dkim::signature::{Scheme, SignedHeaders};
use crate::mail::message::Mail;
use crate::refusal::Refusal;

/// The selected header fields of one signature, in canonical form.
pub(crate) struct Selection<'m> {
    /// The distinct names of `h=`.
    names: Vec<SignedName<'m>>,
    /// Position in `names` and line, in the order of the normal form.
    lines: Vec<(usize, Cow<'m, [u8]>)>,
    /// `h=` as positions in `names` and the instance counted from the bottom.
    mentions: Vec<(usize, usize)>,
}

/// A name of `h=`.
struct SignedName<'m> {
    name: &'m [u8],
    /// How often `h=` mentions it.
    mentioned: usize,
    /// How many instances the mail has of it, up to `mentioned`.
    found: usize,
    /// Where they begin in `Selection::lines`.
    start: usize,
}

impl<'m> Selection<'m> {
    /// The header instances that `h=` selects, bottom-up.
    ///
    /// Spec: 3.1. RFC 6376 5.4.2: each further mention of a name takes the next instance above; where there
    /// is none, the mention hashes as nothing.
    pub(crate) fn of(
        mail: &Mail<'m>,
        chosen: usize,
        signed: &SignedHeaders<'m>,
        scheme: &Scheme,
    ) -> Selection<'m> {
        let mut names: Vec<SignedName<'m>> = Vec::with_capacity(signed.names.len());
        let mut mentions = Vec::with_capacity(signed.names.len());
        for name in signed.names.iter().copied() {
            match position_of(&names, name).and_then(|at| Some((at, names.get_mut(at)?))) {
                Some((at, known)) => {
                    mentions.push((at, known.mentioned));
                    known.mentioned = known.mentioned.saturating_add(1);
                }
                None => {
                    mentions.push((names.len(), 0));
                    names.push(SignedName {
                        name,
                        mentioned: 1,
                        found: 0,
                        start: 0,
                    });
                }
            }
        }
        let mut lines = Vec::with_capacity(signed.names.len());
        for (position, field) in mail.fields.iter().enumerate().rev() {
            let known = position_of(&names, field.name).and_then(|at| Some((at, names.get_mut(at)?)));
            if let Some((at, known)) = known
                && position != chosen
                && known.found < known.mentioned
            {
                known.found = known.found.saturating_add(1);
                lines.push((at, canon::header(field, scheme.header, mail.spacing)));
            }
        }
        // From bottom-up to top-down; the sort keeps that order within one name.
        lines.reverse();
        lines.sort_by_key(|(at, _)| *at);
        let mut start: usize = 0;
        for name in &mut names {
            name.start = start;
            start = start.saturating_add(name.found);
        }
        Selection {
            names,
            lines,
            mentions,
        }
    }

    /// Selected instances of the name at a position, top to bottom.
    fn instances_at(&self, at: usize) -> &[(usize, Cow<'m, [u8]>)] {
        let name = self.names.get(at);
        let lines = name.and_then(|name| self.lines.get(name.start..name.start.saturating_add(name.found)));
        lines.unwrap_or_default()
    }

    /// The value of a header that is selected exactly once.
    pub(crate) fn single(&self, name: &[u8], shown_name: &'static str) -> Result<&[u8], Refusal> {
        let instances = position_of(&self.names, name).map(|at| self.instances_at(at));
        match instances.unwrap_or_default() {
            [(_, one)] => Ok(canon::value(one)),
            [] => Err(Refusal::NotSigned(shown_name)),
            _ => Err(Refusal::SignedTwice(shown_name)),
        }
    }

    /// All selected lines in the order of the normal form, each with its name as `h=` has it.
    pub(crate) fn in_normal_order(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines
            .iter()
            .filter_map(|(at, line)| Some((self.names.get(*at)?.name, &**line)))
    }

    /// The lines in the order of `h=`, as the signature covers them.
    pub(crate) fn as_mentioned(&self) -> impl Iterator<Item = &[u8]> {
        self.mentions.iter().filter_map(|(at, from_bottom)| {
            let mut upwards = self.instances_at(*at).iter().rev();
            upwards.nth(*from_bottom).map(|(_, line)| &**line)
        })
    }
}

fn position_of(names: &[SignedName<'_>], name: &[u8]) -> Option<usize> {
    names
        .iter()
        .position(|known| known.name.eq_ignore_ascii_case(name))
}
