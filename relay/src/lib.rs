//! The cc-relay: takes mail by SMTP, LMTP, IMAP, pipe and Maildir, keeps it in a durable queue, hands it to nodes until
//! it is validated or out of time, and answers in the thread.
//!
//! It holds no key of anybody's money: it can submit a mail or not submit it. Spec: 13.
//!
//! | part | does |
//! |---|---|
//! | [`check`] | `relay check`: whether everything around the relay is as it must be |
//! | [`clock`] | time, handed in |
//! | [`config`] | the configuration file: reading, checking, making a first one |
//! | [`control`] | the control socket: operators work on the live queue |
//! | [`courier`] | hands the queue's mails to nodes until they are final |
//! | [`daemon`] | composition: starts and stops the parts in order |
//! | `descriptors` | file descriptors: enough for the connections and the rest |
//! | [`http`] | metrics and health over HTTP |
//! | [`intake`] | mail in: SMTP, LMTP, IMAP, Maildir, pipe, and the judgement on each mail |
//! | [`limits`] | every bound |
//! | [`mail`] | a mail with its envelope, from any channel |
//! | [`meter`] | names of the metrics |
//! | [`notices`] | the mails that the relay writes to senders |
//! | [`queue`] | the durable queue |
//! | [`systemd`] | the notification protocol of the service manager |

pub mod check;
pub mod clock;
pub mod config;
pub mod control;
pub mod courier;
pub mod daemon;
mod descriptors;
pub mod http;
pub mod intake;
pub mod limits;
pub mod mail;
pub mod meter;
pub mod notices;
pub mod queue;
pub mod systemd;
