//! Tests of the RPC door: envelopes and errors through the session, and bytes through real sockets.

mod bad_input;
mod fake_node;
mod loopback;
mod methods;
mod session;
