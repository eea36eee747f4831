//! Envelopes and errors through the session, typed replies through both directions, and bytes through real
//! sockets.

mod bad_input;
mod fake_node;
mod loopback;
mod methods;
mod receipts;
mod recorded;
mod session;
mod typed;
mod votes;
