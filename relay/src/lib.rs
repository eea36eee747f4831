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
//! | [`control`] | the control socket: operators work on the live queue |
//! | [`config`] | the one configuration file |
//! | [`meter`] | names of the metrics |

pub mod clock;
pub mod config;
pub mod control;
pub mod desk;
pub mod letter;
pub mod limits;
pub mod meter;
pub mod queue;
