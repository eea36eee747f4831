//! The nodes, as BALANCE and HISTORY ask them.

use std::sync::Arc;

use rpc::methods::Request;

use crate::courier::nodes::{NodeError, Nodes};
use crate::notices::{RequestError, Requests};

/// Asks the nodes in the order of the courier.
pub(super) struct Asked(pub(super) Arc<Nodes>);

impl Requests for Asked {
    async fn call<R>(&self, request: R) -> Result<R::Reply, RequestError>
    where
        R: Request + Send + Sync,
        R::Reply: Send,
    {
        let none = match self.0.call(&request).await {
            Ok(reply) => return Ok(reply),
            Err(none) => none,
        };
        let said = none.errors.iter().find_map(|(_, error)| match error {
            NodeError::Refused { token, .. } => Some(RequestError::Refused(token.clone())),
            NodeError::Malformed(bad) => Some(RequestError::Malformed(*bad)),
            NodeError::Resting
            | NodeError::Down(_)
            | NodeError::Silent(_)
            | NodeError::Unreadable
            | NodeError::Busy { .. } => None,
        });
        Err(said.unwrap_or_else(|| RequestError::NoNode(none.to_string())))
    }
}
