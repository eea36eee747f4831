//! Where the one instruction of a mail may stand: on the first line, alone, and unbroken.
//!
//! Spec: 5.1, 5.2, 5.3.

use thiserror::Error;

use crate::instruction::line::Line;
use crate::limits::INSTRUCTION_COLUMNS_MAX;
use crate::mail::mime::Text;
use crate::mail::text::{is_empty_line, lines, lines_with, relaxed, split_line, without_line_end};
use crate::rule::Rule;

/// Why a text holds no usable instruction. Spec: 5.2, 5.3, 5.4 as each variant says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InstructionError {
    /// No line holds anything. Spec: 5.2.
    #[error("the mail has no text")]
    NoText,
    /// The first line is something else. Spec: 5.2.
    #[error("the first line of the mail is not an instruction")]
    NotFirst,
    /// A later line is an instruction too. Spec: 5.2.
    #[error("the mail holds more than one instruction")]
    Ambiguous,
    /// The next line could be the rest of a broken one. Spec: 5.3.
    #[error("your mail program may have broken the line: the text continues on the next line")]
    Broken,
    /// The text below begins with a word that goes on with an instruction. Spec: 5.3.
    #[error("the text below the instruction goes on with it")]
    GoesOn,
    /// A body that is read undecoded may be quoted-printable. Spec: 5.4.
    #[error("the instruction holds =, and no signed line says whether that stands for something else")]
    Undecoded,
}

impl InstructionError {
    /// The number of the rule.
    #[must_use]
    pub fn rule(self) -> Rule {
        match self {
            InstructionError::NoText | InstructionError::NotFirst | InstructionError::Ambiguous => Rule::R5_2,
            InstructionError::Broken | InstructionError::GoesOn => Rule::R5_3,
            InstructionError::Undecoded => Rule::R5_4,
        }
    }
}

/// The first non-empty line of the text in relaxed form, checked to be the only one that could be meant.
///
/// Spec: 5.1, 5.2, 5.3. Whatever stands further down may be quoted, echoed or forwarded words of somebody
/// else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FirstLine {
    pub(crate) line: Vec<u8>,
    next: Vec<u8>,
    goes_on: bool,
    later_instruction: bool,
}

/// Words with which an instruction goes on. Spec: 5.3.
const GOES_ON: [&[u8]; 3] = [b"TO", b"NET", b"AFTER"];

/// Whether the first word of a text, whatever stands before it, goes on with an instruction.
///
/// Spec: 5.3. A sender who breaks the line by hand means one order; the line alone would pay the To header, or
/// on another network.
#[must_use]
pub fn goes_on(below: &[u8]) -> bool {
    let is_mark = |b: &u8| !b.is_ascii_alphanumeric();
    let start = below.iter().position(|b| !is_mark(b)).unwrap_or(below.len());
    let text = below.get(start..).unwrap_or_default();
    let end = text.iter().position(is_mark).unwrap_or(text.len());
    let (word, behind) = text.split_at_checked(end).unwrap_or_default();
    GOES_ON.iter().any(|known| word.eq_ignore_ascii_case(known)) && behind.first() != Some(&b'-')
}

impl FirstLine {
    /// Reads the text once.
    pub(crate) fn find(text: &[u8]) -> Result<FirstLine, InstructionError> {
        let mut rest = text;
        let line = loop {
            let (line, after) = split_line(rest).ok_or(InstructionError::NoText)?;
            rest = after;
            let line = without_line_end(line);
            if !is_empty_line(line) {
                break relaxed(line);
            }
        };
        let next = lines(rest).next().map(relaxed).unwrap_or_default();
        let later_instruction = lines_with(rest, b"\nRE").any(|(_, line)| is_instruction(line));
        Ok(FirstLine {
            line,
            next,
            goes_on: goes_on(rest),
            later_instruction,
        })
    }

    /// The grammar of the line.
    ///
    /// Spec: 5.1, 5.2.
    pub(crate) fn parse(&self) -> Result<Line<'_>, InstructionError> {
        let line = Line::parse(&self.line).ok_or(InstructionError::NotFirst)?;
        if self.later_instruction {
            Err(InstructionError::Ambiguous)
        } else {
            Ok(line)
        }
    }

    /// In a body that is read undecoded `=` may stand for another character, and another mailbox.
    ///
    /// Spec: 5.4.
    pub(crate) fn check_decoded(&self, text: &Text<'_>) -> Result<(), InstructionError> {
        let is_open = matches!(text, Text::Raw(_)) && self.line.contains(&b'=');
        if is_open && Line::parse(&self.line).is_some() {
            Err(InstructionError::Undecoded)
        } else {
            Ok(())
        }
    }

    /// Mail programs and people break long lines, and a broken line can still be an instruction, for another
    /// amount or recipient.
    ///
    /// Spec: 5.3.
    pub(crate) fn check_unbroken(&self) -> Result<(), InstructionError> {
        let word = self
            .next
            .split(|b| *b == b' ')
            .find(|word| !word.is_empty())
            .unwrap_or_default();
        let columns = self.line.len().saturating_add(1).saturating_add(word.len());
        if self.goes_on {
            Err(InstructionError::GoesOn)
        } else if word.is_empty() || columns <= INSTRUCTION_COLUMNS_MAX {
            Ok(())
        } else {
            Err(InstructionError::Broken)
        }
    }
}

