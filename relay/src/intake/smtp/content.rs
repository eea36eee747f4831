//! The content of a mail: where DATA ends, and what is wrong with it.
//!
//! Only CRLF `.` CRLF ends DATA (RFC 5321 section 4.1.1.4). A line starts after CRLF and nowhere else, so
//! none of the other spellings that servers were once tricked with (`LF . LF`, `LF . CRLF`, `CR . CRLF`,
//! `CRLF . LF`, `CRLF . CR`, with NUL in between) ends it; a CR or LF on its own makes the whole content
//! refused. Lines may be longer than 998 bytes.

use memchr::{memchr_iter, memchr2};

use crate::limits::{CONTENT_RESERVED_BYTES_MAX, CONTENT_SKIPPED_BYTES_MAX, MAIL_BYTES_MAX};

/// Why content is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A CR without LF.
    #[error("a CR without LF")]
    BareCr,
    /// An LF without CR.
    #[error("an LF without CR")]
    BareLf,
    /// Larger than [`MAIL_BYTES_MAX`].
    #[error("larger than {MAIL_BYTES_MAX} bytes")]
    TooLarge,
}

/// Content that is being received. What is flawed is not kept.
#[derive(Debug, Default)]
pub struct Content {
    bytes: Vec<u8>,
    length: u64,
    flaw: Option<Flaw>,
}

impl Content {
    /// With space for what the client said would come.
    #[must_use]
    pub fn expecting(declared_bytes: usize) -> Content {
        Content {
            bytes: Vec::with_capacity(declared_bytes.min(CONTENT_RESERVED_BYTES_MAX)),
            ..Content::default()
        }
    }

    /// Bytes so far, what is not kept included.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What is wrong with it so far.
    #[must_use]
    pub fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// So much came that its end is no longer waited for.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        self.length > CONTENT_SKIPPED_BYTES_MAX
    }

    /// Adds bytes that may hold anything.
    pub fn push(&mut self, piece: &[u8]) {
        self.length = self.length.saturating_add(piece.len() as u64);
        if self.length > MAIL_BYTES_MAX as u64 {
            self.spoil(Flaw::TooLarge);
        }
        if self.flaw.is_none() {
            self.bytes.extend_from_slice(piece);
        }
    }

    /// Records what is wrong, and lets go of the bytes. Line ends matter more than size: after them the end
    /// of the content is in doubt.
    pub fn spoil(&mut self, flaw: Flaw) {
        if self.flaw.is_none_or(|before| before == Flaw::TooLarge) {
            self.flaw = Some(flaw);
        }
        self.bytes = Vec::new();
    }

    /// The content, or what is wrong with it. `Chunks` are looked through for bare CR and LF here; DATA was,
    /// on its way.
    pub fn finish(self, from: Source) -> Result<Vec<u8>, Flaw> {
        if let Some(flaw) = self.flaw {
            return Err(flaw);
        }
        if from == Source::Chunks {
            check_line_ends(&self.bytes)?;
        }
        Ok(self.bytes)
    }
}

/// The command that brought the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// DATA.
    Data,
    /// BDAT.
    Chunks,
}

/// Every CR is followed by LF, and every LF follows CR.
fn check_line_ends(bytes: &[u8]) -> Result<(), Flaw> {
    for at in memchr_iter(b'\n', bytes) {
        if at.checked_sub(1).and_then(|before| bytes.get(before)) != Some(&b'\r') {
            return Err(Flaw::BareLf);
        }
    }
    for at in memchr_iter(b'\r', bytes) {
        if bytes.get(at.saturating_add(1)) != Some(&b'\n') {
            return Err(Flaw::BareCr);
        }
    }
    Ok(())
}

/// Where in the content of DATA the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    /// After CRLF; also before the first byte, which follows the CRLF of the command.
    #[default]
    LineStart,
    /// Inside a line.
    Line,
    /// After a CR inside a line; the CR is not kept yet.
    Cr,
    /// After a dot that starts a line; it is not kept.
    Dot,
    /// After such a dot and a CR; neither is kept.
    DotCr,
}

/// Reads DATA.
#[derive(Debug, Default)]
pub struct DataReader {
    at: At,
}

impl DataReader {
    /// Reads on, up to the end of the content. Gives how many bytes of `input` it used, and whether the end
    /// was among them.
    pub fn handle(&mut self, input: &[u8], content: &mut Content) -> (usize, Ended) {
        let mut rest = input;
        while let Some((&byte, tail)) = rest.split_first() {
            rest = match (self.at, byte) {
                (At::LineStart, b'.') => self.go(At::Dot, tail),
                (At::LineStart, _) => self.go(At::Line, rest),
                (At::Line, _) => self.read_line(rest, content),
                (At::Cr, b'\n') => {
                    content.push(b"\r\n");
                    self.go(At::LineStart, tail)
                }
                (At::DotCr, b'\n') => {
                    self.at = At::LineStart;
                    return (input.len().saturating_sub(tail.len()), Ended::Yes);
                }
                (At::Cr | At::DotCr, _) => {
                    content.push(b"\r");
                    content.spoil(Flaw::BareCr);
                    self.go(At::Line, rest)
                }
                (At::Dot, b'\r') => self.go(At::DotCr, tail),
                (At::Dot, _) => self.go(At::Line, rest),
            };
        }
        (input.len(), Ended::No)
    }

