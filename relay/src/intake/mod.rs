//! Mail in: five channels, one judgement.
//!
//! A listener (SMTP, LMTP) or reader (IMAP, Maildir, pipe) makes a [`crate::mail::IncomingMail`] of what
//! comes and hands it to a [`handler`]; [`accept`] is the handler that judges it and keeps it.
//!
//! | part | does |
//! |---|---|
//! | [`accept`] | judges mails and keeps those that can become a payment |
//! | `bare` | mail without an envelope |
//! | [`handler`] | what every channel asks: may this recipient, take this mail |
//! | [`imap`] | a mailbox elsewhere |
//! | [`maildir`] | a folder that another program delivers to |
//! | [`pipe`] | one mail from standard input to the daemon |
//! | [`smtp`] | the SMTP and LMTP listeners |

pub mod accept;
mod bare;
pub mod handler;
pub mod imap;
pub mod maildir;
pub mod pipe;
pub mod smtp;
