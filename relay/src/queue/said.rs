//! The last word on a mail, whoever said it.

use std::fmt;

use rpc::reply::ResultCode;
use serde::{Deserialize, Serialize};

use super::stored::{self, Text, store_as_text};

/// The last word on a mail: of a node, of the relay, or of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Result code, such as `terNO_DKIM_KEY`.
    #[serde(with = "stored::optional_text")]
    pub code: Option<ResultCode>,
    /// Rule of docs/spec.md that failed.
    #[serde(with = "stored::optional_text")]
    pub rule: Option<Rule>,
    /// One sentence for people.
    pub word: Option<String>,
    /// What the sender can do, one sentence.
    pub fix: Option<String>,
}

/// Rule of docs/spec.md: a section, and mostly a number in it, such as 11 or 4.5.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    section: u8,
    number: Option<u8>,
}

impl Rule {
    /// A rule that is a whole section.
    pub const fn section(section: u8) -> Rule {
        Rule {
            section,
            number: None,
        }
    }

    /// A numbered rule.
    pub const fn new(section: u8, number: u8) -> Rule {
        Rule {
            section,
            number: Some(number),
        }
    }

    /// Reads it as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Rule> {
        let rule = match text.split_once('.') {
            None => Rule::section(text.parse().ok()?),
            Some((section, number)) => Rule::new(section.parse().ok()?, number.parse().ok()?),
        };
        (rule.to_string() == text).then_some(rule)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            None => write!(f, "{}", self.section),
            Some(number) => write!(f, "{}.{number}", self.section),
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

store_as_text! {
    Rule, "rule": Rule::parse;
}

impl Text for ResultCode {
    const NAME: &'static str = "result code";
    fn write(&self) -> String {
        self.as_str().to_owned()
    }
    fn read(text: &str) -> Option<ResultCode> {
        ResultCode::parse(text)
    }
}
