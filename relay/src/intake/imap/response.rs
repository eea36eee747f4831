//! Whole responses to what the client needs of them. Pure. RFC 9051 section 7; the forms used here are those
//! of RFC 3501 too.

use super::frame::Piece;

/// OK, NO or BAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    No,
    Bad,
}

/// A row of FETCH.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) uid: Option<u32>,
    /// RFC822.SIZE, bytes.
    pub(super) size: Option<u32>,
    /// BODY[]; empty where the server says NIL.
    pub(super) body: Option<Vec<u8>>,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Response {
    /// `+`
    Continue,
    /// The end of the command with this tag.
    Done {
        tag: String,
        status: Status,
        text: String,
    },
    /// `* OK`, `* NO`, `* BAD`
    Remark,
    /// `* PREAUTH`
    Preauth,
    /// `* BYE`
    Bye(String),
    /// `* OK [UIDVALIDITY n]`
    UidValidity(u32),
    /// `* CAPABILITY`, in upper case.
    Capability(Vec<String>),
    /// `* n EXISTS`
    Exists(u32),
    /// `* n EXPUNGE`
    Expunge,
    /// `* n FETCH`
    Row(Row),
    /// Anything else.
    Other,
}

/// The server speaks no IMAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a response is malformed")]
pub(super) struct Malformed;

/// Reads a response.
pub(super) fn parse(pieces: &[Piece]) -> Result<Response, Malformed> {
    let Some(Piece::Text(first)) = pieces.first() else {
        return Err(Malformed);
    };
    let line = String::from_utf8_lossy(first);
    let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
    let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let word = word.to_ascii_uppercase();
    match tag {
        "+" => Ok(Response::Continue),
        "*" => match word.as_str() {
            "OK" => Ok(uid_validity(text).map_or(Response::Remark, Response::UidValidity)),
            "NO" | "BAD" => Ok(Response::Remark),
            "PREAUTH" => Ok(Response::Preauth),
            "BYE" => Ok(Response::Bye(shown(text))),
            "CAPABILITY" => {
                let names = text.split(' ').map(str::to_ascii_uppercase);
                Ok(Response::Capability(names.collect()))
            }
            number if number.bytes().all(|byte| byte.is_ascii_digit()) => numbered(number, text, pieces),
            _ => Ok(Response::Other),
        },
        "" => Err(Malformed),
        tag => Ok(Response::Done {
            tag: tag.to_owned(),
            status: match word.as_str() {
                "OK" => Status::Ok,
                "NO" => Status::No,
                "BAD" => Status::Bad,
                _ => return Err(Malformed),
            },
            text: shown(text),
        }),
    }
}

/// `* n WORD`
fn numbered(number: &str, text: &str, pieces: &[Piece]) -> Result<Response, Malformed> {
    let word = text.split(' ').next().unwrap_or_default();
    match () {
        () if word.eq_ignore_ascii_case("EXISTS") => {
            number.parse().map(Response::Exists).map_err(|_| Malformed)
        }
        () if word.eq_ignore_ascii_case("EXPUNGE") => Ok(Response::Expunge),
        () if word.eq_ignore_ascii_case("FETCH") => parse_row(pieces).map(Response::Row),
        () => Ok(Response::Other),
    }
}

fn uid_validity(text: &str) -> Option<u32> {
    let (code, _) = text.strip_prefix('[')?.split_once(']')?;
    let (name, number) = code.split_once(' ')?;
    match name.eq_ignore_ascii_case("UIDVALIDITY") {
        true => number.parse().ok(),
        false => None,
    }
}

/// Text of the server for a log: printable ASCII, at most 200 characters.
fn shown(text: &str) -> String {
    text.chars()
        .filter(|c| (' '..='~').contains(c))
        .take(200)
        .collect()
}

