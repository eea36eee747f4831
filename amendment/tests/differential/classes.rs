//! Why two programs differ on a mail. A refusal of ours by rule is its own reason. Where a proof differs, a class is a
//! repair: a change that our verifier cannot see and after which the peer agrees.

use crate::corpus::Sample;
use crate::mail::Mail;
use crate::table::Peer;
use crate::verdict::{self, Verdict};

/// No class fits.
const UNEXPLAINED: &str = "unexplained";
/// The signature that the peer accepts is legal, but the mail has more than rule 4.7 tries.
const NOT_TRIED: &str = "4.7";

/// A change with its name.
type Repair = (&'static str, fn(&Mail) -> Mail);

/// Changes that no legal signature sees.
const REPAIRS: &[Repair] = &[(
    "white space in the last lines of a relaxed body",
    without_blank_end,
)];

/// The first repair after which the peer accepts as well.
pub fn why_only_we(peer: &mut dyn Peer, sample: &Sample) -> String {
    let Some(mail) = Mail::split(&sample.mail) else {
        return UNEXPLAINED.to_owned();
    };
    for (name, repair) in REPAIRS {
        let repaired = Sample {
            mail: repair(&mail).join(),
            ..sample.clone()
        };
        if verdict::ours(&repaired) == Verdict::Accepts && !peer.passing(&repaired).is_empty() {
            return (*name).to_owned();
        }
    }
    UNEXPLAINED.to_owned()
}

/// The rule by which we refuse the very signature that the peer accepts.
pub fn why_only_they(_: &mut dyn Peer, sample: &Sample, passing: &[usize]) -> String {
    let refusal = |mail: Vec<u8>| match verdict::ours(&Sample {
        mail,
        ..sample.clone()
    }) {
        Verdict::Accepts => NOT_TRIED.to_owned(),
        Verdict::Refuses(class) => class,
    };
    let Some(mail) = Mail::split(&sample.mail).filter(|mail| mail.signatures().len() > 1) else {
        return refusal(sample.mail.clone());
    };
    let mut classes: Vec<String> = passing
        .iter()
        .map(|at| refusal(mail.with_only(*at).join()))
        .collect();
    // A failed proof needs more of an explanation than a broken rule, so it is told first.
    classes.sort_by_key(|class| !is_proof(class));
    classes
        .into_iter()
        .next()
        .unwrap_or_else(|| UNEXPLAINED.to_owned())
}

fn is_proof(class: &str) -> bool {
    class == "3.3" || class.starts_with("4.5: the signature")
}

fn without_blank_end(mail: &Mail) -> Mail {
    let mut mail = mail.clone();
    let kept = mail.body.trim_ascii_end().len();
    mail.body.truncate(kept);
    mail.body.extend_from_slice(b"\r\n");
    mail
}
