//! Programs in C and C++ that link the library (tests/programs): over the attack set they come to the verdicts of its
//! expectations, which no reading of ours made; bad input has its code; mutated input and 64 threads find nothing.
//!
//! What is linked is the static library that cargo has just built beside this test. The sanitizers see all of C and
//! C++, each allocation and free of Rust, and what Rust hands to libc; they do not see each load within Rust,
//! valgrind does. XAHAU_EMAIL_LONG=1, with --release, mutates 1,000,000 inputs, 10,000 of them under valgrind, and
//! adds ThreadSanitizer. Without g++ or valgrind: a notice; where CI is set, a failure.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "judged/cases.rs"]
mod cases;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use cases::{Cases, Expected};
use serde_json::Value;

/// The attack set does not shrink below this.
const CASES_MIN: usize = 1_200;
/// Mutated inputs of an ordinary run.
const MUTATIONS: &str = "2000";
const MUTATIONS_LONG: &str = "1000000";
const MUTATIONS_VALGRIND: &str = "10000";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_long() -> bool {
    std::env::var_os("XAHAU_EMAIL_LONG").is_some()
}

/// Whether a tool is there; where CI is set it has to be.
fn has(tool: &str) -> bool {
    if Command::new(tool).arg("--version").output().is_ok() {
        return true;
    }
    let is_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(!is_ci, "{tool} is missing: tests/tools.sh installs it");
    // Not eprintln, whose words are not shown where a test passes.
    let notice = "a part of the C interface was not tried";
    let _ = writeln!(
        std::io::stderr(),
        "\nNOTICE: {tool} is missing (tests/tools.sh installs it): {notice}\n"
    );
    false
}

/// The static library beside this test.
fn library() -> PathBuf {
    let here = std::env::current_exe().expect("a path");
    here.parent().expect("a folder").join("libxahau_email.a")
}

/// The cases, and the file that programs read them from.
fn the_cases() -> &'static (Cases, PathBuf) {
    static CASES: OnceLock<(Cases, PathBuf)> = OnceLock::new();
    CASES.get_or_init(|| {
        let cases = cases::all();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases.bin");
        std::fs::write(&path, &cases.bytes).expect("written");
        (cases, path)
    })
}

/// Compiles a program with every warning an error, and links it.
fn compile(source: &str, name: &str, flags: &[&str]) -> PathBuf {
    let (compiler, standard) = if source.ends_with(".cpp") {
        ("g++", "-std=c++17")
    } else {
        ("cc", "-std=c11")
    };
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output = Command::new(compiler)
        .args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g"])
        .args(flags)
        .arg("-I")
        .arg(root().join("include"))
        .arg(root().join("tests/programs").join(source))
        .arg(library())
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&program)
        .output()
        .expect("a compiler");
    assert!(
        output.status.success(),
        "{source}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    program
}

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("a program");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    output
}

/// What differs between a printed line and what is expected.
fn difference(expected: &Expected, words: &[&str]) -> Option<String> {
    match expected {
        Expected::Words(expected) => {
            (words != expected.as_slice()).then(|| format!("{words:?}, not {expected:?}"))
        }
        Expected::Mail(expected) => {
            let [code, _, json] = words else {
                return Some(format!("{words:?}"));
            };
            let told: Value = serde_json::from_str(json).expect("JSON");
            let qualifies = match told["qualifies"].as_bool() {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            };
            let is_yes = expected["qualifies"] == "yes";
            let same = *code == "0"
                && expected["qualifies"] == qualifies
                && expected["rule"] == told["rule"]
                && (!is_yes || expected["email_id"] == told["email_id"])
                && (!is_yes || expected["instruction"] == told["instruction"]);
            (!same).then(|| format!("{qualifies} {} {code}, not {expected}", told["rule"]))
        }
    }
}

/// What the C program prints.
fn judged_in_c() -> &'static str {
    static PRINTED: OnceLock<String> = OnceLock::new();
    PRINTED.get_or_init(|| judged(&compile("judge.c", "judge-c", &[])))
}

fn judged(program: &Path) -> String {
    let (_, file) = the_cases();
    let output = run(Command::new(program).arg(file));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn c_program_comes_to_the_verdicts_of_the_attack_set() {
    let (cases, _) = the_cases();
    assert!(
        cases.expected.len() >= CASES_MIN,
        "{} cases",
        cases.expected.len()
    );
    let printed = judged_in_c();
    let mut wrong = Vec::new();
    for line in printed.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        let (name, words) = words.split_first().expect("a name");
        let expected = cases.expected.get(*name).expect("one of the cases");
        wrong.extend(difference(expected, words).map(|what| format!("{name}: {what}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(printed.lines().count(), cases.expected.len());
}

#[test]
fn cpp_program_prints_what_the_c_program_prints() {
    if has("g++") {
        let printed = judged(&compile("judge.cpp", "judge-cpp", &[]));
        assert!(printed == judged_in_c(), "the C++ header comes to something else");
    }
}

const CAREFUL: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

#[test]
fn bad_input_has_its_code() {
    let (_, file) = the_cases();
    run(Command::new(compile("bad.c", "bad", &CAREFUL)).arg(file));
    if is_long() && has("valgrind") {
        let plain = compile("bad.c", "bad-plain", &[]);
        run(Command::new("valgrind")
            .args(["-q", "--error-exitcode=9"])
            .arg(plain)
            .arg(file));
    }
}

#[test]
fn mutated_input_reads_and_writes_nothing_out_of_bounds() {
    let (_, file) = the_cases();
    let count = if is_long() { MUTATIONS_LONG } else { MUTATIONS };
    run(Command::new(compile("mutate.c", "mutate", &CAREFUL))
        .arg(file)
        .args([count, "20261130"]));
    if is_long() && has("valgrind") {
        let plain = compile("mutate.c", "mutate-plain", &[]);
        let mut command = Command::new("valgrind");
        command
            .args(["-q", "--error-exitcode=9", "--leak-check=full"])
            .arg(plain)
            .arg(file);
        run(command.args([MUTATIONS_VALGRIND, "7"]));
    }
}

#[test]
fn sixty_four_threads_come_to_the_same() {
    let (_, file) = the_cases();
    run(Command::new(compile("threads.c", "threads", &CAREFUL)).arg(file));
    if is_long() {
        run(Command::new(compile("threads.c", "threads-tsan", &["-fsanitize=thread"])).arg(file));
    }
}
