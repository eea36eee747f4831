//! The cc-relay: takes mail by SMTP, LMTP, IMAP, pipe and Maildir, keeps it in a durable queue, hands it to nodes until
//! it is validated or out of time, and answers in the thread.
//!
//! It holds no key of anybody's money: it can submit a mail or not submit it. Spec: 13.
//!
//! | part | does |
//! |---|---|
//! | [`letter`] | a mail with its envelope, from whatever door |
//! | [`desk`] | what every door asks: may this recipient, take this letter |
//! | [`queue`] | the durable queue |
//! | [`config`] | the one configuration file |
//! | [`config_file`] | reads it, and tells what is wrong with it |
//! | [`config_rules`] | what its values must fulfil |
//! | [`http`] | metrics and health over HTTP |
//! | [`meter`] | names of the metrics |
//! | [`systemd`] | words to the service manager |

pub mod clock;
pub mod config;
pub mod config_file;
pub mod config_rules;
pub mod desk;
pub mod http;
pub mod letter;
pub mod limits;
pub mod meter;
pub mod queue;
pub mod systemd;
