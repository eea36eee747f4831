//! The SMTP and LMTP listeners: dialogues, properties, and real sockets.

mod dialogues;
mod handler;
mod property;
mod script;
mod server;
