//! `xahau-email`: the command line.

fn main() {}
