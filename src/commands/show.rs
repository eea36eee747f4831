//! How an explanation reads for people; one form for `explain`, `submit` and `demo`, from the reply of a
//! node.

use explain::CheckVerdict;
use rpc::reply::{CheckReply, ExplanationReply, PartyReply, Receipt};

/// Widest line of text that is printed, columns.
const COLUMNS: usize = 100;
/// Columns of the verdict and rule before a check's text.
const INDENT: usize = 14;

/// Every check in order, with what was read and, where it did not pass, the place in the mail and what to do.
pub(crate) fn checks(checks: &[CheckReply]) -> String {
    let mut out = String::new();
    for check in checks {
        let (verdict, has_failed) = match check.verdict {
            Some(CheckVerdict::Pass) => ("ok", false),
            Some(CheckVerdict::Fail) => ("FAIL", true),
            Some(CheckVerdict::Skipped) => ("-", false),
            Some(CheckVerdict::Unknown) => ("?", true),
            None => ("?", false),
        };
        let rule = check.rule.as_deref().unwrap_or_default();
        let read = printable(check.read.as_deref().unwrap_or_default());
        out.push_str(&format!("  {verdict:<5} {rule:<5} {}\n", wrapped(&read)));
        let mut indented = |text: &str| out.push_str(&format!("{:INDENT$}{}\n", "", wrapped(text)));
        if let (Some(line), Some(excerpt)) = (check.line, &check.excerpt) {
            indented(&format!("line {line}: {}", printable(excerpt)));
        }
        if let Some(fix) = check.fix.as_ref().filter(|fix| has_failed && !fix.is_empty()) {
            indented(&format!("-> {fix}"));
        }
    }
    out
}

/// What the mail means: from, to, instruction, EmailID, and what it was sent with.
pub(crate) fn meaning(explanation: &ExplanationReply) -> String {
    let mut out = String::new();
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push_str(&format!("{name:<12} {value}\n"));
        }
    };
    row("from", explanation.from.as_ref().and_then(party));
    row("to", explanation.to.as_ref().and_then(party));
    row("instruction", explanation.instruction.as_deref().map(printable));
    row("email id", explanation.email_id.map(|id| id.to_string()));
    let told: Vec<&str> = [&explanation.provider, &explanation.client]
        .into_iter()
        .filter_map(|name| name.as_deref())
        .collect();
    row("sent with", (!told.is_empty()).then(|| told.join(", ")));
    out
}

/// A receipt, with what issued money is, under a heading.
pub(crate) fn receipt(heading: &str, receipt: &Receipt) -> String {
    let mut out = format!("{heading}\n");
    for (name, value) in receipt.rows() {
        out.push_str(&format!("  {name:<INDENT$} {value}\n"));
    }
    if let Some(promise) = receipt.arrived().promise() {
        out.push_str(&format!("  {promise}\n"));
    }
    out
}

fn party(party: &PartyReply) -> Option<String> {
    let account = party.account?;
    Some(match &party.address {
        Some(address) => format!("{address} = {account}"),
        None => account.to_string(),
    })
}

/// Text of strangers, fit for a terminal: control and non-ASCII characters become `\u{..}`.
pub(crate) fn printable(text: &str) -> String {
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

    fn check(rule: &str, read: &str, verdict: CheckVerdict, fix: &str) -> CheckReply {
        CheckReply {
            rule: Some(rule.to_owned()),
            read: Some(read.to_owned()),
            verdict: Some(verdict),
            fix: Some(fix.to_owned()),
            line: None,
            offset: None,
            excerpt: None,
        }
    }

    #[test]
    fn a_failed_check_shows_its_fix_and_no_control_characters() {
        let failed = CheckReply {
            line: Some(7),
            offset: Some(90),
            excerpt: Some("line \u{1b}[31m".to_owned()),
            ..check("5.2", "no", CheckVerdict::Fail, "Write it first.")
        };
        let passed = check("5.5", "10 XAH", CheckVerdict::Pass, "unused");
        assert_eq!(
            checks(&[failed, passed]),
            "  FAIL  5.2   no\n              line 7: line \\u{1b}[31m\n              -> Write it first.\n  ok    5.5   10 XAH\n"
        );
    }
}
