//! Removing a check must make a named test fail. `tests/mutants.toml` lists the checks; here each is switched
//! off in a copy of the workspace, and its test is run.
//!
//! All mutants are built at once: an expression becomes `(if crate::mutant_is(N) { mutant } else { original
//! })`, and the number comes from the environment. So a run costs one build and then a test per mutant.

use crate::{files, read, root};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// Says that mutants are to be run. `.ci/run` sets it.
const RUN: &str = "XAHAU_EMAIL_MUTANTS";
/// Names the mutant to the code under test; `SWITCH` reads it.
const CHOICE: &str = "XAHAU_EMAIL_MUTANT";
/// The list does not shrink below this.
const MUTANTS_MIN: usize = 300;
/// What makes the number of a mutant known to the code under test.
const SWITCH: &str = r#"
/// Whether this mutant is the one to run.
pub(crate) fn mutant_is(number: usize) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    let chosen = || std::env::var("XAHAU_EMAIL_MUTANT").ok()?.parse().ok();
    *CHOSEN.get_or_init(chosen) == Some(number)
}
"#;

/// One row of `tests/mutants.toml`; the file's head says what the members mean.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mutant {
    pub name: String,
    pub rule: String,
    pub file: String,
    original: String,
    context: Option<String>,
    mutant: String,
    killed_by: String,
}

/// The list.
pub(crate) fn mutants() -> Vec<Mutant> {
    list("tests/mutants.toml")
}

/// The mutants of a file.
pub(crate) fn list(file: &str) -> Vec<Mutant> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        mutant: Vec<Mutant>,
    }
    let list: List = toml::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    list.mutant
}

/// Where a text stands; it must stand there once.
fn only_place(text: &str, wanted: &str) -> Result<Range<usize>, String> {
    let mut found = text.match_indices(wanted);
    match (found.next(), found.next()) {
        (Some((start, _)), None) => Ok(start..start + wanted.len()),
        (None, _) => Err(format!("`{wanted}` is not there")),
        (Some(_), Some(_)) => Err(format!("`{wanted}` is there more than once")),
    }
}

impl Mutant {
    /// Where its expression stands in its file.
    pub(crate) fn place(&self, source: &str) -> Result<Range<usize>, String> {
        let Some(context) = &self.context else {
            return only_place(source, &self.original);
        };
        let outer = only_place(source, context)?;
        let inner = only_place(context, &self.original)?;
        Ok(outer.start + inner.start..outer.start + inner.end)
    }

    fn killer(&self) -> Killer<'_> {
        match *self.killed_by.split(' ').collect::<Vec<_>>() {
            [folder] => Killer::Case(folder),
            [package, binary, test] => Killer::Test(Test {
                package,
                binary,
                test,
            }),
            _ => panic!("{}: killed_by = {:?}", self.name, self.killed_by),
        }
    }

    /// What a reader needs to find it.
    fn shown(&self) -> String {
        let source = read(&self.file);
        let line = self
            .place(&source)
            .map_or(0, |place| source[..place.start].lines().count());
        format!(
            "{} (Spec: {}), {}:{line}: `{}` as `{}`",
            self.name, self.rule, self.file, self.original, self.mutant
        )
    }
}

/// A test of a crate: folder of the crate, name of the binary (`lib`: the tests within the crate), name of
/// the test.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Test<'m> {
    package: &'m str,
    binary: &'m str,
    test: &'m str,
}

/// Which test has to fail.
enum Killer<'m> {
    /// The one over fixtures/cases, naming this folder.
    Case(&'m str),
    Test(Test<'m>),
}

impl<'m> Killer<'m> {
    fn test(&self) -> Test<'m> {
        match self {
            Killer::Case(_) => Test {
                package: "amendment",
                binary: "cases",
                test: "verifier_reads_every_case_as_expected",
            },
            Killer::Test(test) => *test,
        }
    }

    /// Whether a run of its test failed as it has to.
    fn has_failed(&self, output: &Output) -> bool {
        let said = String::from_utf8_lossy(&output.stdout);
        let failed = said.contains(&format!("test {} ... FAILED", self.test().test));
        let named = match self {
            Killer::Case(folder) => said.lines().any(|line| line.starts_with(&format!("{folder}: "))),
            Killer::Test(_) => true,
        };
        !output.status.success() && failed && named
    }
}

/// An expression with the number and the text of its mutant.
struct Edit<'m> {
    place: Range<usize>,
    number: usize,
    mutant: &'m str,
}

