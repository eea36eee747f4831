//! A change of state makes notices. Pure: what is told depends on the entry before and after, and on the
//! time.

use amendment::Order;
use rpc::reply::Receipt;

use super::compose::{Draft, Subject, compose};
use super::texts;
use super::{Announce, NoticeRules};
use crate::intake::accept::header::is_robot;
use crate::limits::WAITING_TOLD_SECS;
use crate::queue::{Entry, Notice, NoticeKind, Outcome, Progress};

/// Makes the notices of the relay.
///
/// How many answers an address gets in a day is looked at when they are sent: [`super::Sender`].
#[derive(Debug, Clone)]
pub struct Announcer {
    rules: NoticeRules,
}

impl Announcer {
    /// With these rules.
    #[must_use]
    pub fn new(rules: NoticeRules) -> Announcer {
        Announcer { rules }
    }

    /// The notice that a mail waits, once it does so for over a minute.
    #[must_use]
    pub fn still_waiting(&self, entry: &Entry, now: u64) -> Option<Notice> {
        let waits_secs = now.saturating_sub(entry.received_at);
        if entry.is_final() || entry.order().is_none() || waits_secs <= WAITING_TOLD_SECS {
            return None;
        }
        let page = texts::waiting(entry);
        self.to_sender(entry, NoticeKind::Waiting, page, now)
    }

    fn to_sender(
        &self,
        entry: &Entry,
        kind: NoticeKind,
        page: super::page::Page,
        now: u64,
    ) -> Option<Notice> {
        let draft = Draft {
            kind,
            to: entry.from.as_str(),
            subject: Subject::OfTheMail("Your email to the Xahau email relay"),
            page,
        };
        compose(&self.rules, entry, draft, now)
    }

    /// Paid, or charged without success; and the receiver is told of a first payment.
    fn validated(&self, entry: &Entry, outcome: &Outcome, now: u64) -> Vec<Notice> {
        let page = match (outcome, entry.order()) {
            (Outcome::Applied { .. }, Some(Order::Rekey { .. })) => texts::rekeyed(&self.rules, entry),
            (Outcome::Applied { .. }, Some(Order::Remit { .. }) | None) => texts::paid(&self.rules, entry),
            (Outcome::Charged { .. }, _) => texts::charged(&self.rules, entry),
            (Outcome::Forgotten { .. } | Outcome::Replayed { .. }, _) => {
                texts::done_before(&self.rules, entry)
            }
        };
        let mut notices = Vec::from_iter(self.to_sender(entry, NoticeKind::Validated, page, now));
        if let Some(receipt) = outcome.receipt().filter(|receipt| receipt.made.is_account()) {
            notices.extend(self.welcome(entry, &receipt, now));
        }
        notices
    }

    /// Only to an address whose account was paid, and behind which a person may read. One that names an
    /// account of the ledger is no one's mailbox. Spec: 2.4. Nor for issued money: anybody can issue some, and
    /// it is not for us to recommend a stranger's promise.
    fn welcome(&self, entry: &Entry, receipt: &Receipt, now: u64) -> Option<Notice> {
        if receipt.arrived().issuer().is_some() {
            return None;
        }
        let address = entry.to()?.address()?;
        let to = address.as_str();
        if *address == entry.from || is_robot(to) {
            return None;
        }
        let draft = Draft {
            kind: NoticeKind::Welcome,
            to,
            subject: Subject::Own("You have been sent money on the Xahau ledger"),
            page: texts::welcome(&self.rules, entry, receipt, to),
        };
        compose(&self.rules, entry, draft, now)
    }
}