fn is_instruction(line: &[u8]) -> bool {
    // Cheap test first: a long mail is read in one pass.
    (line.starts_with(b"REMIT") || line.starts_with(b"REKEY")) && Line::parse(&relaxed(line)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Result<String, InstructionError> {
        let first = FirstLine::find(text.as_bytes())?;
        first.parse()?;
        first.check_unbroken()?;
        Ok(String::from_utf8_lossy(&first.line).into_owned())
    }

    // Spec: 5.2.
    #[test]
    fn accepts_only_the_first_line() {
        for text in [
            "REMIT 10 XAH",
            "\r\n \t\r\nREMIT  10\tXAH \r\n\r\nThanks\r\n> REMIT 5 XAH\r\n",
            "REMIT 10 XAH\nThanks\n",
        ] {
            assert_eq!(find(text).as_deref(), Ok("REMIT 10 XAH"), "{text}");
        }
    }

    // Spec: 5.3.
    #[test]
    fn rejects_a_text_below_that_goes_on_with_the_line() {
        for below in [
            "TO <bob@example.com>",
            "\nTO bob@example.com",
            "\n \t\n\n  to: bob@example.com",
            "To:<bob@example.com>",
            "TO<bob@example.com>",
            "*TO* bob",
            "> - (\"TO",
            "\u{a0}\n\u{a0}\u{200b}TO bob",
            "--\nTo",
            "net 21338",
            "NET: 21338",
            "Net=21338",
            "AFTER 1A2B3C4D",
            "after",
        ] {
            let text = format!("REMIT 10 XAH\n{below}\n");
            assert_eq!(find(&text), Err(InstructionError::GoesOn), "{text}");
        }
        for below in [
            "Tomorrow",
            "TOO",
            "t o",
            "to2",
            "To-do",
            "Network",
            "Net-net",
            "Afterwards",
            "Thanks\nTO <bob@example.com>",
            "> On Monday Bob wrote:\n> To whom",
            "",
            "\u{a0}",
        ] {
            let text = format!("REMIT 10 XAH\n{below}\n");
            assert_eq!(find(&text).as_deref(), Ok("REMIT 10 XAH"), "{text}");
        }
    }

    // Spec: 5.4.
    #[test]
    fn rejects_an_equals_sign_in_a_line_that_nothing_decoded() {
        let check = |text: &Text<'_>| FirstLine::find(text).and_then(|first| first.check_decoded(text));
        let line = b"REMIT 10 XAH TO <bob=2Erent@example.com>\r\n";
        assert_eq!(check(&Text::Raw(line)), Err(InstructionError::Undecoded));
        assert_eq!(check(&Text::Part(line[..].into())), Ok(()));
        let later = b"REMIT 10 XAH TO <bob@example.com>\r\n\r\n=C3=A9t=C3=A9\r\n";
        assert_eq!(check(&Text::Raw(later)), Ok(()));
        // No instruction anyway: rule 5.2 has the reason.
        assert_eq!(check(&Text::Raw(b"a = b\r\n")), Ok(()));
    }

    // Spec: 5.2, 5.3.
    #[test]
    fn rejects_later_second_and_broken_lines() {
        for (text, error) in [
            ("", InstructionError::NoText),
            (" \n\t\n", InstructionError::NoText),
            ("Hello\nREMIT 10 XAH\n", InstructionError::NotFirst),
            ("REMIT 10 XAH\nREMIT 10 XAH\n", InstructionError::Ambiguous),
            ("REMIT 10 XAH\n\nbye\nREMIT\t11 XAH", InstructionError::Ambiguous),
            (
                "REMIT 10 XAH TO <bob@example.com>\nwwwwwwwwwwwwwwwwwwwwwwwwwww x\n",
                InstructionError::Broken,
            ),
            (
                "REMIT 10 XAH TO <bob@example.com>\n wwwwwwwwwwwwwwwwwwwwwwwwwww x\n",
                InstructionError::Broken,
            ),
        ] {
            assert_eq!(find(text), Err(error), "{text}");
        }
        assert!(find("REMIT 10 XAH TO <bob@example.com>\nwwwwwwwwwwwwwwwwwwwwwwwwww more\n").is_ok());
        assert!(find("REMIT 10 XAH TO <bob@example.com>\n\nwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\n").is_ok());
    }
}
