//! What the notices say. All of it stands in this file; `fixtures/answers` shows each as it is sent.

use amendment::Order;
use amendment::address::{CanonicalAddress, Recipient};
use codec::{Ter, TerClass};

use super::NoticeRules;
use super::page::{Page, human_date, xah};
use crate::queue::{Entry, Outcome, money};

/// NetworkID that an instruction need not name. Spec: 5.6.
const MAIN_NETWORK: u32 = 21_337;

fn code(entry: &Entry) -> Option<String> {
    entry.said.code.as_ref().map(|code| code.as_str().to_owned())
}

fn has_code(entry: &Entry, ter: Ter) -> bool {
    entry.said.code.as_ref().is_some_and(|code| code.is(ter))
}

/// Address of the receiver, where the mail names one.
fn to(entry: &Entry) -> Option<String> {
    let address = entry.to().and_then(Recipient::address);
    address.map(CanonicalAddress::to_string)
}

/// Account of the receiver.
fn to_account(entry: &Entry) -> Option<String> {
    entry.to().map(|to| to.account().to_string())
}

fn delivered(entry: &Entry) -> Option<String> {
    let delivered = entry.progress.outcome().and_then(Outcome::delivered);
    delivered.as_ref().map(money)
}

fn fee(entry: &Entry) -> Option<String> {
    let fee = entry.progress.outcome().and_then(Outcome::fee);
    fee.map(|fee| xah(fee.get()))
}

fn is_rekey(entry: &Entry) -> bool {
    matches!(entry.order(), Some(Order::Rekey { .. }))
}

/// Stands below each notice: who writes, what a genuine answer never holds, and its name in the logs.
pub(super) fn footer(page: &mut Page, rules: &NoticeRules, entry: &Entry) {
    page.paragraph(&format!(
        "Genuine answers come only from {}. They never ask you to log in or to send a password, a key or a secret. The \
         relay holds no money and no keys.",
        rules.from
    ));
    page.table(&[("Trace", Some(entry.trace.to_string()))]);
}

/// The mail is here and waits.
pub(super) fn waiting(entry: &Entry) -> Page {
    let mut page = Page::default();
    if entry.is_held() {
        // The reason is for the operator, not for the sender.
        page.paragraph(
            "Your email has arrived, but it is on hold until the operator of this relay has checked it.",
        );
        page.table(&[("Your line", Some(entry.instruction.clone()))]);
        page.paragraph(&format!(
            "It stays valid until {}. You will get another answer when it is processed or when it expires. Please do not \
             send it again: both emails could be carried out.",
            human_date(entry.executable_until)
        ));
        node_state(&mut page, entry);
        return page;
    }
    page.paragraph("Your email has arrived and is waiting.");
    page.table(&[("Your line", Some(entry.instruction.clone()))]);
    if let Some(word) = &entry.said.word {
        page.paragraph(&format!("Why: {word}"));
    }
    page.paragraph(&format!(
        "The relay keeps trying until {}. You do not need to do anything: you will get another answer when it is done. \
         Please do not send it again: both emails could be carried out.",
        human_date(entry.executable_until)
    ));
    node_state(&mut page, entry);
    page
}

/// Where the mail is, for a sender who asks the operator.
fn node_state(page: &mut Page, entry: &Entry) {
    let place = match entry.progress.holder() {
        Some(_) => "a node of the ledger has it",
        None => "on disk at the relay; no node has taken it yet",
    };
    page.table(&[("State", Some(place.to_owned())), ("Code", code(entry))]);
}

