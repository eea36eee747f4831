//! Tests of the node: the store under cuts and, on top of it, whole nodes.

mod amendments;
mod broken;
mod clock;
mod damage;
mod day;
mod dns;
mod fetched;
mod freezes;
mod full_disk;
mod history;
mod node;
mod passed_on;
mod served;
mod store;
mod world;
