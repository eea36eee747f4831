//! The cc-relay: takes mail by SMTP, LMTP, IMAP, pipe and Maildir, keeps it in a durable queue, hands it to nodes until
//! it is validated or out of time, and answers in the thread.
//!
//! It holds no key of anybody's money: it can submit a mail or not submit it. Spec: 13.
//!
//! | part | does |
//! |---|---|
//! | [`answers`] | answers in the thread, and balances and histories that were asked for |
//! | [`letter`] | a mail with its envelope, from whatever door |
//! | [`desk`] | what every door asks: may this recipient, take this letter |
//! | [`door`] | the desk itself: judges letters and keeps them |
//! | [`queue`] | the durable queue |
//! | [`courier`] | hands the queue's mails to nodes until they are final |
//! | [`config`] | the one configuration file |
//! | [`imap`] | a mailbox elsewhere |
//! | [`maildir`] | a folder that another program delivers to |
//! | [`pipe`] | one mail from standard input to the daemon |
//! | [`meter`] | names of the metrics |
//! | [`smtp`] | the SMTP and LMTP doors |
//! | [`config_file`] | reads it, and tells what is wrong with it |
//! | [`config_rules`] | what its values must fulfil |
//! | [`http`] | metrics and health over HTTP |
//! | [`meter`] | names of the metrics |
//! | [`systemd`] | words to the service manager |

mod bare;
pub mod answers;
pub mod clock;
pub mod config;
pub mod courier;
pub mod desk;
pub mod door;
pub mod imap;
pub mod config_file;
pub mod config_rules;
pub mod desk;
pub mod http;
pub mod letter;
pub mod limits;
pub mod maildir;
pub mod meter;
pub mod pipe;
pub mod queue;
pub mod smtp;
pub mod systemd;
