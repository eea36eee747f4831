//! What the node says of its own health.

use ops::{Condition, Health};
use rpc::Node as _;
use rpc::api::Acceptance;

use crate::node::Node;

impl Health for Node {
    fn alive(&self) -> Vec<Condition> {
        vec![if self.inner.host.is_running() {
            Condition::holds("chain", "it runs")
        } else {
            Condition::fails("chain", "it has stopped: see the log, then start the node again")
        }]
    }

    fn ready(&self) -> Vec<Condition> {
        let mut conditions = self.alive();
        match self.server() {
            Ok(server) => {
                conditions.push(match server.acceptance {
                    Acceptance::Open => Condition::holds("disk", "it has room"),
                    Acceptance::DiskFull => Condition::fails("disk", "it is full: free some space"),
                });
                conditions.push(match server.clock {
                    None => Condition::holds("clock", "it runs steadily"),
                    Some(_) => Condition::fails("clock", "it jumped: see the log, and set it right"),
                });
            }
            Err(error) => conditions.push(Condition::fails("store", error.to_string())),
        }
        conditions
    }
}
