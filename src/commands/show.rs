//! How an explanation reads for people; one form for `explain`, `submit` and `demo`, from the reply of a
//! node.

use amendment::Rule;
use codec::CloseTime;
use explain::CheckVerdict;
use rpc::reply::{CheckReply, ExplanationReply, PartyReply, Receipt};

/// Widest line of text that is printed, columns.
const COLUMNS: usize = 100;
/// Columns of the verdict and rule before a check's words.
const INDENT: usize = 14;
/// Columns of a rule in words, and a space.
const WORDS: usize = 22;

/// What each rule that a check names is about.
const RULES: [(Rule, &str); 30] = [
    (Rule::R1, "size of the mail"),
    (Rule::R2_1, "address of From"),
    (Rule::R2_2, "account of From"),
    (Rule::R2_4, "receiver"),
    (Rule::R3_1, "header lines"),
    (Rule::R3_2, "form of the signature"),
    (Rule::R3_3, "body as signed"),
    (Rule::R3_4, "line ends"),
    (Rule::R3_5, "size on the ledger"),
    (Rule::R4_1, "tags of the signature"),
    (Rule::R4_2, "signer and From"),
    (Rule::R4_3, "signed headers"),
    (Rule::R4_4, "name of the key"),
    (Rule::R4_5, "signature"),
    (Rule::R4_6, "time"),
    (Rule::R4_7, "number of signatures"),
    (Rule::R4_8, "no list, no robot"),
    (Rule::R5_2, "first line"),
    (Rule::R5_3, "line in one piece"),
    (Rule::R5_4, "text of the mail"),
    (Rule::R5_5, "amount"),
    (Rule::R5_6, "network"),
    (Rule::R6_3, "fee"),
    (Rule::R7_3, "key of the provider"),
    (Rule::R7_10, "provider not stopped"),
    (Rule::R8_2, "not executed before"),
    (Rule::R8_5, "room for the mail"),
    (Rule::R8_6, "not before a REKEY"),
    (Rule::R10, "account of the sender"),
    (Rule::R11, "email is turned on"),
];

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
        let read = readable(&printable(check.read.as_deref().unwrap_or_default()));
        let row = format!(
            "  {verdict:<5} {rule:<5} {:<WORDS$}{}",
            rule_words(rule),
            wrapped(&read, INDENT + WORDS)
        );
        out.push_str(row.trim_end());
        out.push('\n');
        let mut indented = |text: &str| out.push_str(&format!("{:INDENT$}{}\n", "", wrapped(text, INDENT)));
        if let (Some(line), Some(excerpt)) = (check.line, &check.excerpt) {
            indented(&format!("line {line}: {}", printable(excerpt)));
        }
        if let Some(fix) = check.fix.as_ref().filter(|fix| has_failed && !fix.is_empty()) {
            indented(&format!("-> {fix}"));
        }
    }
    out
}

/// A rule in words; nothing for one that no check names.
pub(crate) fn rule_words(rule: &str) -> &'static str {
    let rule = Rule::parse(rule);
    RULES
        .iter()
        .find(|row| Some(row.0) == rule)
        .map_or("", |row| row.1)
}

/// What a check read, without the folds of the header that it stood in, and with dates beside numbers of
/// seconds.
fn readable(read: &str) -> String {
    if let Some(hash) = read.strip_prefix("bh=") {
        return format!("bh={}", hash.replace(' ', ""));
    }
    let words = read.split(' ').map(|word| {
        let number = word.rsplit('=').next().unwrap_or(word).trim_end_matches(';');
        let is_time = number.len() == 10 && number.bytes().all(|byte| byte.is_ascii_digit());
        let unix_secs = number.parse().ok().filter(|_| is_time);
        match unix_secs.and_then(CloseTime::from_unix) {
            Some(time) => format!("{word} ({})", shown_time(time)),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `2026-Nov-20 10:43:19 UTC`.
pub(super) fn shown_time(time: CloseTime) -> String {
    rpc::wire::human_time(time).replace(".000000000", "")
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

fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    for word in text.split(' ') {
        if column + word.len() > COLUMNS && column > indent {
            out.push_str(&format!("\n{:indent$}", ""));
            column = indent;
        } else if column > indent {
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
            "  FAIL  5.2   first line            no\n              line 7: line \\u{1b}[31m\n              \
             -> Write it first.\n  ok    5.5   amount                10 XAH\n"
        );
    }

    #[test]
    fn what_was_read_has_no_folds_and_no_bare_times() {
        assert_eq!(readable("bh=v De2Drx= "), "bh=vDe2Drx=");
        assert_eq!(
            readable("t=1794830400; x=1794830460"),
            "t=1794830400; (2026-Nov-16 12:00:00 UTC) x=1794830460 (2026-Nov-16 12:01:00 UTC)"
        );
        assert_eq!(readable("12 columns"), "12 columns");
    }

    /// Each check of a mail has words: those of the rules that `explain` names.
    #[test]
    fn every_check_names_its_rule_in_words() {
        let keys = amendment::TxtRecords::new();
        let env = explain::ExplainEnv {
            network_id: 21_337,
            now: CloseTime::new(0),
            keys: &keys,
        };
        let explanation = explain::explain(b"From: a@b.example\r\n\r\nREMIT 1 XAH\r\n", &env);
        assert!(explanation.checks.len() > 20);
        for check in &explanation.checks {
            assert_ne!(rule_words(check.rule.as_str()), "", "{}", check.rule);
        }
    }
}
