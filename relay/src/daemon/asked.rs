//! The nodes, as BALANCE and HISTORY ask them.

use std::sync::Arc;

use crate::courier::nodes::{NodeError, Nodes};
use crate::notices::{RequestError, Requesting, Requests};

/// Asks the nodes in the order of the courier.
pub(super) struct Asked(pub(super) Arc<Nodes>);

impl Requests for Asked {
    fn request<'a>(
        &'a self,
        method: &'a str,
        params: serde_json::Map<String, serde_json::Value>,
    ) -> Requesting<'a> {
        Box::pin(async move {
            let answer = self.0.request(method, &params).await;
            answer.map(|(_, value)| value).map_err(|none| {
                let refused = none.errors.iter().find_map(|(_, error)| match error {
                    NodeError::Refused { token, .. } => Some(token.clone()),
                    _ => None,
                });
                refused.map_or_else(|| RequestError::NoNode(none.to_string()), RequestError::Refused)
            })
        })
    }
}
