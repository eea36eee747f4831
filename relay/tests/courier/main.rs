//! The courier between a queue and nodes: real nodes behind their real door, and fake ones that misbehave.

#[allow(dead_code)]
#[path = "../../../src/demo/mail.rs"]
mod mail;

mod failover;
mod fake;
mod real;
mod world;
