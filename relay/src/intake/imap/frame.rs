//! Bytes of the server to whole responses: lines, and literals between them. Pure.

use std::collections::VecDeque;

use crate::limits::IMAP_RESPONSE_BYTES_MAX;

/// A part of a response. Texts and literals alternate; the first is a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line without its end, and without the `{n}` that announces the literal after it.
    Text(Vec<u8>),
    /// A literal. RFC 9051 section 4.3.
    Literal(Vec<u8>),
}

/// A response of the server is longer than this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a response is longer than {IMAP_RESPONSE_BYTES_MAX} bytes")]
pub(super) struct TooLong;

/// Gathers bytes until a response is whole.
#[derive(Debug, Default)]
pub(super) struct Frames {
    whole: VecDeque<Vec<Piece>>,
    pieces: Vec<Piece>,
    line: Vec<u8>,
    /// Bytes that the literal still lacks; its other bytes are the last piece.
    literal_left: Option<usize>,
    /// Bytes of the response so far.
    used: usize,
}

impl Frames {
    /// The next whole response.
    pub(super) fn next(&mut self) -> Option<Vec<Piece>> {
        self.whole.pop_front()
    }

    /// Nothing was received that is not yet taken.
    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.used == 0
    }

    /// Takes what the server sent, in any chunks.
    pub(super) fn handle(&mut self, mut bytes: &[u8]) -> Result<(), TooLong> {
        while !bytes.is_empty() {
            bytes = match self.literal_left {
                Some(left) => self.handle_literal(left, bytes),
                None => self.handle_line(bytes)?,
            };
        }
        Ok(())
    }

    fn handle_literal<'b>(&mut self, left: usize, bytes: &'b [u8]) -> &'b [u8] {
        let (here, rest) = bytes.split_at(left.min(bytes.len()));
        if let Some(Piece::Literal(literal)) = self.pieces.last_mut() {
            literal.extend_from_slice(here);
        }
        self.literal_left = Some(left - here.len()).filter(|left| *left > 0);
        rest
    }

    fn handle_line<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], TooLong> {
        let end = memchr::memchr(b'\n', bytes);
        let (here, rest) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
        self.count(here.len())?;
        self.line.extend_from_slice(here);
        if end.is_some() {
            self.handle_line_end()?;
        }
        Ok(rest)
    }

    fn handle_line_end(&mut self) -> Result<(), TooLong> {
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let announced = match self.pieces.is_empty() && is_status(&line) {
            // Text for people may end in anything.
            true => None,
            false => announced(&line),
        };
        let Some((text_bytes, literal_bytes)) = announced else {
            self.pieces.push(Piece::Text(line));
            self.whole.push_back(std::mem::take(&mut self.pieces));
            self.used = 0;
            return Ok(());
        };
        self.count(literal_bytes)?;
        line.truncate(text_bytes);
        self.pieces.push(Piece::Text(line));
        self.pieces.push(Piece::Literal(Vec::new()));
        self.literal_left = Some(literal_bytes).filter(|left| *left > 0);
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), TooLong> {
        self.used = self.used.saturating_add(bytes);
        match self.used > IMAP_RESPONSE_BYTES_MAX {
            true => Err(TooLong),
            false => Ok(()),
        }
    }
}

/// Length of the text before `{n}` at the end of a line, and n.
fn announced(line: &[u8]) -> Option<(usize, usize)> {
    let inside = line.strip_suffix(b"}")?;
    let at = memchr::memrchr(b'{', inside)?;
    let digits = inside.get(at + 1..)?;
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // More digits than a number holds: longer than any limit.
    let bytes = std::str::from_utf8(digits).ok()?.parse();
    Some((at, bytes.unwrap_or(usize::MAX)))
}

/// A continuation request or a status response, which end in text for people. RFC 9051 section 7.1.
fn is_status(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ');
    if words.next() == Some(b"+") {
        return true;
    }
    let status = words.next().unwrap_or_default();
    [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"]
        .iter()
        .any(|word| status.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(frames: &mut Frames) -> Vec<Vec<Piece>> {
        std::iter::from_fn(|| frames.next()).collect()
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.into())
    }

    const SERVER: &[u8] = b"* OK [UIDVALIDITY 3857529045] UIDs valid {3}\r\n\
        * 12 FETCH (BODY[HEADER] {10}\r\nab\r\n{9}\r\n UID 5 X {0}\r\n)\r\n+ idling\r\na1 OK done\r\n";

    fn expected() -> Vec<Vec<Piece>> {
        vec![
            vec![text("* OK [UIDVALIDITY 3857529045] UIDs valid {3}")],
            vec![
                text("* 12 FETCH (BODY[HEADER] "),
                Piece::Literal(b"ab\r\n{9}\r\n ".to_vec()),
                text("UID 5 X "),
                Piece::Literal(Vec::new()),
                text(")"),
            ],
            vec![text("+ idling")],
            vec![text("a1 OK done")],
        ]
    }

    #[test]
    fn accepts_lines_and_literals() {
        let mut frames = Frames::default();
        frames.handle(SERVER).unwrap();
        assert_eq!(all(&mut frames), expected());
        assert!(frames.is_empty());
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_responses(cuts in prop::collection::vec(1usize..20, 1..40)) {
            let mut frames = Frames::default();
            let mut rest = SERVER;
            for cut in cuts.into_iter().cycle() {
                let (here, after) = rest.split_at(cut.min(rest.len()));
                frames.handle(here).unwrap();
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(all(&mut frames), expected());
        }

        #[test]
        fn hostile_bytes_are_bounded(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut frames = Frames::default();
            let _ = frames.handle(&bytes);
            let kept: usize = all(&mut frames).iter().flatten().map(|piece| match piece {
                Piece::Text(bytes) | Piece::Literal(bytes) => bytes.len(),
            }).sum();
            prop_assert!(kept <= bytes.len());
        }
    }

    #[test]
    fn rejects_a_literal_that_is_too_large_when_it_is_announced() {
        let announce =
            |bytes: &str| Frames::default().handle(format!("* 1 FETCH (BODY[] {{{bytes}}}\r\n").as_bytes());
        assert_eq!(announce(&(IMAP_RESPONSE_BYTES_MAX - 100).to_string()), Ok(()));
        assert_eq!(announce(&IMAP_RESPONSE_BYTES_MAX.to_string()), Err(TooLong));
        assert_eq!(announce("99999999999999999999999999"), Err(TooLong));
    }

    #[test]
    fn rejects_a_line_without_end() {
        let mut frames = Frames::default();
        let chunk = [b'x'; 1024];
        let chunks = std::iter::repeat_with(|| frames.handle(&chunk)).take_while(Result::is_ok);
        assert_eq!(chunks.count(), IMAP_RESPONSE_BYTES_MAX / 1024);
    }
}
