//! The cc-relay: takes mail by SMTP, LMTP, IMAP, pipe and Maildir, keeps it in a durable queue, hands it to nodes until
//! it is validated or out of time, and answers in the thread.
//!
//! It holds no key of anybody's money: it can submit a mail or not submit it. Spec: 13.
//!
//! | part | does |
//! |---|---|
//! | [`answers`] | answers in the thread, and balances and histories that were asked for |
//! | `bare` | mail without an envelope |
//! | [`check`] | whether everything around the relay is as it must be |
//! | [`clock`] | time, handed in |
//! | [`config`] | the one configuration file |
//! | [`config_file`] | reads it, and tells what is wrong with it |
//! | [`config_rules`] | what its values must fulfil |
//! | [`config`] | the one configuration file |
//! | [`control`] | the control socket: operators work on the live queue |
//! | [`courier`] | hands the queue's mails to nodes until they are final |
//! | [`daemon`] | the parts put together |
//! | `descriptors` | file descriptors: enough for the connections and the rest |
//! | [`desk`] | what every door asks: may this recipient, take this letter |
//! | [`dkim_key`] | the key of the answers |
//! | [`door`] | the desk itself: judges letters and keeps them |
//! | [`http`] | metrics and health over HTTP |
//! | [`imap`] | a mailbox elsewhere |
//! | [`letter`] | a mail with its envelope, from whatever door |
//! | [`limits`] | every bound |
//! | [`maildir`] | a folder that another program delivers to |
//! | [`meter`] | names of the metrics |
//! | [`names`] | look-ups for the check |
//! | [`pipe`] | one mail from standard input to the daemon |
//! | [`queue`] | the durable queue |
//! | [`quickstart`] | a first configuration, key and list of records |
//! | [`records`] | what to publish in DNS |
//! | [`smtp`] | the SMTP and LMTP doors |
//! | [`systemd`] | words to the service manager |

pub mod answers;
mod bare;
pub mod check;
pub mod clock;
pub mod config;
pub mod config_file;
pub mod config_rules;
pub mod control;
pub mod courier;
pub mod daemon;
mod descriptors;
pub mod desk;
pub mod dkim_key;
pub mod door;
pub mod http;
pub mod imap;
pub mod letter;
pub mod limits;
pub mod maildir;
pub mod meter;
pub mod names;
pub mod pipe;
pub mod queue;
pub mod quickstart;
pub mod records;
pub mod smtp;
pub mod systemd;