/// The text of `place` with the edits in it, which lie within each other or apart. Of two for one expression
/// the second stands in the first.
fn rewritten(source: &str, place: Range<usize>, edits: &[Edit<'_>]) -> String {
    let mut text = String::new();
    let mut at = place.start;
    let mut rest = edits;
    while let Some((outer, others)) = rest.split_first() {
        let within = others
            .iter()
            .take_while(|edit| edit.place.start < outer.place.end);
        let (inner, after) = others.split_at(within.count());
        for edit in inner {
            assert!(
                edit.place.end <= outer.place.end,
                "two mutants overlap: {}",
                edit.mutant
            );
        }
        text.push_str(&source[at..outer.place.start]);
        let original = rewritten(source, outer.place.clone(), inner);
        let (number, mutant) = (outer.number, outer.mutant);
        text.push_str(&format!(
            "(if crate::mutant_is({number}) {{ {mutant} }} else {{ {original} }})"
        ));
        at = outer.place.end;
        rest = after;
    }
    text.push_str(&source[at..place.end]);
    text
}

/// The sources that hold mutants, with all of them in.
fn mutated(mutants: &[Mutant]) -> BTreeMap<PathBuf, String> {
    let mut by_file: BTreeMap<&str, Vec<Edit<'_>>> = BTreeMap::new();
    for (index, mutant) in mutants.iter().enumerate() {
        let place = mutant.place(&read(&mutant.file)).expect("checked before");
        by_file.entry(&mutant.file).or_default().push(Edit {
            place,
            number: index + 1,
            mutant: &mutant.mutant,
        });
    }
    let mut sources = BTreeMap::new();
    for (file, mut edits) in by_file {
        edits.sort_by_key(|edit| (edit.place.start, std::cmp::Reverse(edit.place.end)));
        let source = read(file);
        sources.insert(PathBuf::from(file), rewritten(&source, 0..source.len(), &edits));
        let library = Path::new(file).components().next().expect("a crate");
        let library = Path::new(&library).join("src/lib.rs");
        sources
            .entry(library.clone())
            .or_insert_with(|| read(&library) + SWITCH);
    }
    sources
}

/// Makes `tree` a copy of the workspace with these sources. What is the same already is left alone, so that a
/// second run builds only what changed.
fn copy_workspace(tree: &Path, sources: &BTreeMap<PathBuf, String>) {
    let mut wanted = BTreeSet::new();
    // In a worktree `.git` is a file.
    for path in files(".", "").iter().filter(|path| !path.ends_with(".git")) {
        let relative = path.strip_prefix(root()).expect("below the root");
        let relative: PathBuf = relative
            .components()
            .filter(|part| part.as_os_str() != ".")
            .collect();
        let content = match sources.get(&relative) {
            Some(source) => source.clone().into_bytes(),
            None => std::fs::read(path).expect("a file"),
        };
        let copy = tree.join(&relative);
        std::fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
        if std::fs::read(&copy).ok().as_deref() != Some(&content) {
            std::fs::write(&copy, content).expect("a copy");
        }
        wanted.insert(copy);
    }
    let copies = files(tree.to_str().expect("a name"), "");
    for stale in copies.iter().filter(|path| !wanted.contains(*path)) {
        std::fs::remove_file(stale).expect("a file of before");
        // Ends where a folder still holds something.
        let _ = stale.ancestors().skip(1).try_for_each(std::fs::remove_dir);
    }
}

/// Beside the tests themselves: what is no crate of ours is built already.
pub(crate) fn target_folder() -> &'static Path {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target.expect("the folder of all that is built")
}

/// The copy of the workspace with all mutants in it, made once; `None` where mutants are not to be run.
fn mutated_tree() -> Option<&'static Path> {
    static TREE: OnceLock<PathBuf> = OnceLock::new();
    if std::env::var_os(RUN).is_none() {
        eprintln!("not run: {RUN} is not set");
        return None;
    }
    Some(TREE.get_or_init(|| tree_with("mutants", &mutants())))
}

/// A copy of the workspace, under this name, with these mutants in it.
pub(crate) fn tree_with(name: &str, mutants: &[Mutant]) -> PathBuf {
    let tree = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).join("tree");
    copy_workspace(&tree, &mutated(mutants));
    tree
}

/// The program with all mutants in it; `None` where mutants are not to be run.
pub(crate) fn build_program() -> Option<PathBuf> {
    let tree = mutated_tree()?;
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--offline", "--target-dir"])
        .arg(target_folder())
        .current_dir(tree)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "the program with its mutants does not build\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Away from where the next build of the workspace puts its own.
    let name = format!("xahau-email{}", std::env::consts::EXE_SUFFIX);
    let program = tree.with_file_name(&name);
    std::fs::copy(target_folder().join("debug").join(&name), &program).expect("a copy");
    Some(program)
}

/// A command that runs a program or a test with this mutant, or with none.
pub(crate) fn with_mutant(program: &Path, name: Option<&str>) -> Command {
    let mutants = mutants();
    let number = name.map(|name| {
        let place = mutants.iter().position(|mutant| mutant.name == name);
        place.unwrap_or_else(|| panic!("no mutant {name}")) + 1
    });
    command_with(program, number)
}