/// A REMIT that paid.
pub(super) fn paid(rules: &NoticeRules, entry: &Entry) -> Page {
    let mut page = Page::default();
    match delivered(entry) {
        Some(amount) => page.paragraph(&format!("Paid: {amount}.")),
        None => page.paragraph("Paid."),
    };
    page.table(&[
        ("Your line", Some(entry.instruction.clone())),
        ("From", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("To", to(entry)),
        ("Account", to_account(entry)),
        ("Fee", fee(entry)),
    ]);
    transaction(&mut page, rules, entry);
    page.paragraph(&format!(
        "To see your balance, send a new email to {}:",
        rules.from
    ));
    page.first_line("BALANCE");
    page
}

/// A REKEY that was applied.
pub(super) fn rekeyed(rules: &NoticeRules, entry: &Entry) -> Page {
    let mut page = Page::default();
    page.paragraph("The key of your account is set.");
    page.table(&[
        ("Your line", Some(entry.instruction.clone())),
        ("Address", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("Key", new_key(entry)),
        ("Fee", fee(entry)),
    ]);
    transaction(&mut page, rules, entry);
    page.paragraph(
        "From now on this key can spend from the account. Email can still spend from it too, until the key turns that \
         off with an AccountSet transaction with SetFlag 60. The ledger accepts that 72 hours after this change at the \
         earliest.",
    );
    page.paragraph(
        "If you did not write this email, somebody else can send email in your name. You have these 72 hours to set \
         your own key in the same way; then change the password of your mailbox.",
    );
    page
}

/// The key that a REKEY names.
fn new_key(entry: &Entry) -> Option<String> {
    match entry.order()? {
        Order::Remit { .. } => None,
        Order::Rekey { key } => Some(key.to_string()),
    }
}

/// In a validated ledger, but without success: only the fee was taken.
pub(super) fn charged(rules: &NoticeRules, entry: &Entry) -> Page {
    let mut page = Page::default();
    page.paragraph(&format!(
        "{} The ledger accepted the email and charged the fee, but could not carry out the instruction.",
        nothing_done(entry)
    ));
    page.table(&[
        ("Your line", Some(entry.instruction.clone())),
        ("Code", code(entry)),
        ("Why", entry.said.word.clone()),
        ("What to do", entry.said.fix.clone()),
        ("From", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("To", to(entry)),
        ("Account", to_account(entry)),
        ("Fee", fee(entry)),
    ]);
    transaction(&mut page, rules, entry);
    page.paragraph(&format!(
        "To see your balance, send a new email to {}:",
        rules.from
    ));
    page.first_line("BALANCE");
    again(&mut page, rules, entry);
    page
}

/// Executed by another way, and no node shows how it ended.
pub(super) fn done_before(rules: &NoticeRules, entry: &Entry) -> Page {
    let mut page = Page::default();
    page.paragraph(
        "Your email had already reached the ledger by another route, and the nodes no longer show the result. Please \
         check before you send it again: both emails could be carried out.",
    );
    page.table(&[
        ("Your line", Some(entry.instruction.clone())),
        ("From", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("To", to(entry)),
        ("Account", to_account(entry)),
    ]);
    transaction(&mut page, rules, entry);
    let (what, line) = if is_rekey(entry) {
        ("To see who can spend from your account", "BALANCE")
    } else {
        ("To see your last payments", "HISTORY")
    };
    page.paragraph(&format!("{what}, send a new email to {}:", rules.from));
    page.first_line(line);
    page
}

/// Refused for good.
pub(super) fn refused(rules: &NoticeRules, entry: &Entry, now: u64) -> Page {
    let mut page = Page::default();
    page.paragraph(&format!("{} The email was refused.", nothing_done(entry)));
    page.table(&[
        ("Your line", Some(entry.instruction.clone())),
        ("Why", entry.said.word.clone()),
        ("Rule", entry.said.rule.map(|rule| rule.to_string())),
        ("Code", code(entry)),
        ("What to do", entry.said.fix.clone()),
    ]);
    if now < entry.executable_until && !is_dead_for_good(entry) {
        page.paragraph(&format!(
            "Caution: the email stays valid until {}, and anyone who has a copy can submit it again. If you send another \
             one before then, both could be carried out.",
            human_date(entry.executable_until)
        ));
    }
    // No mail of this account will do, so none is asked for.
    if !has_code(entry, Ter::TEF_EMAIL_DISABLED) {
        again(&mut page, rules, entry);
    }
    page
}

/// Whether a refusal can never turn into a success: the rules of the mail itself, its window, and a mail that
/// was executed. Spec: 10.
fn is_dead_for_good(entry: &Entry) -> bool {
    let code = entry.said.code.as_ref();
    code.is_some_and(|code| code.class() == TerClass::Tem)
        || [
            Ter::TEF_EMAIL_EXPIRED,
            Ter::TEF_EMAIL_REPLAY,
            Ter::TEF_BAD_SIGNATURE,
        ]
        .into_iter()
        .any(|ter| has_code(entry, ter))
}

/// Out of time.
pub(super) fn expired(rules: &NoticeRules, entry: &Entry) -> Page {
    let mut page = Page::default();
    page.paragraph(&format!(
        "{} An email is valid for five days, and this one expired on {}. It can no longer be carried out.",
        nothing_done(entry),
        human_date(entry.executable_until)
    ));
    page.table(&[
        ("Your line", Some(entry.instruction.clone())),
        ("Last reason", entry.said.word.clone()),
        ("Code", code(entry)),
        ("What to do", entry.said.fix.clone()),
    ]);
    again(&mut page, rules, entry);
    page
}

fn nothing_done(entry: &Entry) -> &'static str {
    if is_rekey(entry) {
        "Nothing was changed."
    } else {
        "Nothing was paid."
    }
}

/// The line to write again.
fn again(page: &mut Page, rules: &NoticeRules, entry: &Entry) {
    page.paragraph(&format!(
        "To try again, send a new email with {} in Cc. Begin it with this line, followed by an empty line:",
        rules.from
    ));
    page.first_line(&entry.instruction);
}

/// Ledger, hash and link.
fn transaction(page: &mut Page, rules: &NoticeRules, entry: &Entry) {
    let outcome = entry.progress.outcome();
    let ledger_index = outcome.and_then(Outcome::ledger_index);
    let hash = outcome.and_then(Outcome::hash).map(|hash| hash.to_string());
    page.table(&[
        ("Ledger", ledger_index.map(|index| index.to_string())),
        ("Transaction", hash.clone()),
        (
            "See it at",
            hash.map(|hash| rules.transaction_link.replace("{hash}", &hash)),
        ),
    ]);
}

/// To the receiver of a first payment.
pub(super) fn welcome(rules: &NoticeRules, entry: &Entry, to: &str) -> Page {
    let mut page = Page::default();
    let delivered = delivered(entry);
    let amount = delivered.as_deref().unwrap_or("money");
    page.paragraph(&format!("{} has sent you {amount}.", entry.from));
    page.paragraph(
        "It is already yours: there is nothing to accept, sign up for or confirm. It is recorded in the Xahau ledger, a \
         public register that many computers keep together, in an account that belongs to your email address.",
    );
    page.table(&[
        ("Your address", Some(to.to_owned())),
        ("Your account", to_account(entry)),
        ("Sent by", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("Amount", delivered.clone()),
    ]);
    transaction(&mut page, rules, entry);
    page.paragraph(&format!(
        "How to pay with it: send an email from {to} with {} in Cc. Begin it with the line below, followed by an empty \
         line. Replace ADDRESS with the address of the receiver, and 1 with the amount. A small part, the reserve, stays \
         in the account.",
        rules.from
    ));
    page.first_line(&format!("REMIT 1 XAH TO <ADDRESS>{}", net(rules)));
    page.paragraph(&format!(
        "How to see your balance: send an email to {}:",
        rules.from
    ));
    page.first_line("BALANCE");
    page.paragraph(
        "How to take full control: as long as email can spend from your account, so can anyone who can send email in \
         your name, such as your email provider or somebody who has stolen your password. That is good enough for pocket \
         money and nothing more. To hold more, get an account from any Xahau wallet and pay the money to its address, or \
         give its key control of this account too:",
    );
    page.first_line(&format!("REKEY rTheAddressOfYourWallet{}", net(rules)));
    page
}

/// What an instruction needs on other networks than the main one. Spec: 5.6.
fn net(rules: &NoticeRules) -> String {
    match rules.network {
        MAIN_NETWORK => String::new(),
        other => format!(" NET {other}"),
    }
}

/// What a node says of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) balance_drops: u64,
    /// `None` where the node does not say.
    pub(super) reserve_drops: Option<u64>,
    pub(super) regular_key: Option<String>,
    pub(super) can_mail_spend: bool,
    pub(super) ledger_index: Option<u64>,
}

/// BALANCE.
pub(super) fn balance(rules: &NoticeRules, entry: &Entry, account: &Account) -> Page {
    let mut page = Page::default();
    page.paragraph(&format!("Your balance: {}.", xah(account.balance_drops)));
    let keys = match (account.can_mail_spend, &account.regular_key) {
        (true, None) => "email from your address".to_owned(),
        (true, Some(key)) => format!("email from your address, and {key}"),
        (false, Some(key)) => format!("only {key}; email is turned off"),
        (false, None) => "neither email nor a key".to_owned(),
    };
    let reserve = account.reserve_drops;
    let free = reserve.map(|reserve| xah(account.balance_drops.saturating_sub(reserve)));
    page.table(&[
        ("Address", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("Balance", Some(xah(account.balance_drops))),
        (
            "Reserve",
            reserve.map(|reserve| format!("{}, stays in the account", xah(reserve))),
        ),
        ("To spend", free),
        ("Can spend", Some(keys)),
        ("Ledger", account.ledger_index.map(|index| index.to_string())),
    ]);
    page.paragraph(&format!(
        "To see your last payments, send a new email to {}:",
        rules.from
    ));
    page.first_line("HISTORY");
    page
}

/// One payment of HISTORY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) unix_secs: Option<u64>,
    /// `in`, `out`.
    pub(super) direction: &'static str,
    pub(super) amount: String,
    /// r-address of the other side.
    pub(super) other: String,
    /// Code, where nothing was paid.
    pub(super) failure: Option<String>,
    pub(super) hash: Option<String>,
}

/// HISTORY.
pub(super) fn history(rules: &NoticeRules, entry: &Entry, payments: &[Payment]) -> Page {
    let mut page = Page::default();
    match payments.len() {
        0 => page.paragraph("Your account has no payments yet."),
        1 => page.paragraph("The last payment of your account:"),
        count => page.paragraph(&format!(
            "The last {count} payments of your account, newest first:"
        )),
    };
    page.table(&[
        ("Address", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
    ]);
    for payment in payments {
        let what = match &payment.failure {
            None => format!("{} {}", payment.direction, payment.amount),
            Some(code) => format!("not paid, {} {} ({code})", payment.direction, payment.amount),
        };
        page.table(&[
            ("Date", payment.unix_secs.map(human_date)),
            ("Payment", Some(what)),
            ("Other side", Some(payment.other.clone())),
            ("Transaction", payment.hash.clone()),
        ]);
    }
    page.paragraph(
        "The ledger knows accounts, not email addresses, so it does not show whose account the other side is.",
    );
    page.paragraph(&format!(
        "To see your balance, send a new email to {}:",
        rules.from
    ));
    page.first_line("BALANCE");
    page
}

/// BALANCE or HISTORY of an account that is not there yet.
pub(super) fn no_account(rules: &NoticeRules, entry: &Entry, reserve_drops: Option<u64>) -> Page {
    let mut page = Page::default();
    page.paragraph("Your address has no account yet. The first payment to your address creates it.");
    page.table(&[
        ("Your address", Some(entry.from.to_string())),
        ("Your account", Some(entry.from.account().to_string())),
        (
            "Reserve",
            reserve_drops.map(|drops| format!("{}, stays in the account", xah(drops))),
        ),
    ]);
    page.paragraph(&format!(
        "How to get money: ask somebody who has XAH to pay you, by an email to you with {} in Cc that begins with the \
         line below, followed by an empty line. Or buy XAH at an exchange and withdraw it to the account above.",
        rules.from
    ));
    page.first_line(&format!("REMIT 10 XAH TO <{}>{}", entry.from, net(rules)));
    page
}
