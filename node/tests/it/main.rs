//! Tests of the node: the store under cuts and, on top of it, whole nodes.

mod store;
