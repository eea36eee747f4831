//! No circle of files: within a crate, what a file uses never leads back to it, so that each can be read
//! after those below it.

use crate::source::crates;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn no_file_uses_what_uses_it() {
    let circles: BTreeMap<String, BTreeSet<BTreeSet<String>>> = crates()
        .into_iter()
        .map(|(name, read)| (name, read.circles()))
        .filter(|(_, circles)| !circles.is_empty())
        .collect();
    assert_eq!(circles, BTreeMap::new(), "files that use each other");
}
