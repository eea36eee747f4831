//! The last word on a mail: result, rule, reason and advice.

use amendment::Rule;
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
