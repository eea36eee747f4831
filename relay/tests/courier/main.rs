//! The courier between a queue and nodes: real nodes behind their real door, and fake ones that misbehave.

mod failover;
mod fake;
mod real;
mod world;
