//! What the account of a proven mail has against it: no reading of the mail can tell, a ledger alone does.
//!
//! Spec: 8.6, 11.

use amendment::instruction::line::Line;
use amendment::{Order, RekeyMark, ReplayError, ScreenError};

/// Why a REKEY names the one before it.
const WHY_A_MARK: &str = "Its mark shows that the new mail was written after the last REKEY, since your provider does not sign the time.";

/// What its sender can do; `None` where the account may take the same mail later, or the mail was executed: the
/// result says it.
pub(crate) fn fix(error: ScreenError, instruction: Option<&str>) -> Option<String> {
    match error {
        ScreenError::Disabled => Some(
            "Sign with the key of this account: its holder has turned email off, and can turn it on again (AccountSet \
             ClearFlag 60)."
                .to_owned(),
        ),
        ScreenError::Replay(error) => of_rekey(error, instruction),
        ScreenError::NoAccount
        | ScreenError::PastSequence
        | ScreenError::FutureSequence
        | ScreenError::LastLedgerPassed
        | ScreenError::Window(_) => None,
    }
}

fn of_rekey(error: ReplayError, instruction: Option<&str>) -> Option<String> {
    match error {
        ReplayError::BeforeLastRekey => Some(
            "Write a new mail: this one was signed before the last REKEY, which ends all that was signed until then. Wait \
             five minutes if the REKEY is that young."
                .to_owned(),
        ),
        ReplayError::KeyPays => Some(
            "Sign with the key that the last REKEY set. Your provider does not sign the time of a mail, so after a REKEY \
             email can only REKEY again from here."
                .to_owned(),
        ),
        ReplayError::WrongMark { last } => following(instruction, last),
        ReplayError::Executed | ReplayError::Full => None,
    }
}

/// The very line to write.
fn following(instruction: Option<&str>, last: Option<RekeyMark>) -> Option<String> {
    let line = Line::parse(instruction?.as_bytes())?.following(last)?;
    Some(match last {
        Some(_) => format!("Send a new mail that begins with: {line} . {WHY_A_MARK}"),
        None => format!(
            "Send a new mail that begins with: {line} . This account has had no REKEY that could be named."
        ),
    })
}

/// What no reading of a mail can tell about an order, where its account has had a REKEY; `None` where that makes no
/// difference.
pub(crate) fn unknown_here(order: &Order, has_timestamp: HasTimestamp) -> Option<&'static str> {
    match (order, has_timestamp) {
        (Order::Remit { .. }, HasTimestamp::No) => {
            Some("without t=, refused once the account has had a REKEY, which a ledger alone knows")
        }
        (Order::Rekey { after: None, .. }, HasTimestamp::No) => {
            Some("without t=, a second REKEY has to name the first (AFTER), which a ledger alone knows")
        }
        (Order::Rekey { after: Some(_), .. }, _) => {
            Some("whether AFTER names the last REKEY a ledger alone knows")
        }
        (Order::Remit { .. } | Order::Rekey { after: None, .. }, HasTimestamp::Yes) => None,
    }
}

/// Whether a signature says when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HasTimestamp {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ADVICE_BYTES_MAX;
    use crate::{CheckVerdict, ExplainEnv, Explanation, Qualifies, explain};
    use amendment::{Rule, TxtRecords};
    use codec::{CloseTime, Ter};

    fn explained(file: &str) -> Explanation {
        let raw = std::fs::read(format!("../fixtures/vectors/mail/{file}")).expect("a vector");
        let env = ExplainEnv {
            network_id: 21_337,
            now: CloseTime::new(848_145_600),
            keys: &TxtRecords::new(),
        };
        explain(&raw, &env)
    }

    // Spec: 8.6, 12.
    #[test]
    fn a_refused_rekey_is_told_the_line_to_write() {
        let before = explained("c036.eml");
        let key = before.instruction.clone().expect("a REKEY");
        let last = RekeyMark::parse("1A2B3C4D");
        let error = ScreenError::Replay(ReplayError::WrongMark { last });
        let after = before.clone().refused_by(error);
        let added = after.checks.last().expect("a check");
        assert!(
            added.fix.contains(&format!("{key} AFTER 1A2B3C4D .")),
            "{}",
            added.fix
        );
        assert_eq!((added.rule, added.verdict), (Rule::R8_6, CheckVerdict::Fail));
        assert_eq!((after.code, after.rule), (Ter::TEF_EMAIL_AFTER, Some(Rule::R8_6)));
        assert_eq!(after.qualifies, Qualifies::No);
        let none = ScreenError::Replay(ReplayError::WrongMark { last: None });
        let after = before.refused_by(none);
        let fix = &after.checks.last().expect("a check").fix;
        assert!(fix.contains(&format!("{key} .")), "{fix}");
    }

    // Spec: 12.
    #[test]
    fn every_advice_fits_an_smtp_line_and_what_may_pass_later_gets_none() {
        let last = RekeyMark::parse("1A2B3C4D");
        let longest = "REKEY rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o NET 4294967295";
        for (error, is_told) in [
            (ScreenError::Disabled, true),
            (ScreenError::Replay(ReplayError::BeforeLastRekey), true),
            (ScreenError::Replay(ReplayError::KeyPays), true),
            (ScreenError::Replay(ReplayError::WrongMark { last }), true),
            (ScreenError::Replay(ReplayError::WrongMark { last: None }), true),
            (ScreenError::Replay(ReplayError::Executed), false),
            (ScreenError::Replay(ReplayError::Full), false),
            (ScreenError::NoAccount, false),
            (ScreenError::PastSequence, false),
        ] {
            let told = fix(error, Some(longest));
            assert_eq!(told.is_some(), is_told, "{error}");
            let told = told.unwrap_or_default();
            assert!(
                told.len() <= ADVICE_BYTES_MAX && told.is_ascii(),
                "{} {told}",
                told.len()
            );
        }
    }
}
