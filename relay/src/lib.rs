//! The cc-relay: takes mail by SMTP, LMTP, IMAP, pipe and Maildir, keeps it in a durable queue, hands it to
//! nodes until it is validated or out of time, and answers in the thread.
//!
//! It holds no key to anyone's money: it can submit a mail or not submit it. Spec: 13.
//!
//! | part | does |
//! |---|---|
//! | [`check`] | `relay check`: whether everything around the relay is in order |
//! | [`clock`] | time, handed in |
//! | [`config`] | the configuration file: reading, checking, making a first one |
//! | [`control`] | the control socket: operators work on the live queue |
//! | [`courier`] | hands the queue's mails to nodes until they are final |
//! | [`daemon`] | composition: starts and stops the parts in order |
//! | [`intake`] | mail in: SMTP, LMTP, IMAP, Maildir, pipe, and the judgement on each mail |
//! | [`limits`] | every bound |
//! | [`mail`] | a mail with its envelope, from any channel |
//! | [`meter`] | names of the metrics |
//! | [`notices`] | the mails that the relay writes to senders |
//! | [`queue`] | the durable queue |
//! | [`resolver`] | the resolver that `dns.server` names |

pub mod check;
pub mod clock;
pub mod config;
pub mod control;
pub mod courier;
pub mod daemon;
pub mod intake;
pub mod limits;
pub mod mail;
pub mod meter;
pub mod notices;
pub mod queue;
pub mod resolver;
