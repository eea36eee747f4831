//! Where the one instruction of a mail may stand: on the first line, alone, and unbroken.
//!
//! Spec: 5.1, 5.2, 5.3.

use thiserror::Error;

use crate::instruction::line::Line;
use crate::limits::INSTRUCTION_COLUMNS_MAX;
use crate::mail::text::{is_empty_line, lines, lines_with, relaxed, split_line, without_line_end};

/// Why a text holds no usable instruction. Spec: 5.2, 5.3.
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
}

/// The first non-empty line of the text in relaxed form, checked to be the only one that could be meant.
///
/// Spec: 5.1, 5.2, 5.3. Whatever stands further down may be quoted, echoed or forwarded words of somebody
/// else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FirstLine {
    pub(crate) line: Vec<u8>,
    next: Vec<u8>,
    later_instruction: bool,
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

    /// Mail programs break long lines, and a broken line can still be an instruction, for another amount or
    /// recipient.
    ///
    /// Spec: 5.3.
    pub(crate) fn check_unbroken(&self) -> Result<(), InstructionError> {
        let word = self
            .next
            .split(|b| *b == b' ')
            .find(|word| !word.is_empty())
            .unwrap_or_default();
        let columns = self.line.len().saturating_add(1).saturating_add(word.len());
        if word.is_empty() || columns <= INSTRUCTION_COLUMNS_MAX {
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