/// `* n FETCH (NAME value NAME value ...)`. Values of other names may be nested lists; they are passed over
/// without recursion.
fn parse_row(pieces: &[Piece]) -> Result<Row, Malformed> {
    let mut tokens = Tokens::new(pieces);
    // `*`, the number and FETCH.
    for _ in 0..3 {
        tokens.next()?;
    }
    let mut row = Row::default();
    if tokens.next()? != Some(Token::Open) {
        return Err(Malformed);
    }
    loop {
        let name = match tokens.next()? {
            Some(Token::Atom(name)) => name.to_ascii_uppercase(),
            Some(Token::Close) => return Ok(row),
            Some(Token::Open | Token::String(_)) | None => return Err(Malformed),
        };
        let value = tokens.next()?.ok_or(Malformed)?;
        match name.as_slice() {
            b"UID" => row.uid = Some(number(&value)?),
            b"RFC822.SIZE" => row.size = Some(number(&value)?),
            body if body == b"BODY[]" || body.starts_with(b"BODY[]<") => {
                row.body = Some(match value {
                    Token::String(bytes) => bytes,
                    Token::Atom(nil) if nil.eq_ignore_ascii_case(b"NIL") => Vec::new(),
                    Token::Atom(_) | Token::Open | Token::Close => return Err(Malformed),
                });
            }
            _ => pass_over(&value, &mut tokens)?,
        }
    }
}

/// Reads to the end of a list whose first token was read.
fn pass_over(value: &Token<'_>, tokens: &mut Tokens<'_>) -> Result<(), Malformed> {
    let mut depth = match value {
        Token::Open => 1usize,
        Token::Close => return Err(Malformed),
        Token::Atom(_) | Token::String(_) => 0,
    };
    while depth > 0 {
        match tokens.next()?.ok_or(Malformed)? {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Atom(_) | Token::String(_) => {}
        }
    }
    Ok(())
}

fn number(value: &Token<'_>) -> Result<u32, Malformed> {
    let Token::Atom(digits) = value else {
        return Err(Malformed);
    };
    let digits = std::str::from_utf8(digits).map_err(|_| Malformed)?;
    digits.parse().map_err(|_| Malformed)
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'p> {
    Open,
    Close,
    Atom(&'p [u8]),
    /// Quoted or literal.
    String(Vec<u8>),
}

/// Reads the tokens of a response one after the other.
struct Tokens<'p> {
    pieces: std::slice::Iter<'p, Piece>,
    text: &'p [u8],
}

impl<'p> Tokens<'p> {
    fn new(pieces: &'p [Piece]) -> Tokens<'p> {
        Tokens {
            pieces: pieces.iter(),
            text: b"",
        }
    }

    fn next(&mut self) -> Result<Option<Token<'p>>, Malformed> {
        loop {
            match self.text {
                [b' ', rest @ ..] => self.text = rest,
                [b'(', rest @ ..] => {
                    self.text = rest;
                    return Ok(Some(Token::Open));
                }
                [b')', rest @ ..] => {
                    self.text = rest;
                    return Ok(Some(Token::Close));
                }
                [b'"', rest @ ..] => return self.quoted(rest).map(Some),
                [] => match self.pieces.next() {
                    None => return Ok(None),
                    Some(Piece::Text(text)) => self.text = text,
                    Some(Piece::Literal(bytes)) => return Ok(Some(Token::String(bytes.clone()))),
                },
                _ => return Ok(Some(self.atom())),
            }
        }
    }

