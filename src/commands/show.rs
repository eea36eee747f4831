//! How an explanation reads for people; one form for `explain`, `submit` and `demo`, made from the JSON of `rpc::wire`.

use serde_json::Value;

/// Widest line of text that is printed, columns.
const COLUMNS: usize = 100;
/// Columns of the verdict and rule before a check's text.
const INDENT: usize = 14;

/// Every check in order, with what was read and, where it did not pass, the place in the mail and what to do.
pub fn checks(explanation: &Value) -> String {
    let mut out = String::new();
    for check in explanation["checks"].as_array().into_iter().flatten() {
        let text = |name: &str| check[name].as_str().unwrap_or_default();
        let verdict = match text("verdict") {
            "pass" => "ok",
            "fail" => "FAIL",
            "skipped" => "-",
            _ => "?",
        };
        out.push_str(&format!(
            "  {verdict:<5} {:<5} {}\n",
            text("rule"),
            wrapped(&printable(text("read")))
        ));
        if let (Some(line), Some(excerpt)) = (check["line"].as_u64(), check["excerpt"].as_str()) {
            out.push_str(&format!(
                "{:INDENT$}{}\n",
                "",
                wrapped(&format!("line {line}: {}", printable(excerpt)))
            ));
        }
        if matches!(text("verdict"), "fail" | "unknown") && !text("fix").is_empty() {
            out.push_str(&format!(
                "{:INDENT$}{}\n",
                "",
                wrapped(&format!("-> {}", text("fix")))
            ));
        }
    }
    out
}

/// What the mail means: from, to, instruction, transaction.
pub fn meaning(explanation: &Value) -> String {
    let mut out = String::new();
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push_str(&format!("{name:<12} {value}\n"));
        }
    };
    let party = |name: &str| {
        let party = &explanation[name];
        let account = party["account"].as_str()?;
        Some(match party["address"].as_str() {
            Some(address) => format!("{address} = {account}"),
            None => account.to_owned(),
        })
    };
    row("from", party("from"));
    row("to", party("to"));
    row("instruction", explanation["instruction"].as_str().map(printable));
    row("email id", explanation["email_id"].as_str().map(str::to_owned));
    let told: Vec<&str> = ["provider", "client"]
        .iter()
        .filter_map(|name| explanation[*name].as_str())
        .collect();
    row("sent with", (!told.is_empty()).then(|| told.join(", ")));
    out
}

/// Text of strangers, fit for a terminal: control and non-ASCII characters become `\u{..}`.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c.to_string()
            } else {
                c.escape_unicode().to_string()
            }
        })
        .collect()
}

fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = INDENT;
    for word in text.split(' ') {
        if column + word.len() > COLUMNS && column > INDENT {
            out.push_str(&format!("\n{:INDENT$}", ""));
            column = INDENT;
        } else if column > INDENT {
            out.push(' ');
        }
        out.push_str(word);
        column += word.len() + 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failed_check_shows_its_fix_and_no_control_characters() {
        let explanation = json!({"checks": [
            {"rule": "5.2", "read": "no", "verdict": "fail", "fix": "Write it first.",
             "line": 7, "offset": 90, "excerpt": "line \u{1b}[31m"},
            {"rule": "5.5", "read": "10 XAH", "verdict": "pass", "fix": "unused"},
        ]});
        let text = checks(&explanation);
        assert_eq!(
            text,
            "  FAIL  5.2   no\n              line 7: line \\u{1b}[31m\n              -> Write it first.\n  ok    5.5   10 XAH\n"
        );
    }
}
