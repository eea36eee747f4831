//! Command lines out of a stream of bytes: CRLF ends a line, and nothing else does.

use memchr::memchr2;

use crate::limits::{COMMAND_LINE_BYTES_MAX, COMMAND_LINE_SKIPPED_BYTES_MAX};

/// What the bytes so far amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// A line, without its CRLF.
    Line(Vec<u8>),
    /// The line goes on.
    More,
    /// A line that is too long ended here; it was not kept.
    TooLong,
    /// A line that has no end.
    Endless,
    /// A CR without LF, or an LF without CR.
    Bare,
}

/// The line that is being received.
#[derive(Debug, Default)]
pub struct LineCutter {
    /// What came of it, a final CR left out; emptied when the line is too long.
    kept: Vec<u8>,
    /// Bytes of the line so far, its CR included.
    length: usize,
    /// The last byte was a CR.
    after_cr: bool,
}

impl LineCutter {
    /// Reads on. Gives what it found, and how many bytes of `input` it used.
    pub fn handle(&mut self, input: &[u8]) -> (Cut, usize) {
        if self.after_cr {
            return match input.first() {
                None => (Cut::More, 0),
                Some(b'\n') => (self.finish(), 1),
                Some(_) => (Cut::Bare, 0),
            };
        }
        let Some(at) = memchr2(b'\r', b'\n', input) else {
            return (self.keep(input), input.len());
        };
        let (head, tail) = input.split_at_checked(at).unwrap_or((input, &[]));
        if let end @ (Cut::Endless | Cut::Bare) = self.keep(head) {
            return (end, at);
        }
        match tail {
            [b'\r', b'\n', ..] => {
                self.length = self.length.saturating_add(1);
                (self.finish(), at.saturating_add(2))
            }
            [b'\r'] => {
                self.length = self.length.saturating_add(1);
                self.after_cr = true;
                (Cut::More, at.saturating_add(1))
            }
            _ => (Cut::Bare, at),
        }
    }

    fn keep(&mut self, piece: &[u8]) -> Cut {
        self.length = self.length.saturating_add(piece.len());
        if self.length > COMMAND_LINE_SKIPPED_BYTES_MAX {
            return Cut::Endless;
        }
        if self.length.saturating_add(2) <= COMMAND_LINE_BYTES_MAX {
            self.kept.extend_from_slice(piece);
        }
        Cut::More
    }

    fn finish(&mut self) -> Cut {
        let length = self.length.saturating_add(1);
        let line = std::mem::take(self).kept;
        if length > COMMAND_LINE_BYTES_MAX {
            return Cut::TooLong;
        }
        Cut::Line(line)
    }
}
