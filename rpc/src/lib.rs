//! WebSocket and HTTP JSON-RPC in the envelope of Xahau: wire types, methods, server, client.
//!
//! Implements spec section 12 (`submit_email`) and the Xahau methods that a wallet and the relay need. What a
//! method says about the ledger comes through the trait [`Node`]; this crate knows no ledger, no store and no
//! DNS.
//!
//! | part | does |
//! |---|---|
//! | [`json`] | bounded, strict reading of JSON |
//! | [`params`] | typed parameters; unknown names are refused |
//! | [`api`] | the trait [`Node`] and the plain types of its answers |
//! | [`wire`] | the JSON forms that several callers share |
//! | [`methods`] | one method per file: request and reply as types, for server and client |
//! | [`reply`] | what replies are made of, read with care |
//! | [`envelope`] | envelopes of WebSocket and HTTP, without any socket |
//! | [`session`] | one WebSocket's queue of frames, without the socket |
//! | [`trust`] | who is the operator, and who speaks for others |
//! | `at_work` | places of requests, shared fairly |
//! | [`server`], [`client`] | the sockets |

pub mod api;
mod at_work;
mod base64;
pub mod client;
pub mod envelope;
pub mod error;
pub mod json;
pub mod limits;
pub mod methods;
pub mod params;
pub mod reply;
pub mod server;
pub mod session;
pub mod trust;
pub mod wire;

pub use api::Node;
pub use client::{Client, ClientError};
pub use envelope::{HttpReply, answer_post};
pub use error::RpcError;
pub use session::Session;
pub use trust::Trust;