pub(crate) fn command_with(program: &Path, number: Option<usize>) -> Command {
    let mut command = Command::new(program);
    command.env_remove(CHOICE);
    if let Some(number) = number {
        command.env(CHOICE, number.to_string());
    }
    command
}

/// Builds the test binaries that are needed: crate and binary to path.
fn build(tree: &Path, tests: &BTreeSet<Test<'_>>) -> BTreeMap<(String, String), PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "test",
        "--no-run",
        "--locked",
        "--offline",
        "--message-format=json",
        "--lib",
    ]);
    for package in tests.iter().map(|test| test.package).collect::<BTreeSet<_>>() {
        command.arg(format!("--package={package}"));
    }
    let binaries: BTreeSet<_> = tests.iter().map(|test| test.binary).collect();
    for binary in binaries.iter().filter(|name| **name != "lib") {
        command.arg(format!("--test={binary}"));
    }
    let output = command
        .arg("--target-dir")
        .arg(target_folder())
        .current_dir(tree)
        .output()
        .expect("cargo runs");
    let told = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<serde_json::Value> = told
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let errors: String = messages
        .iter()
        .filter(|message| message["message"]["level"] == "error")
        .filter_map(|message| message["message"]["rendered"].as_str())
        .collect();
    assert!(
        output.status.success(),
        "the workspace with its mutants does not build\n{errors}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    messages.iter().filter_map(binary_of).collect()
}

/// A test binary that cargo tells of.
pub(crate) fn binary_of(message: &serde_json::Value) -> Option<((String, String), PathBuf)> {
    let executable = PathBuf::from(message["executable"].as_str()?);
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let package = manifest.parent()?.file_name()?.to_str()?.to_owned();
    let target = &message["target"];
    let binary = if target["kind"][0] == "lib" {
        "lib"
    } else {
        target["name"].as_str()?
    };
    Some(((package, binary.to_owned()), executable))
}

/// The built tests.
struct Built {
    tree: &'static Path,
    binaries: BTreeMap<(String, String), PathBuf>,
}

impl Built {
    /// Runs one test, with no mutant or one.
    fn run(&self, test: Test<'_>, number: Option<usize>) -> Output {
        let key = (test.package.to_owned(), test.binary.to_owned());
        let binary = self
            .binaries
            .get(&key)
            .unwrap_or_else(|| panic!("no binary {key:?}"));
        command_with(binary, number)
            .args(["--exact", test.test, "--test-threads=1"])
            .current_dir(self.tree.join(test.package))
            .output()
            .expect("a test binary runs")
    }
}

/// Works on every item with as many threads as there are cores; gives what the work has to say.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(usize, &T) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let told = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let at = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(at)
                {
                    let said = work(at, item);
                    told.lock().expect("no thread panicked").extend(said);
                }
            });
        }
    });
    let mut told = told.into_inner().expect("no thread panicked");
    told.sort();
    told
}

/// Always runs: a mutant whose expression was changed is found at once, not by the long run.
#[test]
fn mutants_name_expressions_that_are_there() {
    let mutants = mutants();
    assert!(mutants.len() >= MUTANTS_MIN, "{} mutants", mutants.len());
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for mutant in &mutants {
        let said = |what: String| format!("{} (Spec: {}), {}: {what}", mutant.name, mutant.rule, mutant.file);
        if !names.insert(&mutant.name) {
            problems.push(said("a second mutant of that name".to_owned()));
        }
        if let Err(what) = mutant.place(&read(&mutant.file)) {
            problems.push(said(format!("{what}: adapt its row in tests/mutants.toml")));
        }
        if let Killer::Case(folder) = mutant.killer()
            && !root().join("fixtures/cases").join(folder).is_dir()
        {
            problems.push(said(format!("no fixtures/cases/{folder}")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The long run: a mutant that survives is a missing test.
#[test]
fn removing_a_check_fails_its_test() {
    let Some(tree) = mutated_tree() else { return };
    let mutants = mutants();
    let tests: BTreeSet<Test<'_>> = mutants.iter().map(|mutant| mutant.killer().test()).collect();
    let built = Built {
        binaries: build(tree, &tests),
        tree,
    };
    let tests: Vec<Test<'_>> = tests.into_iter().collect();
    let broken = in_parallel(&tests, |_, test| {
        let output = built.run(*test, None);
        let said = String::from_utf8_lossy(&output.stdout);
        let passed = output.status.success() && said.contains("test result: ok. 1 passed");
        (!passed).then(|| {
            let Test {
                package,
                binary,
                test,
            } = test;
            format!("{package} {binary} {test} is missing or fails without a mutant")
        })
    });
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    let survivors = in_parallel(&mutants, |index, mutant| {
        let killer = mutant.killer();
        let killed = killer.has_failed(&built.run(killer.test(), Some(index + 1)));
        (!killed).then(|| format!("{} survives {}", mutant.shown(), mutant.killed_by))
    });
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
    eprintln!("{} mutants, each killed by its test", mutants.len());
}
