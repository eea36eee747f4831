//! `conformance`: other programs under the vectors, from one that answers well to those that die, hang or talk
//! nonsense.

use crate::support::{Run, program, run, run_with_input};
use crate::{read, root};
use conformance::kinds::KINDS;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// A folder with the pack.
fn pack() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let done = run(&["conformance", "export", path(folder.path())]);
    assert_eq!(done.code, 0, "{}", done.err);
    folder
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Checks a shell command; `$PROGRAM` is the program. It gets the given arguments before `--`.
fn check(pack: &Path, arguments: &[&str], command: &str) -> Run {
    let output = program()
        .args(["conformance", "check", path(pack)])
        .args(arguments)
        .args(["--", "sh", "-c", command])
        .env("PROGRAM", env!("CARGO_BIN_EXE_xahau-email"))
        .output()
        .expect("the program runs");
    Run {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

const ADDRESSES: [&str; 2] = ["--kind", "address"];
const ONE_ADDRESS: [&str; 4] = ["--kind", "address", "--name", "recipient alice@gmail.com"];

#[test]
fn agrees_with_itself_and_counts_what_is_not_supported() {
    let pack = pack();
    // Those of mails are asked by the test of the crate and by the one below.
    let is_asked = |kind: &str| !matches!(kind, "verdict" | "normal_form" | "transaction");
    let kinds: Vec<&str> = KINDS
        .iter()
        .map(|kind| kind.name)
        .filter(|kind| is_asked(kind))
        .collect();
    let mut arguments = vec!["--json"];
    arguments.extend(kinds.iter().flat_map(|kind| ["--kind", kind]));
    let all = check(pack.path(), &arguments, "exec $PROGRAM conformance answer");
    assert_eq!(all.code, 0, "{}{}", all.out, all.err);
    let found = all.json();
    let agreed = found["agreed"].as_object().expect("counts");
    let index: Value =
        serde_json::from_str(&std::fs::read_to_string(pack.path().join("index.json")).expect("index"))
            .expect("JSON");
    for kind in index["kinds"].as_array().expect("kinds") {
        let name = kind["kind"].as_str().expect("a name");
        let asked = is_asked(name).then_some(&kind["vectors"]);
        assert_eq!(agreed.get(name), asked, "{name}");
    }
    assert_eq!(
        (&found["unsupported"], &found["fault"]),
        (&json!({}), &Value::Null)
    );

    // A program that knows addresses alone.
    let addresses_alone = r#"$PROGRAM conformance answer | sed -u -e '/"canonical"/b' -e '/"rule":"2/b' -e \
's/^{"id":\([0-9]*\),.*/{"unsupported":true,"id":\1}/'"#;
    let some = check(
        pack.path(),
        &[
            "--kind",
            "verdict",
            "--kind",
            "address",
            "--name",
            "mail/c002",
            "--name",
            "recipient alice",
        ],
        addresses_alone,
    );
    assert_eq!(some.code, 0, "{}{}", some.out, some.err);
    assert!(some.out.contains("unsupported: 1 of verdict"), "{}", some.out);
    let none = check(pack.path(), &["--name", "mail/c002"], addresses_alone);
    assert_eq!(none.code, 2, "{}{}", none.out, none.err);
    assert!(none.err.contains("nothing was compared"), "{}", none.err);
}

#[test]
fn answers_may_come_in_any_order() {
    let pack = pack();
    let arguments = [
        "--kind",
        "address",
        "--name",
        "recipient alice",
        "--name",
        "sender alice",
        "--name",
        "carol",
    ];
    let in_order = check(pack.path(), &arguments, "exec $PROGRAM conformance answer");
    // All of them are open at once, so a program may read them all before it answers the last one first.
    let count = in_order.out.split(' ').next().expect("a count");
    let backwards = format!("head -n {count} | $PROGRAM conformance answer | tac; cat");
    let found = check(pack.path(), &arguments, &backwards);
    assert_eq!((found.code, found.out), (0, in_order.out), "{}", found.err);
}

#[test]
fn shows_what_a_wrong_program_answers() {
    let pack = pack();
    // It takes the dots of every domain, as for Gmail.
    let wrong = r#"sed -u 's/a\.\.b@example/ab@example/' | $PROGRAM conformance answer"#;
    let found = check(pack.path(), &ADDRESSES, wrong);
    assert_eq!(found.code, 1, "{}{}", found.out, found.err);
    let lines: Vec<&str> = found.out.lines().collect();
    assert_eq!(lines[0], "differs: address sender a..b@example.org");
    let member = "  canonical: expected \"a..b@example.org\", got \"ab@example.org\"";
    assert!(lines.contains(&member), "{}", found.out);
    assert!(found.out.contains(" 2 differ, 0 unsupported"), "{}", found.out);

    let as_json = check(pack.path(), &["--kind", "address", "--json"], wrong);
    let differences = &as_json.json()["differences"];
    assert_eq!(differences.as_array().map(Vec::len), Some(2));
    assert_eq!(differences[0]["expected"]["canonical"], json!("a..b@example.org"));
    assert_eq!(differences[0]["got"]["canonical"], json!("ab@example.org"));

    let fails = r#"sed -u 's/^{"id":\([0-9]*\),.*/{"id":\1,"error":"out of luck"}/'"#;
    let found = check(pack.path(), &ONE_ADDRESS, fails);
    assert_eq!(found.code, 1);
    assert!(found.out.contains("got an error: out of luck"), "{}", found.out);
    let more = r#"$PROGRAM conformance answer | sed -u 's/"tag":null/"tag":null,"more":1/'"#;
    let found = check(pack.path(), &ONE_ADDRESS, more);
    assert_eq!(found.code, 1);
    assert!(
        found.out.contains("  more: expected none, got 1"),
        "{}",
        found.out
    );
    let ignored = [ONE_ADDRESS.as_slice(), &["--ignore", "more"]].concat();
    assert_eq!(check(pack.path(), &ignored, more).code, 0);
}

/// Shell commands that fail at their one question, and what is said of them.
const FAULTS: [(&str, &str); 12] = [
    (
        "read -r line; exit 3",
        "the program ended (exit status: 3) at address recipient alice@gmail.com",
    ),
    (
        "read -r line; kill -9 $$",
        "(signal: 9 (SIGKILL)) at address recipient alice@gmail.com",
    ),
    (
        "exec 1>&-; exec sleep 60",
        "it closed its standard output) at address recipient",
    ),
    (
        SILENT,
        "the program said nothing for 1 s at address recipient alice@gmail.com",
    ),
    (
        "echo hello; exec cat >/dev/null",
        "no answer (no JSON) at address recipient alice@gmail.com: \"hello\"",
    ),
    ("echo []; exec cat >/dev/null", "no JSON object"),
    (
        r#"echo '{"output":{}}'; exec cat >/dev/null"#,
        "no \"id\" of a question",
    ),
    (r#"echo '{"id":0}'; exec cat >/dev/null"#, "not one of \"output\""),
    (
        r#"echo '{"id":99,"output":{}}'; exec cat >/dev/null"#,
        "a question that was not open",
    ),
    (
        "yes x | tr -d '\\n' | head -c 3000000; exec cat >/dev/null",
        "a line of more than 1048576 bytes at address recipient alice@gmail.com",
    ),
    (
        "read -r line; echo \"$line\" | $PROGRAM conformance answer; echo more; cat",
        "once too often: \"more\"",
    ),
    (
        "read -r line; echo \"$line\" | $PROGRAM conformance answer; exit 9",
        "answered everything, and then ended with exit status: 9",
    ),
];
const SILENT: &str = "exec sleep 60";

#[test]
fn tells_how_a_program_fails_and_at_what() {
    let pack = pack();
    for (command, expected) in FAULTS {
        // Only one of them is to be waited for; a busy machine must not make silence of another fault.
        let timeout = if command == SILENT { "1" } else { "60" };
        let arguments = [ONE_ADDRESS.as_slice(), &["--timeout", timeout]].concat();
        let found = check(pack.path(), &arguments, command);
        assert_eq!(found.code, 2, "{command}: {}{}", found.out, found.err);
        assert!(found.err.contains(expected), "{command}: {}", found.err);
    }
    let absent = run(&[
        "conformance",
        "check",
        path(pack.path()),
        "--json",
        "--",
        "/nowhere/program",
    ]);
    assert_eq!(absent.code, 2);
    let fault = absent.json()["fault"].as_str().map(str::to_owned);
    assert!(
        fault.is_some_and(|fault| fault.contains("/nowhere/program does not start")),
        "{}",
        absent.out
    );
}

#[test]
fn refuses_filters_that_leave_nothing_and_folders_without_a_pack() {
    let pack = pack();
    let kind = check(pack.path(), &["--kind", "riddle"], "cat");
    assert_eq!(kind.code, 2);
    assert!(
        kind.err
            .contains("--kind riddle: the pack has no such kind, but address, "),
        "{}",
        kind.err
    );
    let name = check(pack.path(), &["--name", "no such name"], "cat");
    assert_eq!(name.code, 2);
    assert!(name.err.contains("no vector of the pack"), "{}", name.err);
    let empty = tempfile::tempdir().expect("a folder");
    let absent = check(empty.path(), &[], "cat");
    assert_eq!(absent.code, 2);
    assert!(absent.err.contains("conformance export"), "{}", absent.err);
    std::fs::write(empty.path().join("letter"), "dear").expect("written");
    let occupied = run(&["conformance", "export", path(empty.path())]);
    assert_eq!(occupied.code, 2);
    assert!(
        occupied.err.contains("is not empty and holds no pack"),
        "{}",
        occupied.err
    );
    let nonsense = run_with_input(
        &["conformance", "answer"],
        b"what?\n{\"id\":1,\"kind\":\"address\",\"input\":{}}\n",
    );
    assert!(
        nonsense.out.starts_with("{\"error\":\"no JSON"),
        "{}",
        nonsense.out
    );
    assert!(nonsense.out.contains("no readable member"), "{}", nonsense.out);
}

/// Commands of the document's blocks with what they print.
#[test]
fn the_session_of_the_document_goes_as_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = Path::new(env!("CARGO_BIN_EXE_xahau-email"))
        .parent()
        .expect("a folder");
    let search = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let text = read("docs/conformance.md");
    let code = text
        .lines()
        .map(|line| line.strip_prefix("    "))
        .collect::<Vec<_>>();
    let mut commands = 0;
    for (at, line) in code.iter().enumerate() {
        let Some(command) = line.and_then(|line| line.strip_prefix("$ ")) else {
            continue;
        };
        let printed = code[at + 1..]
            .iter()
            .map_while(|line| line.filter(|line| !line.starts_with("$ ")));
        let expected: String = printed.map(|line| format!("{line}\n")).collect();
        let done = Command::new("sh")
            .args(["-c", command])
            .env("PATH", &search)
            .current_dir(&folder)
            .output();
        let done = done.expect("sh runs");
        assert_eq!(String::from_utf8_lossy(&done.stdout), expected, "{command}");
        commands += 1;
    }
    assert_eq!(commands, 4);
}

/// The reading of the rules in Python shares no code with the program: it is asked everything.
#[test]
fn the_python_reading_agrees() {
    let has_python = Command::new("python3")
        .arg("-V")
        .output()
        .is_ok_and(|done| done.status.success());
    if !has_python {
        let why = "python3 is missing (tests/tools.sh installs it)";
        assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{why}");
        // Not eprintln, whose words are not shown where a test passes.
        let _ = writeln!(
            std::io::stderr(),
            "\nNOTICE: the reading in Python was not asked: {why}\n"
        );
        return;
    }
    let pack = pack();
    let script = root().join("tests/oracle/conformance.py");
    let asks = [
        "conformance",
        "check",
        path(pack.path()),
        "--timeout",
        "120",
        "--",
        "python3",
        path(&script),
    ];
    let found = run(&asks);
    assert_eq!(found.code, 0, "{}{}", found.out, found.err);
    assert!(found.out.contains("0 differ, 0 unsupported"), "{}", found.out);
}
