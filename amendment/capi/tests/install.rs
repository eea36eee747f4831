//! What install.sh puts below a prefix: headers, a shared library that exports our functions alone, a static one in
//! which every other name is local, and what pkg-config reads. Takes the libraries that cargo has just built beside
//! this test.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    test.parent().expect("a folder").to_owned()
}

fn said(command: &mut Command) -> String {
    let output = command.output().expect("a program");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// The functions of the header.
fn functions() -> BTreeSet<String> {
    let header = std::fs::read_to_string(root().join("include/xahau_email.h")).expect("the header");
    let code = header.lines().filter(|line| !line.starts_with("//"));
    let words = code.flat_map(|line| line.split([' ', '*']));
    let names = words.filter_map(|word| word.strip_prefix("xe_")?.split_once('('));
    names.map(|(name, _)| format!("xe_{name}")).collect()
}

/// The names that a library offers.
fn offered(flag: &str, library: &Path) -> BTreeSet<String> {
    let names = said(
        Command::new("nm")
            .args([flag, "--extern-only", "--defined-only"])
            .arg(library),
    );
    let rows = names.lines().filter_map(|line| line.split(' ').nth(2));
    rows.map(str::to_owned).collect()
}

#[test]
fn installed_libraries_offer_our_functions_alone_and_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let prefix = folder.path().join("usr");
    said(
        Command::new(root().join("install.sh"))
            .arg("--from")
            .arg(built())
            .arg(&prefix),
    );
    let functions = functions();
    assert!(functions.len() > 20, "{functions:?}");
    assert_eq!(
        offered("-D", &prefix.join("lib/libxahau_email.so")),
        functions,
        "shared"
    );
    assert_eq!(
        offered("-g", &prefix.join("lib/libxahau_email.a")),
        functions,
        "static"
    );
    let soname = said(
        Command::new("objdump")
            .arg("-p")
            .arg(prefix.join("lib/libxahau_email.so")),
    );
    assert!(soname.contains("libxahau_email.so.1"), "{soname}");
    let package = std::fs::read_to_string(prefix.join("lib/pkgconfig/xahau_email.pc")).expect("pkg-config");
    for line in ["-lxahau_email", "Cflags: -I${includedir}", "Version: 1.1"] {
        assert!(package.contains(line), "{line}: {package}");
    }
    for (name, library) in [("static", "libxahau_email.a"), ("shared", "libxahau_email.so")] {
        let program = folder.path().join(name);
        let mut compiler = Command::new("cc");
        compiler.arg("-I").arg(prefix.join("include"));
        compiler
            .arg(root().join("tests/programs/version.c"))
            .arg(prefix.join("lib").join(library));
        said(compiler.args(["-lpthread", "-ldl", "-lm", "-o"]).arg(&program));
        let told = said(Command::new(&program).env("LD_LIBRARY_PATH", prefix.join("lib")));
        assert_eq!(told, "ABI 1, rules 1\n", "{name}");
    }
}
