//! What nodes are asked, each within a bounded time: a paused one never answers.

use codec::{AccountId, CloseTime, Drops, Hash256, LedgerIndex};
use rpc::api::{LedgerChoice, Transactions};
use rpc::methods::{AccountInfoRequest, Form, LedgerEntryRequest, LedgerRequest, Request, ServerInfoRequest};
use rpc::{Client, ClientError};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::task::JoinSet;

/// How long a node may take to answer: one that makes up for what it missed is slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a node says of its last ledger.
#[derive(Debug, Clone)]
pub(super) struct Last {
    pub index: LedgerIndex,
    pub hash: String,
}

/// A connection.
pub(super) async fn connect(url: &str) -> Result<Client, String> {
    let connecting = Client::connect_with_patience(url, PATIENCE).await;
    connecting.map_err(|error| error.to_string())
}

async fn call<R: Request>(url: &str, request: &R) -> Result<R::Reply, ClientError> {
    Client::connect_with_patience(url, PATIENCE)
        .await?
        .call(request)
        .await
}

/// What a node answers to a request that no type here knows.
pub(super) async fn raw(url: &str, method: &str, params: Map<String, Value>) -> Result<Value, String> {
    let mut client = connect(url).await?;
    client
        .request(method, params)
        .await
        .map_err(|error| error.to_string())
}

/// The last ledger of each of these nodes, asked at one time.
pub(super) async fn last_of_all(urls: Vec<(usize, String)>) -> Vec<(usize, Result<Last, String>)> {
    let mut asked = JoinSet::new();
    for (number, url) in urls {
        asked.spawn(async move { (number, last(&url).await) });
    }
    asked.join_all().await
}

/// Waits until each of these nodes has a ledger that none has now; nothing where one has not within this time. The
/// first takes seconds on an idle machine and much longer on a busy one: nodes have to find each other, and whoever
/// leads meanwhile is not heard.
pub(super) async fn until_all_close(urls: &[String], within: Duration) -> Option<()> {
    let all = async {
        let asked = urls.iter().cloned().enumerate().collect();
        let known = last_of_all(asked).await;
        let newest = known
            .iter()
            .filter_map(|(_, last)| Some(last.as_ref().ok()?.index));
        let newest = newest.max();
        for url in urls {
            while last(url).await.ok().map(|last| last.index) <= newest {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    tokio::time::timeout(within, all).await.ok()
}

/// The last ledger of a node.
pub(super) async fn last(url: &str) -> Result<Last, String> {
    let info = call(url, &ServerInfoRequest)
        .await
        .map_err(|error| error.to_string())?;
    let ledger = info.validated_ledger.unwrap_or_default();
    match (ledger.seq, ledger.hash) {
        (Some(index), Some(hash)) => Ok(Last {
            index,
            hash: hash.to_string(),
        }),
        (_, _) => Err("it has no validated ledger".to_owned()),
    }
}

/// The hash of a ledger on a node.
pub(super) async fn hash_of(url: &str, index: LedgerIndex) -> Option<String> {
    let hash = ledger(url, LedgerChoice::Index(index)).await?.0?;
    Some(hash.to_string())
}

/// When the last ledger of a node was closed, and which it is.
pub(super) async fn closed(url: &str) -> Option<(LedgerIndex, CloseTime)> {
    let (_, index, time) = ledger(url, LedgerChoice::Validated).await?;
    Some((index, time?))
}

async fn ledger(
    url: &str,
    ledger: LedgerChoice,
) -> Option<(Option<Hash256>, LedgerIndex, Option<CloseTime>)> {
    let request = LedgerRequest {
        ledger,
        transactions: Transactions::Omitted,
    };
    let reply = call(url, &request).await.ok()?;
    Some((reply.hash, reply.index, reply.close_time))
}

/// What an account has in the last ledger; nothing where there is none.
pub(super) async fn balance(url: &str, account: AccountId) -> Result<Option<Drops>, String> {
    let ledger = LedgerChoice::Validated;
    match call(url, &AccountInfoRequest { account, ledger }).await {
        Ok(reply) => Ok(Some(reply.balance)),
        Err(ClientError::Refused { token, .. }) if token == "actNotFound" => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// An entry of the last ledger; nothing where there is none.
pub(super) async fn entry(url: &str, index: Hash256) -> Result<Option<Map<String, Value>>, String> {
    let request = LedgerEntryRequest {
        index,
        ledger: LedgerChoice::Validated,
        form: Form::Json,
    };
    match call(url, &request).await {
        Ok(reply) => Ok(reply.node),
        Err(ClientError::Refused { token, .. }) if token == "entryNotFound" => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}
