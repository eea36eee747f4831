//! The SMTP and LMTP listeners.
//!
//! | part | does |
//! |---|---|
//! | [`connection`] | carries bytes between a stream and its session |
//! | [`content`] | finds the end of DATA, and what is wrong with the content |
//! | [`mod@line`] | cuts command lines |
//! | [`reply`] | writes replies |
//! | [`server`] | the sockets |
//! | [`session`] | the protocol, without sockets and clock |
//! | [`tls`] | the certificate files |
//!
//! RFC 5321 (SMTP), 2033 (LMTP), 2920 (PIPELINING), 1870 (SIZE), 6152 (8BITMIME), 3030 (CHUNKING), 3207
//! (STARTTLS), 2034 (ENHANCEDSTATUSCODES). SMTPUTF8 (RFC 6531) is not offered.

pub mod connection;
pub mod content;
pub mod line;
pub mod reply;
pub mod server;
pub mod session;
pub mod tls;
