//! The chain on its own: driven by events, without a store, a clock or a thread.

mod commits;
mod driver;
mod forgeries;
mod keys;
mod mails;
mod places;
mod restarts;
mod rotations;
mod rulings;
mod validators;
mod votes;