impl Announce for Announcer {
    fn announce(&self, before: &Entry, after: &Entry, now: u64) -> Vec<Notice> {
        if after.order().is_none() || before.is_final() {
            return Vec::new();
        }
        match &after.progress {
            Progress::Received { .. } | Progress::Submitted { .. } => {
                Vec::from_iter(self.still_waiting(after, now))
            }
            Progress::Validated { outcome, .. } => self.validated(after, outcome, now),
            Progress::Refused(_) => {
                let page = texts::refused(&self.rules, after, now);
                Vec::from_iter(self.to_sender(after, NoticeKind::Refused, page, now))
            }
            Progress::Expired(_) => {
                let page = texts::expired(&self.rules, after);
                Vec::from_iter(self.to_sender(after, NoticeKind::Expired, page, now))
            }
            Progress::Answered(_) | Progress::Dropped(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::thread_of;
    use super::*;
    use crate::notices::tests::{assert_golden, entry, pay, rules, sender};
    use crate::queue::{Dkim, Hold, InLedger, Made, Request};
    use amendment::Rule;
    use codec::{AccountId, Drops, Hash256, Ter};
    use rpc::reply::{Reserved, Sum};

    const NOW: u64 = 1_795_000_000;

    type Change = fn(&mut Entry);

    fn announcer() -> Announcer {
        Announcer::new(rules())
    }

    fn announce(after: &Entry, now: u64) -> Vec<Notice> {
        let mut before = after.clone();
        before.progress = entry().progress;
        announcer().announce(&before, after, now)
    }

    fn transaction() -> InLedger {
        let hash = "6E53C4CD8458E43E094E10D499A00634F1A7CBF902EA99DDF096E13330357FB4";
        InLedger {
            hash: Hash256::from_hex(hash).expect("a hash"),
            ledger_index: Some(1_234_567),
            fee: Some(Drops::new(1_830)),
        }
    }

    fn ended(outcome: Outcome, ter: Ter) -> Entry {
        let mut entry = entry();
        entry.progress = Progress::Validated {
            at: NOW,
            node: Some("node.example:6006".to_owned()),
            outcome,
        };
        entry.said.code = Some(ter.into());
        entry
    }

    fn applied(made: Made) -> Entry {
        let (reserve, made_for) = match made {
            Made::Account => (1_000_000, rpc::reply::Made::Account),
            Made::Nothing => (0, rpc::reply::Made::Nothing),
        };
        let sum = Sum::of_drops(Drops::new(10_000_000));
        applied_with(made, receipt((sum, sum), reserve, made_for))
    }

    fn applied_with(made: Made, receipt: Option<Receipt>) -> Entry {
        let outcome = Outcome::Applied {
            transaction: transaction(),
            made,
            receipt,
        };
        ended(outcome, Ter::TES_SUCCESS)
    }

    /// Of 100 USD to an account and a line that were not there, under a transfer rate of one hundredth.
    fn tokens() -> Option<Receipt> {
        let sum = |text: &str| text.parse().expect("a sum");
        let left = sum("101 USD/rJ3fECb6u9h48TdJJH9zaG2Xoqw8icv4T6");
        let arrived = sum("100 USD/rJ3fECb6u9h48TdJJH9zaG2Xoqw8icv4T6");
        receipt((left, arrived), 1_200_000, rpc::reply::Made::AccountAndLines)
    }

    fn receipt(amounts: (Sum, Sum), reserve: u64, made: rpc::reply::Made) -> Option<Receipt> {
        let drops = Drops::new(reserve);
        Receipt::new(amounts, Reserved { drops, made }, Drops::new(1_830))
    }

    fn validated() -> Entry {
        applied(Made::Nothing)
    }

    fn waiting() -> Entry {
        let mut entry = entry();
        entry.progress = Progress::new();
        entry
    }

    fn refused(ter: Ter) -> Entry {
        let mut entry = entry();
        entry.progress = Progress::Refused(entry.end(NOW));
        entry.said.code = Some(ter.into());
        entry
    }

    fn kinds(notices: &[Notice]) -> Vec<NoticeKind> {
        notices.iter().map(|notice| notice.kind).collect()
    }

    #[test]
    fn golden_waiting() {
        let mut waiting = waiting();
        waiting.said.code = Some(Ter::TER_NO_DKIM_KEY.into());
        waiting.said.word = Some("The ledger does not know the key of your provider yet.".to_owned());
        let notice = announcer().still_waiting(&waiting, NOW + 61).expect("told");
        assert_golden("waiting", &notice);
        assert_eq!(announcer().announce(&waiting, &waiting, NOW + 61), [notice]);
    }

    // What the operator wrote, or reads, is not for the sender; and a held mail is not tried again by itself.
    #[test]
    fn golden_waiting_held() {
        let mut held = waiting();
        held.progress.set_hold(Hold::Held);
        held.said.word = Some("check their versions, then release it.".to_owned());
        let notice = announcer().still_waiting(&held, NOW + 61).expect("told");
        assert_golden("waiting_held", &notice);
        assert!(!notice.mail.contains("release") && !notice.mail.contains("by itself"));
    }

    #[test]
    fn golden_paid() {
        let notices = announce(&validated(), NOW + 9);
        assert_eq!(kinds(&notices), [NoticeKind::Validated]);
        assert_golden("paid", &notices[0]);
    }

    #[test]
    fn golden_charged() {
        let transaction = transaction();
        let mut charged = ended(Outcome::Charged { transaction }, Ter::TEC_UNFUNDED_PAYMENT);
        charged.said.word = Some("The account holds less than the amount and the reserve.".to_owned());
        charged.said.fix = Some("Send less, or ask somebody to pay you first.".to_owned());
        let notices = announce(&charged, NOW + 9);
        assert_eq!(kinds(&notices), [NoticeKind::Validated]);
        assert_golden("charged", &notices[0]);
    }

    // A node knows that it was executed, and no longer how it ended: a reader of "not paid" would pay twice.
    #[test]
    fn golden_done_before() {
        for code in [Some(Ter::TEF_EMAIL_REPLAY.into()), None] {
            let mut before = ended(Outcome::Replayed { transaction: None }, Ter::TEF_EMAIL_REPLAY);
            before.said.code = code;
            let notices = announce(&before, NOW + 9);
            assert_eq!(kinds(&notices), [NoticeKind::Validated]);
            assert!(!notices[0].mail.contains("Nothing was paid") && !notices[0].mail.contains("Paid"));
            assert_golden("done_before", &notices[0]);
        }
    }

    #[test]
    fn golden_rekeyed() {
        let mut rekeyed = validated();
        let key = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
        rekeyed.instruction = format!("REKEY {key}");
        if let Request::Order { order, .. } = &mut rekeyed.request {
            let key = AccountId::parse_classic(key).expect("an account");
            *order = Order::Rekey { key, after: None };
        }
        let notices = announce(&rekeyed, NOW + 9);
        assert_golden("rekeyed", &notices[0]);
    }

    #[test]
    fn golden_refused() {
        let mut refused = refused(Ter::TEF_EMAIL_FULL);
        refused.said.rule = Some(Rule::R8_5);
        refused.said.word = Some("The account sent 64 mails within five days.".to_owned());
        refused.said.fix = Some("Wait until the oldest of them is five days old.".to_owned());
        let notices = announce(&refused, NOW + 9);
        assert_eq!(kinds(&notices), [NoticeKind::Refused]);
        assert_golden("refused", &notices[0]);
    }

    /// The line is not broken; of a node's words the mark alone is believed.
    #[test]
    fn a_refused_rekey_is_told_the_line_that_names_the_last_one() {
        let key = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
        let mut refused = refused(Ter::TEF_EMAIL_AFTER);
        refused.instruction = format!("REKEY {key}");
        refused.said.rule = Some(Rule::R8_6);
        if let Request::Order { order, .. } = &mut refused.request {
            let key = AccountId::parse_classic(key).expect("an account");
            *order = Order::Rekey { key, after: None };
        }
        let other = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";
        refused.said.fix = Some(format!(
            "Send a new mail that begins with: REKEY {other} AFTER 1A2B3C4D . Why."
        ));
        let notices = announce(&refused, NOW + 9);
        let line = format!(" REKEY {key} AFTER 1A2B3C4D\r\n");
        assert!(notices[0].mail.contains(&line), "{}", notices[0].mail);
        refused.said.fix = Some("Write a new mail that names the last REKEY (AFTER).".to_owned());
        let notices = announce(&refused, NOW + 9);
        assert!(!notices[0].mail.contains("Begin it with"), "{}", notices[0].mail);
    }

    #[test]
    fn golden_expired() {
        let mut expired = entry();
        expired.progress = Progress::Expired(expired.end(NOW));
        expired.said.code = Some(Ter::TER_NO_DKIM_KEY.into());
        expired.said.word = Some("The ledger does not know the key of your provider.".to_owned());
        let notices = announce(&expired, NOW + 432_001);
        assert_eq!(kinds(&notices), [NoticeKind::Expired]);
        assert_golden("expired", &notices[0]);
    }

    #[test]
    fn golden_welcome() {
        let first = applied(Made::Account);
        let notices = announce(&first, NOW + 9);
        assert_eq!(kinds(&notices), [NoticeKind::Validated, NoticeKind::Welcome]);
        assert_golden("welcome", &notices[1]);
        assert!(
            !notices[1].mail.contains("dinner"),
            "the sender's subject stays with the sender"
        );
    }

    #[test]
    fn other_networks_are_named_in_lines_to_write() {
        let mut rules = rules();
        rules.network = 21_338;
        let notices = Announcer::new(rules).announce(&entry(), &applied(Made::Account), NOW);
        let line = "REMIT 1 XAH TO <alice@example.com> NET 21338\r\n";
        assert!(notices[1].mail.contains(line), "{}", notices[1].mail);
    }

    #[test]
    fn rejects_a_waiting_answer_within_the_minute() {
        let waiting = waiting();
        assert_eq!(announcer().still_waiting(&waiting, NOW + 60), None);
        assert_eq!(announcer().still_waiting(&waiting, NOW - 60), None);
    }

    #[test]
    fn rejects_answers_to_whom_must_not_be_answered() {
        let change: [(&str, Change); 3] = [
            ("list, robot, null sender", |entry| entry.may_answer = false),
            ("unproven", |entry| entry.dkim = Dkim::Unproven),
            ("own address", |entry| entry.from = sender("Relay@Example.org")),
        ];
        for (name, change) in change {
            let mut expired = entry();
            expired.progress = Progress::Expired(expired.end(NOW));
            for mut entry in [waiting(), validated(), refused(Ter::TEF_EMAIL_FULL), expired] {
                change(&mut entry);
                assert_eq!(announce(&entry, NOW + 600), [], "{name} {:?}", entry.state());
            }
        }
        assert!(rules().is_own("relay+tag@example.org"));
    }

    #[test]
    fn rejects_a_second_answer_about_a_final_mail() {
        let after = validated();
        assert_eq!(announcer().announce(&after, &after, NOW), []);
        let mut dropped = after.clone();
        dropped.progress = Progress::Dropped(dropped.end(NOW));
        assert_eq!(announce(&dropped, NOW), []);
    }

    #[test]
    fn rejects_a_welcome_without_a_mailbox() {
        let chain = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
        let at_chain = format!("{chain}@example.com");
        for to in [chain, &at_chain, "relay@example.org", "alice@example.com"] {
            let notices = announce(&first_payment_to(to), NOW);
            assert_eq!(kinds(&notices), [NoticeKind::Validated], "{to}");
        }
    }

    fn first_payment_to(to: &str) -> Entry {
        let mut first = applied(Made::Account);
        if let Request::Order { order, .. } = &mut first.request {
            *order = pay(to);
        }
        first
    }

    #[test]
    fn rejects_a_welcome_to_a_program() {
        for to in ["no-reply@example.net", "owner-list@example.net"] {
            let notices = announce(&first_payment_to(to), NOW);
            assert_eq!(kinds(&notices), [NoticeKind::Validated], "{to}");
        }
    }

    #[test]
    fn golden_paid_tokens() {
        let mut paid = applied_with(Made::Account, tokens());
        paid.instruction = "REMIT 100 USD/rJ3fECb6u9h48TdJJH9zaG2Xoqw8icv4T6 TO <bob@example.net>".to_owned();
        let notices = announce(&paid, NOW + 9);
        assert_eq!(
            kinds(&notices),
            [NoticeKind::Validated],
            "no welcome in our name for what a stranger issued"
        );
        assert_golden("paid_tokens", &notices[0]);
    }

    #[test]
    fn rejects_figures_that_no_node_shows() {
        let notices = announce(&applied_with(Made::Account, None), NOW + 9);
        assert_eq!(kinds(&notices), [NoticeKind::Validated]);
        assert!(notices[0].mail.contains("Paid. The nodes do not show"));
        assert!(!notices[0].mail.contains("Paid: "));
    }

    #[test]
    fn a_suggested_payment_fits_what_arrived() {
        // The largest fee of an email: 65,536 bytes of memo and 75 base fees of 10 drops. Spec: 6.3, 9.
        let fee = 66_286;
        for (arrived, suggested) in [
            (10_000_000, Some("REMIT 1 XAH")),
            (1_000_000 + fee, Some("REMIT 1 XAH")),
            (999_999 + fee, Some("REMIT 0.999999 XAH")),
            (1 + fee, Some("REMIT 0.000001 XAH")),
            (fee, None),
            (1, None),
        ] {
            let mut first = applied(Made::Account);
            if let Progress::Validated {
                outcome: Outcome::Applied { receipt: of, .. },
                ..
            } = &mut first.progress
            {
                let sum = Sum::of_drops(Drops::new(arrived));
                *of = receipt((sum, sum), 1_000_000, rpc::reply::Made::Account);
            }
            let notices = announce(&first, NOW + 9);
            let line = notices[1].mail.lines().find(|line| line.contains("REMIT "));
            let line = line.map(|line| line.trim_start_matches("First line:").trim().to_owned());
            let expected = suggested.map(|words| format!("{words} TO <alice@example.com>"));
            assert_eq!(line, expected, "{arrived}");
        }
    }

    /// Every answer that the announcer makes, over all results and states.
    fn all_answers() -> Vec<(String, Entry, Notice)> {
        let codes = Ter::all().map(Some).chain([None]);
        let mut entries = vec![
            validated(),
            applied(Made::Account),
            applied_with(Made::Account, tokens()),
        ];
        for code in codes {
            let ended_with = |progress: Progress| {
                let mut entry = entry();
                entry.progress = progress;
                entry.said.code = code.map(Into::into);
                entry.said.word = Some("The node says a word.".to_owned());
                entry.said.fix = Some("Send the mail again.".to_owned());
                entry
            };
            let end = entry().end(NOW);
            let transaction = transaction();
            entries.extend([
                ended_with(Progress::new()),
                ended_with(entry().progress),
                ended_with(Progress::Refused(end.clone())),
                ended_with(Progress::Expired(end)),
                ended_with(Progress::Validated {
                    at: NOW,
                    node: None,
                    outcome: Outcome::Charged { transaction },
                }),
                ended_with(Progress::Validated {
                    at: NOW,
                    node: None,
                    outcome: Outcome::Replayed { transaction: None },
                }),
            ]);
        }
        let mut answers = Vec::new();
        for entry in entries {
            let what = format!("{} {:?}", entry.state().as_str(), entry.said.code);
            let notices = announce(&entry, NOW + 90);
            answers.extend(
                notices
                    .into_iter()
                    .map(|notice| (what.clone(), entry.clone(), notice)),
            );
        }
        answers
    }

    fn flowing(notice: &Notice) -> String {
        let body = notice.mail.split_once("\r\n\r\n").expect("a body").1;
        body.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Advice that can be obeyed: one thing, not its opposite.
    #[test]
    fn rejects_to_ask_for_another_mail_and_against_it_in_one_answer() {
        let answers = all_answers();
        assert!(answers.len() > 500, "{}", answers.len());
        for (what, entry, notice) in answers {
            let text = flowing(&notice);
            let against = text.contains("do not send it again") || text.contains("do not send another");
            let asks = [
                "send a new one",
                "send a new email once",
                "still want the same",
                "end the mail again",
            ];
            let asks = asks.iter().any(|words| text.contains(words));
            assert!(!(asks && against), "{what}: {text}");
            if !entry.is_final() {
                assert!(
                    against,
                    "{what}: what may be carried out is not asked for again: {text}"
                );
            }
            let is_open = entry.state() == crate::queue::State::Refused && against;
            assert_eq!(
                is_open,
                text.contains("anyone who has a copy can hand it in"),
                "{what}"
            );
            assert_eq!(
                is_open,
                text.contains("stays good until 23 Nov 2026"),
                "{what}: {text}"
            );
        }
    }

    /// Spec: 5. A line that people are told to write qualifies, and none is the one that just failed.
    #[test]
    fn suggested_lines_qualify_and_none_is_the_one_that_failed() {
        use amendment::instruction::line::{Line, To};
        for (what, entry, notice) in all_answers() {
            for line in notice
                .mail
                .lines()
                .filter_map(|line| line.strip_prefix("First line:"))
            {
                let line = line.trim();
                if matches!(line, "BALANCE" | "HISTORY") {
                    continue;
                }
                let read = Line::parse(line.as_bytes()).expect("an instruction");
                assert!(matches!(read.to(), Ok(Some(To::Named(_)))), "{what}: {line}");
                assert!(matches!(read.meaning(), Ok(Some(_))), "{what}: {line}");
                let is_failed = matches!(
                    entry.state(),
                    crate::queue::State::Failed | crate::queue::State::Refused
                );
                assert!(!is_failed, "{what}: {line}");
            }
        }
    }

    #[test]
    fn rejects_to_ask_for_another_mail_where_the_account_left_email() {
        let notices = announce(&refused(Ter::TEF_EMAIL_DISABLED), NOW + 9);
        assert!(!flowing(&notices[0]).contains("send a new"));
    }

    /// Fields as a mail program sees them: unfolded lines of the header.
    fn fields(mail: &str) -> Vec<String> {
        let header = mail.split_once("\r\n\r\n").expect("a header").0;
        header
            .replace("\r\n ", " ")
            .split("\r\n")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn rejects_headers_in_what_the_mail_says() {
        let evil = "x\r\nBcc: eve@example.com\r\n\r\nbody";
        let change: [fn(&mut Entry, String); 6] = [
            |entry, evil| entry.message_id = format!("a@{evil}"),
            |entry, evil| entry.thread.subject = evil,
            |entry, evil| entry.thread.references = vec![format!("<a@{evil}>"), evil],
            |entry, evil| entry.instruction = evil,
            |entry, evil| entry.said.word = Some(evil),
            |entry, evil| entry.said.fix = Some(evil),
        ];
        let plain = fields(&announce(&validated(), NOW)[0].mail).len();
        for (at, change) in change.into_iter().enumerate() {
            let mut first = applied(Made::Account);
            let mut refused = refused(Ter::TEF_EMAIL_FULL);
            change(&mut first, evil.to_owned());
            change(&mut refused, evil.to_owned());
            for notice in [announce(&first, NOW), announce(&refused, NOW)].concat() {
                let fields = fields(&notice.mail);
                assert!(fields.len() <= plain, "{at}: {fields:?}");
                assert!(!fields.iter().any(|field| field.starts_with("Bcc")), "{at}");
                assert!(!notice.mail.contains("\r\nBcc"), "{at}");
                assert!(
                    notice.mail.is_ascii() && !notice.mail.contains("\r\n.\r\n"),
                    "{at}"
                );
            }
        }
    }

    // RFC 5322 section 3.6.4.
    #[test]
    fn an_answer_refers_to_its_mail_and_to_all_before_it() {
        let reading = thread_of(
            b"Message-ID: <c@example.com>\r\nReferences: <a@example.com>\r\n <b@example.com>\r\nSubject: RE: hi\r\n\r\n",
        );
        let mut entry = validated();
        (entry.message_id, entry.thread) = (reading.message_id, reading.thread);
        let fields = fields(&announce(&entry, NOW)[0].mail);
        for expected in [
            "In-Reply-To: <c@example.com>",
            "References: <a@example.com> <b@example.com> <c@example.com>",
            "Subject: RE: hi",
        ] {
            assert!(
                fields.iter().any(|field| field == expected),
                "{expected}: {fields:?}"
            );
        }
    }

    #[test]
    fn rejects_a_thread_for_a_mail_without_message_id() {
        let mut entry = validated();
        entry.message_id = String::new();
        entry.thread = crate::queue::Thread::default();
        let mail = &announce(&entry, NOW)[0].mail;
        assert!(!mail.contains("In-Reply-To") && !mail.contains("References"));
        assert!(mail.contains("Subject: Your email to the Xahau email relay\r\n"));
    }

    #[test]
    fn long_threads_are_folded() {
        let many: String = (0..700).map(|n| format!("<{n:060}@x>\r\n ")).collect();
        let reading = thread_of(format!("References: {many}\r\nMessage-ID: <last@x>\r\n\r\n").as_bytes());
        let mut entry = validated();
        (entry.message_id, entry.thread) = (reading.message_id, reading.thread);
        let mail = &announce(&entry, NOW)[0].mail;
        assert!(mail.lines().all(|line| line.len() < 998));
        assert!(mail.contains("\r\n <0") && mail.contains(" <last@x>\r\nAuto"));
    }
}
