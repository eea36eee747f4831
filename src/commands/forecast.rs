//! What a mail would take from its sender and give to its receiver, as far as the ledger shows before.

use codec::{AccountId, Amount, Drops, Object, decode, keylet, sf};
use rpc::api::LedgerChoice;
use rpc::methods::{
    AccountInfoReply, AccountInfoRequest, Form, LedgerEntryRequest, ServerInfoRequest, SubmitEmailReply,
};
use rpc::reply::{Made, Receipt, Reserved, Sum};
use rpc::{Client, ClientError};
use serde_json::Value;

use super::show;

/// Transfer rate of an issuer that takes nothing, billionths.
const RATE_ONE: u32 = 1_000_000_000;

/// What would happen.
pub(crate) struct Forecast {
    /// The money.
    pub receipt: Receipt,
    /// What the sender has of XAH, and what of it must stay, where that is too little.
    short: Option<(Drops, Drops)>,
}

impl Forecast {
    /// Asks the node about the transaction that a dry run made; `None` where it made none, or none that pays.
    pub(crate) async fn ask(
        client: &mut Client,
        reply: &SubmitEmailReply,
    ) -> Result<Option<Forecast>, ClientError> {
        let tx = reply.tx_blob.as_deref().and_then(|blob| decode(blob).ok());
        let Some(order) = tx.as_ref().and_then(Remit::of) else {
            return Ok(None);
        };
        let Some(ledger) = client.call(&ServerInfoRequest).await?.validated_ledger else {
            return Ok(None);
        };
        let (Some(base), Some(increment)) = (ledger.reserve_base, ledger.reserve_increment) else {
            return Ok(None);
        };
        let is_new = account(client, order.to).await?.is_none();
        let (left, is_new_line) = order.line(client).await?;
        let reserved = reserved([(is_new, base), (is_new_line, increment)]);
        let arrived = Sum::of_amount(&order.amount);
        let receipt = left
            .zip(arrived)
            .and_then(|sums| Receipt::new(sums, reserved, order.fee));
        let Some(receipt) = receipt else {
            return Ok(None);
        };
        let sender = account(client, order.from).await?;
        let short = sender.and_then(|sender| {
            let owned = increment.get().saturating_mul(u64::from(sender.owner_count?));
            let stays = Drops::new(base.get().saturating_add(owned));
            let needed = receipt.xah_left().drops()?.get().saturating_add(stays.get());
            (needed > sender.balance.get()).then_some((sender.balance, stays))
        });
        Ok(Some(Forecast { receipt, short }))
    }

    /// In words.
    pub(crate) fn text(&self) -> String {
        let mut out = show::receipt("WOULD PAY, as far as the ledger shows now", &self.receipt);
        if let Some((balance, stays)) = self.short {
            out.push_str(&format!(
                "The account has {}, of which {} must stay: too little. The payment would fail and cost its fee.\n",
                Sum::of_drops(balance),
                Sum::of_drops(stays)
            ));
        }
        out
    }
}

fn reserved([(is_new, base), (is_new_line, increment)]: [(bool, Drops); 2]) -> Reserved {
    let (made, drops) = match (is_new, is_new_line) {
        (false, false) => (Made::Nothing, 0),
        (true, false) => (Made::Account, base.get()),
        (false, true) => (Made::Lines, increment.get()),
        (true, true) => (Made::AccountAndLines, base.get().saturating_add(increment.get())),
    };
    Reserved {
        drops: Drops::new(drops),
        made,
    }
}

/// What a mail's Remit orders.
struct Remit {
    from: AccountId,
    to: AccountId,
    amount: Amount,
    fee: Drops,
}

impl Remit {
    fn of(tx: &Object) -> Option<Remit> {
        let [(_, entry)] = tx.array(sf::AMOUNTS)? else {
            return None;
        };
        Some(Remit {
            from: tx.account(sf::ACCOUNT)?,
            to: tx.account(sf::DESTINATION)?,
            amount: entry.amount(sf::AMOUNT)?,
            fee: tx.amount(sf::FEE)?.as_drops()?,
        })
    }

    /// What leaves the sender of the amount, at the issuer's transfer rate, and whether the receiver's line has
    /// to be made. Sending money back to its issuer counts as a line that is not there, as in Xahau's Remit.
    async fn line(&self, client: &mut Client) -> Result<(Option<Sum>, bool), ClientError> {
        let sum = Sum::of_amount(&self.amount);
        let Amount::Issued(issued) = self.amount else {
            return Ok((sum, false));
        };
        let issuer = issued.issuer();
        let line = keylet::line(self.to, issuer, issued.currency());
        let is_new = entry(client, line).await?.is_none();
        let rate = if self.from == issuer || self.to == issuer {
            None
        } else {
            let root = entry(client, keylet::account(issuer)).await?;
            root.and_then(|root| root.get("TransferRate")?.as_u64())
        };
        let rate = rate.and_then(|rate| u32::try_from(rate).ok()).unwrap_or(RATE_ONE);
        Ok((sum.and_then(|sum| sum.at_rate(rate)), is_new))
    }
}

/// An account of the open ledger; `None` where there is none.
async fn account(client: &mut Client, account: AccountId) -> Result<Option<AccountInfoReply>, ClientError> {
    let ledger = LedgerChoice::Current;
    found(client.call(&AccountInfoRequest { account, ledger }).await)
}

/// An entry of the open ledger; `None` where there is none.
async fn entry(client: &mut Client, index: codec::Hash256) -> Result<Option<Value>, ClientError> {
    let request = LedgerEntryRequest {
        index,
        ledger: LedgerChoice::Current,
        form: Form::Json,
    };
    let reply = found(client.call(&request).await)?;
    Ok(reply.map(|reply| Value::Object(reply.node.unwrap_or_default())))
}

/// What a node has, or `None` where it says that there is no such entry.
pub(super) fn found<T>(reply: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(ClientError::Refused { token, .. }) if token == "actNotFound" || token == "entryNotFound" => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
