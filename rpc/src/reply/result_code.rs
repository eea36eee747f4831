//! Results of transactions, those of other versions included.

use codec::{Ter, TerClass};
use serde_json::Value;

use crate::limits::REPLY_TOKEN_BYTES_MAX;

/// A result by its token. One that this version does not know keeps its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultCode {
    token: String,
    class: TerClass,
}

impl ResultCode {
    /// The result of a token; `None` for what cannot be one.
    #[must_use]
    pub fn parse(token: &str) -> Option<ResultCode> {
        let is_word = token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if token.len() > REPLY_TOKEN_BYTES_MAX || !is_word {
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
        Some(ResultCode { token, class })
    }

    pub(crate) fn read(value: &Value) -> Option<ResultCode> {
        value.as_str().and_then(ResultCode::parse)
    }

    /// Its token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.token
    }

    /// Its class.
    #[must_use]
    pub fn class(&self) -> TerClass {
        self.class
    }

    /// The result, if this version knows it.
    #[must_use]
    pub fn ter(&self) -> Option<Ter> {
        Ter::from_token(&self.token)
    }

    /// Whether it is this result.
    #[must_use]
    pub fn is(&self, ter: Ter) -> bool {
        self.token == ter.token()
    }
}

impl From<Ter> for ResultCode {
    fn from(ter: Ter) -> ResultCode {
        let token = ter.token();
        ResultCode::parse(token).unwrap_or(ResultCode {
            token: token.to_owned(),
            class: TerClass::Tel,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_every_result_of_this_version_and_those_of_others() {
        for ter in Ter::all() {
            let code = ResultCode::parse(ter.token()).expect("a result");
            assert!(code.is(ter) && code.ter() == Some(ter) && code == ResultCode::from(ter));
        }
        let other = ResultCode::parse("tecOF_TOMORROW").expect("a result");
        assert_eq!((other.class(), other.ter()), (TerClass::Tec, None));
    }

    #[test]
    fn rejects_what_is_no_token() {
        let long = "tec".to_owned() + &"X".repeat(REPLY_TOKEN_BYTES_MAX);
        for token in [
            "",
            "te",
            "tec X",
            "txx",
            "tec\u{e9}",
            "\u{e9}\u{e9}",
            "TEC",
            &long,
        ] {
            assert_eq!(ResultCode::parse(token), None, "{token}");
        }
    }
}
