//! What the answers to BALANCE and HISTORY say. `fixtures/answers` shows each as it is sent.

use codec::{AccountId, Drops};
use rpc::reply::{Made, Movement, Sum};

use super::NoticeRules;
use super::page::{Page, human_date, xah};
use super::suggest::FirstLine;
use super::texts::{ask, fee_room};
use crate::queue::Entry;

/// What a node says of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) balance: Drops,
    /// `None` where the node does not say.
    pub(super) reserves: Option<Reserves>,
    pub(super) tokens: Tokens,
    pub(super) regular_key: Option<AccountId>,
    pub(super) can_mail_spend: bool,
    pub(super) ledger_index: Option<u32>,
}

/// What must stay in accounts, and what emails cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reserves {
    /// Of this account.
    pub(super) own: Drops,
    /// Of a new account.
    pub(super) new_account: Drops,
    pub(super) base_fee: Drops,
}

/// Issued money that an account holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tokens {
    pub(super) held: Vec<Sum>,
    /// Whether all are listed.
    pub(super) listed: Listed,
}

/// Whether a list is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Listed {
    #[default]
    All,
    Some,
}

/// BALANCE.
pub(super) fn balance(rules: &NoticeRules, entry: &Entry, account: &Account) -> Page {
    let mut page = Page::default();
    page.paragraph(&format!("Your balance: {}.", xah(account.balance.get())));
    let keys = match (account.can_mail_spend, &account.regular_key) {
        (true, None) => "email from your address".to_owned(),
        (true, Some(key)) => format!("email from your address, and {key}"),
        (false, Some(key)) => format!("only {key}; email is turned off"),
        (false, None) => "neither email nor a key".to_owned(),
    };
    let reserves = account.reserves;
    let to_spend = reserves.map(|reserves| {
        let kept = reserves
            .own
            .get()
            .saturating_add(fee_room(reserves.base_fee).get());
        xah(account.balance.get().saturating_sub(kept))
    });
    page.table(&[
        ("Balance", Some(xah(account.balance.get()))),
        (
            "Reserve",
            reserves.map(|reserves| format!("{}, stays in the account", xah(reserves.own.get()))),
        ),
        (
            "Fee",
            reserves
                .map(|reserves| format!("up to {} for each email", xah(fee_room(reserves.base_fee).get()))),
        ),
        ("To spend", to_spend),
        ("Can spend", Some(keys)),
        ("Address", Some(entry.from.to_string())),
        ("Account", Some(entry.from.account().to_string())),
        ("Ledger", account.ledger_index.map(|index| index.to_string())),
    ]);
    if let Some(reserves) = reserves {
        page.paragraph(&format!(
            "A first payment to somebody without an account takes {} more than its amount, the reserve of the new \
             account.",
            xah(reserves.new_account.get())
        ));
    }
    tokens(&mut page, &account.tokens);
    ask(&mut page, rules, "your last payments", &FirstLine::history());
    page
}

fn tokens(page: &mut Page, tokens: &Tokens) {
    if tokens.held.is_empty() && tokens.listed == Listed::All {
        return;
    }
    page.paragraph(
        "Your account also holds money that is not XAH. Each is a promise of the account behind the slash, which issued \
         it, and is worth what that account gives for it:",
    );
    let mut rows: Vec<(&str, Option<String>)> = Vec::new();
    for token in &tokens.held {
        rows.push(("Promise of", Some(token.to_string())));
    }
    if tokens.listed == Listed::Some {
        rows.push(("And", Some("more than fit here".to_owned())));
    }
    page.table(&rows);
}

/// One row of HISTORY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) unix_secs: Option<u64>,
    /// What it did to the account.
    pub(super) movement: Movement,
    /// XAH of what left that is the reserve of what was made for the receiver.
    pub(super) reserve: Option<(Drops, Made)>,
    /// The other side.
    pub(super) other: Option<AccountId>,
    /// Why nothing was paid, where nothing was.
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
        let Movement { fee, left, came } = &payment.movement;
        page.table(&[
            ("Date", payment.unix_secs.map(human_date)),
            (
                "Failed",
                payment
                    .failure
                    .as_ref()
                    .map(|why| format!("nothing was paid. {why}")),
            ),
            ("Out", listed(left)),
            ("Of it", payment.reserve.map(|(drops, made)| reserve(drops, made))),
            ("In", listed(came)),
            ("Fee", (*fee != Drops::default()).then(|| xah(fee.get()))),
            ("Other side", payment.other.map(|other| other.to_string())),
            ("Transaction", payment.hash.clone()),
        ]);
    }
    let sums = || {
        payments
            .iter()
            .flat_map(|payment| payment.movement.left.iter().chain(&payment.movement.came))
    };
    if sums().any(|sum| sum.issuer().is_some()) {
        page.paragraph(
            "Money with an account behind its name is not XAH: it is a promise of that account, and is worth what it \
             gives for it.",
        );
    }
    page.paragraph(
        "The ledger knows accounts, not email addresses, so it does not show whose account the other side is.",
    );
    ask(&mut page, rules, "your balance", &FirstLine::balance());
    page
}

fn listed(sums: &[Sum]) -> Option<String> {
    let texts: Vec<String> = sums.iter().map(Sum::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn reserve(drops: Drops, made: Made) -> String {
    let what = match made {
        Made::Account => "the receiver's new account",
        Made::Lines => "the receiver's new trust line",
        Made::AccountAndLines => "the receiver's new account and trust line",
        Made::Nothing => "the receiver",
    };
    format!("{} is the reserve of {what}", xah(drops.get()))
}

/// BALANCE or HISTORY of an account that is not there yet.
pub(super) fn no_account(rules: &NoticeRules, entry: &Entry, reserve: Option<Drops>) -> Page {
    let mut page = Page::default();
    page.paragraph("Your address has no account yet. The first payment to your address creates it.");
    page.table(&[
        ("Your address", Some(entry.from.to_string())),
        ("Your account", Some(entry.from.account().to_string())),
        (
            "Reserve",
            reserve.map(|drops| {
                format!(
                    "{}, stays in the account; who pays first sends it on top",
                    xah(drops.get())
                )
            }),
        ),
    ]);
    let ten = codec::Amount::from_drops(Drops::new(10 * Drops::PER_XAH));
    let line = FirstLine::pay(ten, entry.from.to_recipient(), rules.network);
    page.paragraph(&format!(
        "How to get money: buy XAH at an exchange and withdraw it to the account above, or ask somebody who has XAH to \
         pay you, by an email to you with {} in Cc that begins with a line like this one, followed by an empty line:",
        rules.from
    ));
    if let Some(line) = line {
        page.first_line(&line);
    }
    page
}
