//! The network under a deterministic runtime: virtual time, a lossy network, nodes that die, nodes that lie.

mod amendments;
mod byzantine;
mod check;
mod decisions;
mod dice;
mod links;
mod machine;
mod mails;
mod operators;
mod simulation;
mod tally;
mod world;
mod zone;
