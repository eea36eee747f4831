//! The courier between a queue and nodes: real nodes behind their real server, and fake ones that misbehave.

mod failover;
mod fake;
mod real;
mod world;
