//! The network under a deterministic runtime: virtual time, a lossy network, nodes that die.

mod machine;
mod simulation;
