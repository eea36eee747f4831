//! `xahau-email`: the command line.

#[allow(dead_code)]
mod demo {
    pub mod dns;
    pub mod mail;
}

fn main() {}