    fn go<'a>(&mut self, at: At, rest: &'a [u8]) -> &'a [u8] {
        self.at = at;
        rest
    }

    /// Inside a line: keeps all up to its CRLF in one go. Gives what is left.
    fn read_line<'a>(&mut self, rest: &'a [u8], content: &mut Content) -> &'a [u8] {
        let Some(end) = memchr2(b'\r', b'\n', rest) else {
            content.push(rest);
            return &[];
        };
        let (head, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if let Some(after) = tail.strip_prefix(b"\r\n") {
            let line_bytes = rest.len().saturating_sub(after.len());
            content.push(rest.get(..line_bytes).unwrap_or(rest));
            return self.go(At::LineStart, after);
        }
        content.push(head);
        match tail.split_first() {
            Some((b'\r', after)) => self.go(At::Cr, after),
            Some((_, after)) => {
                content.push(b"\n");
                content.spoil(Flaw::BareLf);
                after
            }
            None => tail,
        }
    }
}

/// Whether the end of the content was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was.
    Yes,
    /// More has to come.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Content, and what is left over after its end; `None` while there is no end.
    fn read(input: &[u8], step: usize) -> (Option<Vec<u8>>, Result<Vec<u8>, Flaw>) {
        let mut reader = DataReader::default();
        let mut content = Content::default();
        let mut at = 0;
        while at < input.len() {
            let end = (at + step).min(input.len());
            let (used, ended) = reader.handle(&input[at..end], &mut content);
            at += used;
            if ended == Ended::Yes {
                return (Some(input[at..].to_vec()), content.finish(Source::Data));
            }
        }
        (None, content.finish(Source::Data))
    }

    #[test]
    fn accepts_dot_stuffing_of_rfc_5321_4_5_2() {
        for step in 1..20 {
            let (rest, content) = read(b"a\r\n..\r\n.b\r\n\r\n...c\r\n.\r\nQUIT\r\n", step);
            assert_eq!(rest.as_deref(), Some(&b"QUIT\r\n"[..]));
            assert_eq!(content.as_deref(), Ok(&b"a\r\n.\r\nb\r\n\r\n..c\r\n"[..]));
        }
        assert_eq!(read(b".\r\n", 1), (Some(Vec::new()), Ok(Vec::new())));
    }

    #[test]
    fn rejects_every_published_smuggling_spelling() {
        let spellings: [(&[u8], Option<Flaw>); 16] = [
            (b"\n.\n", Some(Flaw::BareLf)),
            (b"\n.\r\n", Some(Flaw::BareLf)),
            (b"\n.\r", Some(Flaw::BareLf)),
            (b"\r.\r", Some(Flaw::BareCr)),
            (b"\r.\n", Some(Flaw::BareCr)),
            (b"\r.\r\n", Some(Flaw::BareCr)),
            (b"\r\n.\n", Some(Flaw::BareLf)),
            (b"\r\n.\r", Some(Flaw::BareCr)),
            (b"\r\r\n.\r\r\n", Some(Flaw::BareCr)),
            (b"\r\n.\r\r\n", Some(Flaw::BareCr)),
            (b"\r\r\n.\n", Some(Flaw::BareCr)),
            (b"\n\r.\r\n", Some(Flaw::BareLf)),
            (b"\r\n\0.\r\n", None),
            (b"\r\n.\0\r\n", None),
            (b"\r\0\n.\r\n", Some(Flaw::BareCr)),
            (b"\r\n.\r\0\n", Some(Flaw::BareCr)),
        ];
        for (spelling, flaw) in spellings {
            for step in 1..16 {
                let smuggled = [b"text", spelling, b"MAIL FROM:<x@example.com>\r\n.\r\nQUIT\r\n"].concat();
                let (rest, content) = read(&smuggled, step);
                assert_eq!(
                    rest.as_deref(),
                    Some(&b"QUIT\r\n"[..]),
                    "{}",
                    spelling.escape_ascii()
                );
                assert_eq!(content.err(), flaw, "{}", spelling.escape_ascii());
            }
        }
    }

    #[test]
    fn rejects_content_beyond_the_limit_and_lets_go_of_it() {
        let line = [b"x".repeat(78), b"\r\n".to_vec()].concat();
        let fits = line.repeat(MAIL_BYTES_MAX / 80);
        let text = [fits.as_slice(), b".\r\n"].concat();
        assert_eq!(read(&text, 4_096), (Some(Vec::new()), Ok(fits.clone())));
        let text = [fits.as_slice(), line.as_slice(), b".\r\n"].concat();
        assert_eq!(read(&text, 4_096), (Some(Vec::new()), Err(Flaw::TooLarge)));
    }

    #[test]
    fn rejects_bare_line_ends_in_chunks() {
        for (text, expected) in [
            (&b"a\r\nb"[..], Ok(())),
            (b"", Ok(())),
            (b"\nb", Err(Flaw::BareLf)),
            (b"a\nb\r\n", Err(Flaw::BareLf)),
            (b"a\rb\r\n", Err(Flaw::BareCr)),
            (b"a\r\n\r", Err(Flaw::BareCr)),
        ] {
            assert_eq!(check_line_ends(text), expected, "{}", text.escape_ascii());
        }
    }
}
