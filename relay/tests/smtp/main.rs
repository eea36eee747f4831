//! The SMTP and LMTP doors: dialogues, properties, and real sockets.

mod desk;
mod dialogues;
mod property;
mod script;
mod server;
