//! What the notices about orders say. `fixtures/answers` shows each as it is sent.
//!
//! No text both asks to send again and asks not to: while a mail may still be carried out, nobody is asked for
//! another one.

use amendment::address::{CanonicalAddress, Recipient};
use amendment::limits::{LIVE_ENTRIES_MAX, MEMO_BYTES_MAX};
use amendment::{Order, RekeyMark, Rule};
use codec::{Amount, Drops, Ter, TerClass};
use rpc::reply::Receipt;

use super::NoticeRules;
use super::page::{Page, human_date, xah};
use super::suggest::{FirstLine, net};
use crate::queue::{Entry, Outcome};

fn code(entry: &Entry) -> Option<String> {
    entry.said.code.as_ref().map(|code| code.as_str().to_owned())
}

fn ter(entry: &Entry) -> Option<Ter> {
    entry.said.code.as_ref()?.ter()
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

fn receipt(entry: &Entry) -> Option<Receipt> {
    entry.progress.outcome().and_then(Outcome::receipt)
}

fn fee(entry: &Entry) -> Option<Drops> {
    entry.progress.outcome().and_then(Outcome::fee)
}

fn is_rekey(entry: &Entry) -> bool {
    matches!(entry.order(), Some(Order::Rekey { .. }))
}

/// Both sides of a payment.
fn parties(page: &mut Page, entry: &Entry) {
    page.table(&[
        ("From", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("To", to(entry)),
        ("Account", to_account(entry)),
        ("Your line", Some(entry.instruction.clone())),
    ]);
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
    if let Some(why) = why_it_waits(entry) {
        page.paragraph(&format!("Why: {why}"));
    }
    page.paragraph(&format!(
        "The relay keeps trying until {}. You will get another answer when it is done. Please do not send it again: \
         both emails could be carried out.",
        human_date(entry.executable_until)
    ));
    node_state(&mut page, entry);
    page
}

/// Why a mail waits, and what its sender can do for it. A node's own words are for programs that hand mails
/// in: they ask to do it again.
fn why_it_waits(entry: &Entry) -> Option<String> {
    let own = match ter(entry) {
        Some(Ter::TER_NO_ACCOUNT) => {
            "Your address has no account yet. The first payment to your address creates it: ask somebody to send you \
             XAH, and this email is then carried out."
        }
        Some(Ter::TER_INSUF_FEE_B) => {
            "Your account cannot pay the fee yet. Ask somebody to send you XAH, and this email is then carried out."
        }
        Some(Ter::TER_NO_DKIM_KEY) => {
            "The ledger does not know the key of your email provider yet. It is being looked up."
        }
        Some(Ter::TEF_EMAIL_FULL) => {
            "Your account has paid by 64 emails within five days. This one is carried out when the oldest of them is \
             five days old."
        }
        Some(Ter::TER_EMAIL_EARLY) => {
            "Your email is dated in the future: the clock of your device may be wrong."
        }
        Some(other) if !other.message().is_empty() => other.message(),
        Some(_) | None => {
            return entry
                .said
                .code
                .is_none()
                .then(|| entry.said.word.clone())
                .flatten();
        }
    };
    Some(own.to_owned())
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
    let Some(receipt) = receipt(entry) else {
        page.paragraph("Paid. The nodes do not show what exactly it moved.");
        parties(&mut page, entry);
        transaction(&mut page, rules, entry);
        ask(&mut page, rules, "your last payments", &FirstLine::history());
        return page;
    };
    page.paragraph(&format!("Paid: {}.", receipt.arrived()));
    let rows = receipt
        .rows()
        .into_iter()
        .map(|(name, value)| (name, Some(value)));
    page.table(&rows.collect::<Vec<_>>());
    if let Some(promise) = receipt.arrived().promise() {
        page.paragraph(&promise);
    }
    parties(&mut page, entry);
    transaction(&mut page, rules, entry);
    ask(&mut page, rules, "your balance", &FirstLine::balance());
    page
}

/// A REKEY that was applied.
pub(super) fn rekeyed(rules: &NoticeRules, entry: &Entry) -> Page {
    let mut page = Page::default();
    page.paragraph("The key of your account is set.");
    page.table(&[
        ("Address", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("Key", new_key(entry)),
        ("Fee", fee(entry).map(|fee| xah(fee.get()))),
        ("Your line", Some(entry.instruction.clone())),
    ]);
    transaction(&mut page, rules, entry);
    page.paragraph(
        "From now on this key can spend from the account. Email can still spend from it too if your provider signs the \
         time of an email (most do, Microsoft does not), until the key turns that off with an AccountSet transaction with \
         SetFlag 60. The ledger accepts that 72 hours after this change at the earliest. No email signed before this \
         change can do anything any more.",
    );
    page.paragraph(
        "If you did not write this email, somebody else can send email in your name. First change the password of your \
         mailbox; then set your own key in the same way, within these 72 hours.",
    );
    page
}

/// The key that a REKEY names.
fn new_key(entry: &Entry) -> Option<String> {
    match entry.order()? {
        Order::Remit { .. } => None,
        Order::Rekey { key, .. } => Some(key.to_string()),
    }
}

/// In a validated ledger, but without success: only the fee was taken.
pub(super) fn charged(rules: &NoticeRules, entry: &Entry) -> Page {
    let mut page = Page::default();
    page.paragraph(&format!(
        "Failed: {} The ledger took the fee, but could not carry out the instruction.",
        nothing_done(entry)
    ));
    let why = ter(entry).map(Ter::message).filter(|why| !why.is_empty());
    page.table(&[
        ("Why", why.map(str::to_owned)),
        ("Code", code(entry)),
        ("Fee", fee(entry).map(|fee| xah(fee.get()))),
        (
            "In all",
            fee(entry).map(|fee| format!("{} left your account", xah(fee.get()))),
        ),
    ]);
    parties(&mut page, entry);
    transaction(&mut page, rules, entry);
    page.paragraph(
        "This email is used up and can never be carried out. If you still want the same, send a new email once the \
         reason is gone.",
    );
    if is_short_of_money(entry) {
        page.paragraph(
            "A payment takes more than its amount: the fee, a reserve that must stay in your account, and for a receiver \
             without an account the reserve of that account. Your balance says how much there is to spend.",
        );
    }
    ask(&mut page, rules, "your balance", &FirstLine::balance());
    page
}

fn is_short_of_money(entry: &Entry) -> bool {
    [Ter::TEC_UNFUNDED_PAYMENT, Ter::TEC_INSUFFICIENT_RESERVE]
        .into_iter()
        .any(|ter| has_code(entry, ter))
}

/// Executed by another way, and no node shows how it ended.
pub(super) fn done_before(rules: &NoticeRules, entry: &Entry) -> Page {
    let mut page = Page::default();
    page.paragraph(
        "Your email had already reached the ledger by another route, and the nodes no longer show the result. It is \
         used up: it was carried out, or failed and cost its fee.",
    );
    parties(&mut page, entry);
    transaction(&mut page, rules, entry);
    if is_rekey(entry) {
        ask(
            &mut page,
            rules,
            "who can spend from your account",
            &FirstLine::balance(),
        );
    } else {
        ask(&mut page, rules, "your last payments", &FirstLine::history());
    }
    page
}

/// Refused for good.
pub(super) fn refused(rules: &NoticeRules, entry: &Entry, now: u64) -> Page {
    let mut page = Page::default();
    let is_open = now < entry.executable_until && !is_dead_for_good(entry);
    page.paragraph(&format!("{} The email was refused.", nothing_done(entry)));
    page.table(&[
        ("Why", entry.said.word.clone()),
        ("Rule", entry.said.rule.map(|rule| rule.to_string())),
        ("Code", code(entry)),
        // Advice ends in another email, which must wait for the end of this one.
        ("What to do", entry.said.fix.clone().filter(|_| !is_open)),
        ("Your line", Some(entry.instruction.clone())),
    ]);
    if has_code(entry, Ter::TEF_EMAIL_DISABLED) {
        page.paragraph("No email like this one can spend from this account: only its key can.");
    }
    if is_open {
        page.paragraph(&format!(
            "The email itself stays good until {}: anyone who has a copy can hand it in again, and a later ledger may \
             carry it out. Please do not send another one before then: both could be carried out.",
            human_date(entry.executable_until)
        ));
    } else if let Some(line) = following(rules, entry) {
        page.paragraph(&format!(
            "This email can never be carried out. If you still want the same, send a new one with {} in Cc. Begin it with \
             this line, followed by an empty line:",
            rules.from
        ));
        page.first_line(&line);
    } else if has_code(entry, Ter::TEF_DKIM_FROZEN) {
        page.paragraph(
            "This email can never be carried out. The validators of the network have stopped the emails of your provider, \
             as after a break-in there. Once they let them through again, send a new one if you still want the same.",
        );
    } else if !has_code(entry, Ter::TEF_EMAIL_DISABLED) {
        page.paragraph("This email can never be carried out. If you still want the same, send a new one.");
    }
    page
}

/// The same REKEY with the mark that it has to name, which a node's advice holds. Of a node nothing but the mark is
/// believed. Spec: 8.6.
fn following(rules: &NoticeRules, entry: &Entry) -> Option<FirstLine> {
    let fix = entry
        .said
        .fix
        .as_deref()
        .filter(|_| has_code(entry, Ter::TEF_EMAIL_AFTER))?;
    let (_, rest) = fix.split_once(" AFTER ")?;
    let mark = RekeyMark::parse(rest.split(' ').next()?)?;
    let Order::Rekey { key, .. } = entry.order()? else {
        return None;
    };
    let order = Order::Rekey {
        key: *key,
        after: Some(mark),
    };
    FirstLine::order(&order, rules.network)
}

/// Whether a refusal can never turn into a success: the rules of the mail itself, its window, and a mail that
/// was executed. Spec: 10.
fn is_dead_for_good(entry: &Entry) -> bool {
    let code = entry.said.code.as_ref();
    // A key may turn email on again (rule 11); what a REKEY ended is over (8.6).
    let is_ended = has_code(entry, Ter::TEF_EMAIL_DISABLED) && entry.said.rule == Some(Rule::R8_6);
    is_ended
        || code.is_some_and(|code| code.class() == TerClass::Tem)
        || [
            Ter::TEF_DKIM_FROZEN,
            Ter::TEF_EMAIL_AFTER,
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
    let waited_for_money = [Ter::TER_NO_ACCOUNT, Ter::TER_INSUF_FEE_B]
        .into_iter()
        .any(|ter| has_code(entry, ter));
    let why = match ter(entry) {
        Some(Ter::TEF_EMAIL_EXPIRED) | None => entry.said.word.clone(),
        Some(other) => Some(other.message().to_owned()).filter(|why| !why.is_empty()),
    };
    page.table(&[
        ("Last reason", why),
        ("Code", code(entry)),
        ("Your line", Some(entry.instruction.clone())),
    ]);
    let line = entry
        .order()
        .and_then(|order| FirstLine::order(order, rules.network));
    match line {
        // The same line would wait in vain again.
        _ if waited_for_money => {
            page.paragraph(
                "Ask somebody to send XAH to your address first. Once it is there, you can send a new email.",
            );
        }
        Some(line) => {
            page.paragraph(&format!(
                "If you still want the same, send a new email with {} in Cc. Begin it with this line, followed by an \
                 empty line:",
                rules.from
            ));
            page.first_line(&line);
        }
        None => {
            page.paragraph("If you still want the same, send a new email.");
        }
    }
    page
}

fn nothing_done(entry: &Entry) -> &'static str {
    if is_rekey(entry) {
        "Nothing was changed."
    } else {
        "Nothing was paid."
    }
}

/// A question that can be sent.
pub(super) fn ask(page: &mut Page, rules: &NoticeRules, what: &str, line: &FirstLine) {
    page.paragraph(&format!("To see {what}, send a new email to {}:", rules.from));
    page.first_line(line);
}

/// Ledger, hash and link.
fn transaction(page: &mut Page, rules: &NoticeRules, entry: &Entry) {
    let outcome = entry.progress.outcome();
    let ledger_index = outcome.and_then(Outcome::ledger_index);
    let hash = outcome.and_then(Outcome::hash).map(|hash| hash.to_string());
    let link = rules.transaction_link.as_ref();
    let link = link.and_then(|link| Some(link.replace("{hash}", hash.as_ref()?)));
    page.table(&[
        ("Ledger", ledger_index.map(|index| index.to_string())),
        ("Transaction", hash),
        ("See it at", link),
    ]);
}

/// Room for the fee of any email: a memo of full size, with all live entries and the margin that a node adds.
/// Spec: 6.3, 9.
pub(super) fn fee_room(base_fee: Drops) -> Drops {
    let base_fees = 1 + LIVE_ENTRIES_MAX as u64 + amendment::limits::FEE_MARGIN_BASE_FEES;
    let entries = base_fee.get().saturating_mul(base_fees);
    Drops::new(entries.saturating_add(MEMO_BYTES_MAX as u64))
}

/// Base fee where a node does not say it, drops.
pub(super) const BASE_FEE: Drops = Drops::new(10);
/// What a receiver is invited to try out, at most.
const TRIAL: Drops = Drops::new(Drops::PER_XAH);

/// To the receiver of a first payment of XAH.
pub(super) fn welcome(rules: &NoticeRules, entry: &Entry, receipt: &Receipt, to: &str) -> Page {
    let mut page = Page::default();
    page.paragraph(&format!("{} has sent you {}.", entry.from, receipt.arrived()));
    page.paragraph(
        "It is already yours: there is nothing to accept, sign up for or confirm. It is recorded in the Xahau ledger, a \
         public register that many computers keep together, in an account that belongs to your email address.",
    );
    page.table(&[
        ("Amount", Some(receipt.arrived().to_string())),
        (
            "Reserve",
            Some(format!(
                "{}, sent with it; it stays in your account",
                xah(receipt.reserve.get())
            )),
        ),
        (
            "In all",
            Some(format!("{} are in your account", receipt.xah_arrived())),
        ),
        ("Sent by", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("Your address", Some(to.to_owned())),
        ("Your account", to_account(entry)),
    ]);
    transaction(&mut page, rules, entry);
    match try_out(rules, entry, receipt) {
        Some((back, line)) => {
            page.paragraph(&format!(
                "How to pay with it: send an email from {to} with {} in Cc. Begin it with a line such as the one below, \
                 followed by an empty line. This one sends {back} back to {}; write the amount and the receiver that you \
                 want in their place. A first payment to somebody takes {} more, the reserve of the new account.",
                rules.from,
                entry.from,
                xah(receipt.reserve.get())
            ));
            page.first_line(&line);
        }
        None => {
            page.paragraph(
                "There is not enough in the account to pay with it yet: a reserve stays in it, and each payment costs a \
                 small fee.",
            );
        }
    }
    ask(&mut page, rules, "your balance", &FirstLine::balance());
    page.paragraph(
        "How to take full control: as long as email can spend from your account, so can anyone who can send email in \
         your name, such as your email provider or somebody who has stolen your password. That is good enough for pocket \
         money and nothing more.",
    );
    page.paragraph(&format!(
        "To hold more, get an account from any Xahau wallet and pay the money to its address; or give its key control of \
         this account too, by an email that begins with the word REKEY, a space and the address of your wallet{}.",
        match net(rules.network) {
            none if none.is_empty() => none,
            net => format!(", followed by{net}"),
        }
    ));
    page
}

/// A payment back to the sender that fits what arrived.
fn try_out(rules: &NoticeRules, entry: &Entry, receipt: &Receipt) -> Option<(String, FirstLine)> {
    let arrived = receipt.arrived().drops()?;
    let free = arrived.get().checked_sub(fee_room(BASE_FEE).get())?;
    let amount = Amount::from_drops(Drops::new(free.min(TRIAL.get())));
    let line = FirstLine::pay(amount, entry.from.to_recipient(), rules.network)?;
    Some((amount.to_string(), line))
}
