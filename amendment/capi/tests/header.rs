//! include/xahau_email.h is what the source says. `XAHAU_EMAIL_WRITE_GOLDEN=1 cargo test -p xahau-email-capi --test
//! header` writes it anew.

#![allow(clippy::expect_used)]

use std::path::Path;

#[test]
fn header_is_what_the_source_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let bindings = cbindgen::Builder::new()
        .with_crate(root)
        .with_config(config)
        .generate()
        .expect("the source");
    let mut written = Vec::new();
    bindings.write(&mut written);
    let written = String::from_utf8(written).expect("text");
    let path = root.join("include/xahau_email.h");
    if std::env::var_os("XAHAU_EMAIL_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &written).expect("written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == written,
        "include/xahau_email.h differs from the source: write it anew with XAHAU_EMAIL_WRITE_GOLDEN=1"
    );
}
