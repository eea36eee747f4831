//! How far a mailbox is read. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// How far a mailbox is read: `UIDVALIDITY:last UID`, and after a further colon the UIDs up to it that were
/// put off.
///
/// UIDs only grow while UIDVALIDITY stays the same (RFC 9051 section 2.3.1.1), so the two name each message
/// once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) validity: u32,
    pub(super) last: u32,
    pub(super) put_off: BTreeSet<u32>,
}

impl Mark {
    /// Nothing is read.
    pub(super) fn start(validity: u32) -> Mark {
        Mark {
            validity,
            last: 0,
            put_off: BTreeSet::new(),
        }
    }

    /// The message is done with.
    pub(super) fn settle(&mut self, uid: u32) {
        self.put_off.remove(&uid);
        self.last = self.last.max(uid);
    }

    /// The message, the last one that was begun, stays new.
    pub(super) fn leave(&mut self, uid: u32) {
        self.put_off.remove(&uid);
        self.last = uid.saturating_sub(1);
    }

    /// The message is to be tried again.
    pub(super) fn put_off(&mut self, uid: u32) {
        self.put_off.insert(uid);
        self.last = self.last.max(uid);
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.validity, self.last)?;
        for (at, uid) in self.put_off.iter().enumerate() {
            write!(f, "{}{uid}", if at == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

/// A text that is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a mark of a mailbox")]
pub(super) struct MarkError;

impl FromStr for Mark {
    type Err = MarkError;
    fn from_str(text: &str) -> Result<Mark, MarkError> {
        let number = |text: &str| text.parse().map_err(|_| MarkError);
        let (validity, rest) = text.split_once(':').ok_or(MarkError)?;
        let (last, put_off) = match rest.split_once(':') {
            Some((last, uids)) => (last, uids.split(',').map(number).collect::<Result<_, _>>()?),
            None => (rest, BTreeSet::new()),
        };
        Ok(Mark {
            validity: number(validity)?,
            last: number(last)?,
            put_off,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_its_own_text() {
        let mut mark = Mark::start(7);
        assert_eq!(mark.to_string(), "7:0");
        mark.settle(3);
        mark.put_off(5);
        mark.put_off(4);
        assert_eq!(mark.to_string(), "7:5:4,5");
        assert_eq!("7:5:4,5".parse(), Ok(mark.clone()));
        mark.settle(4);
        mark.settle(5);
        assert_eq!(mark.to_string(), "7:5");
        assert_eq!("7:5".parse(), Ok(mark.clone()));
        mark.put_off(9);
        mark.leave(9);
        assert_eq!(mark.to_string(), "7:8");
    }

    #[test]
    fn rejects_other_text() {
        for text in [
            "",
            "7",
            "7:",
            ":5",
            "7:5:",
            "7:5:4,",
            "-1:5",
            "7:5:x",
            "4294967296:1",
        ] {
            assert_eq!(text.parse::<Mark>(), Err(MarkError), "{text}");
        }
    }
}
