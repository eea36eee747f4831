//! Tests of the node: the store under cuts and, on top of it, whole nodes.

mod dns;
mod node;
mod served;
mod store;
mod world;