    /// RFC 9051 section 9, `quoted`: a backslash stands before a quotation mark or a backslash.
    fn quoted(&mut self, mut rest: &'p [u8]) -> Result<Token<'p>, Malformed> {
        let mut bytes = Vec::new();
        loop {
            rest = match rest {
                [b'"', rest @ ..] => {
                    self.text = rest;
                    return Ok(Token::String(bytes));
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                    bytes.push(*byte);
                    rest
                }
                [] => return Err(Malformed),
            };
        }
    }

    /// Up to a space or parenthesis outside of square brackets: `BODY[HEADER.FIELDS (A B)]` is one name.
    fn atom(&mut self) -> Token<'p> {
        let mut is_inside = false;
        let end = self.text.iter().position(|byte| {
            match byte {
                b'[' => is_inside = true,
                b']' => is_inside = false,
                _ => {}
            }
            !is_inside && matches!(byte, b' ' | b'(' | b')')
        });
        let (atom, rest) = self.text.split_at(end.unwrap_or(self.text.len()));
        self.text = rest;
        Token::Atom(atom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::frame::Frames;
    use super::*;

    fn of(bytes: &[u8]) -> Result<Response, Malformed> {
        let mut frames = Frames::default();
        frames.handle(bytes).unwrap();
        parse(&frames.next().unwrap())
    }

    // Lines of the examples of RFC 3501 sections 6.3.1, 7.2.1, 7.4.2 and 8, and RFC 2177.
    #[test]
    fn accepts_the_examples_of_the_rfcs() {
        assert_eq!(
            of(b"* OK [UIDVALIDITY 3857529045] UIDs valid\r\n"),
            Ok(Response::UidValidity(3857529045))
        );
        assert_eq!(
            of(b"* OK [UNSEEN 12] Message 12 is first unseen\r\n"),
            Ok(Response::Remark)
        );
        assert_eq!(of(b"* 172 EXISTS\r\n"), Ok(Response::Exists(172)));
        assert_eq!(of(b"* 44 EXPUNGE\r\n"), Ok(Response::Expunge));
        assert_eq!(
            of(b"* PREAUTH IMAP4rev1 server logged in as Smith\r\n"),
            Ok(Response::Preauth)
        );
        assert_eq!(of(b"* 1 RECENT\r\n"), Ok(Response::Other));
        assert_eq!(of(b"* FLAGS (\\Answered \\Flagged)\r\n"), Ok(Response::Other));
        assert_eq!(of(b"+ idling\r\n"), Ok(Response::Continue));
        let capabilities = ["IMAP4REV1", "STARTTLS", "AUTH=GSSAPI", "XPIG-LATIN"];
        assert_eq!(
            of(b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=GSSAPI XPIG-LATIN\r\n"),
            Ok(Response::Capability(capabilities.map(str::to_owned).to_vec()))
        );
        assert_eq!(
            of(b"* BYE Autologout; idle for too long\r\n"),
            Ok(Response::Bye("Autologout; idle for too long".into()))
        );
        let done = |status, text: &str| Response::Done {
            tag: "A142".into(),
            status,
            text: text.into(),
        };
        assert_eq!(
            of(b"A142 OK [READ-WRITE] SELECT completed\r\n"),
            Ok(done(Status::Ok, "[READ-WRITE] SELECT completed"))
        );
        assert_eq!(of(b"A142 NO\r\n"), Ok(done(Status::No, "")));
        let row = Row {
            uid: None,
            size: Some(44827),
            body: None,
        };
        assert_eq!(
            of(b"* 23 FETCH (FLAGS (\\Seen) RFC822.SIZE 44827)\r\n"),
            Ok(Response::Row(row))
        );
    }

    #[test]
    fn accepts_a_body_as_literal_quoted_or_nil() {
        let body = |bytes: &[u8]| match of(bytes) {
            Ok(Response::Row(row)) => (row.uid, row.body),
            other => panic!("{other:?}"),
        };
        let literal = b"* 1 FETCH (BODY[]<0> {4}\r\nab\r\n UID 7 X-GM ((\"(\") NIL) BODY[HEADER.FIELDS (TO)] \"t\")\r\n";
        assert_eq!(body(literal), (Some(7), Some(b"ab\r\n".to_vec())));
        let quoted = b"* 1 FETCH (UID 7 body[] \"a\\\"b\\\\\")\r\n";
        assert_eq!(body(quoted), (Some(7), Some(b"a\"b\\".to_vec())));
        assert_eq!(body(b"* 1 FETCH (BODY[] NIL)\r\n"), (None, Some(Vec::new())));
    }

    #[test]
    fn rejects_what_is_no_imap() {
        for bytes in [
            &b"\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\n",
            b"220 mail.example.com ESMTP\r\n",
            b"* 1 FETCH\r\n",
            b"* 1 FETCH (UID)\r\n",
            b"* 1 FETCH (UID 99999999999)\r\n",
            b"* 1 FETCH (UID 5\r\n",
            b"* 1 FETCH (X ((((\r\n",
            b"* 1 FETCH (BODY[] \"a)\r\n",
            b"* 1 FETCH ) UID 5\r\n",
        ] {
            assert_eq!(of(bytes), Err(Malformed), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn deep_nesting_needs_no_deep_stack() {
        let depth = 100_000;
        let nested = format!(
            "* 1 FETCH (X {}{} UID 5)\r\n",
            "(".repeat(depth),
            ")".repeat(depth)
        );
        assert!(matches!(
            of(nested.as_bytes()),
            Ok(Response::Row(Row { uid: Some(5), .. }))
        ));
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_not_panic(bytes in "(\\* 1 FETCH )?[ -~()\"\\\\{}0-9\\[\\]]{0,80}\r\n") {
            let mut frames = Frames::default();
            if frames.handle(bytes.as_bytes()).is_ok() && let Some(frame) = frames.next() {
                let _ = parse(&frame);
            }
        }
    }
}
