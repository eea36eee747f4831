//! The last word on a mail, whoever said it.

use std::fmt;

use codec::{Ter, TerClass};
use serde::{Deserialize, Serialize};

use super::stored::{self, store_as_text};
use crate::limits::NODE_TOKEN_BYTES_MAX;

/// Result code by its token. A node of another version may give one that [`Ter`] does not hold; its class still counts.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    token: String,
    class: TerClass,
}

impl Code {
    /// Reads a token of any class.
    pub fn parse(token: &str) -> Option<Code> {
        let is_word = token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if token.len() > NODE_TOKEN_BYTES_MAX || !is_word {
            return None;
        }
        let class = match token.get(..3)? {
            "tel" => TerClass::Tel,
            "tem" => TerClass::Tem,
            "tef" => TerClass::Tef,
            "ter" => TerClass::Ter,
            "tes" => TerClass::Tes,
            "tec" => TerClass::Tec,
            _ => return None,
        };
        let token = token.to_owned();
        Some(Code { token, class })
    }

    /// Its token.
    pub fn as_str(&self) -> &str {
        &self.token
    }

    /// Its class.
    pub fn class(&self) -> TerClass {
        self.class
    }

    /// Whether it is this result.
    pub fn is(&self, ter: Ter) -> bool {
        self.token == ter.token()
    }
}

impl From<Ter> for Code {
    fn from(ter: Ter) -> Code {
        Code {
            token: ter.token().to_owned(),
            class: ter.class(),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.token)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.token)
    }
}

/// The last word on a mail: of a node, of the relay, or of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Result code, such as `terNO_DKIM_KEY`.
    #[serde(with = "stored::optional_text")]
    pub code: Option<Code>,
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
    Code, "result code": Code::parse;
    Rule, "rule": Rule::parse;
}
