# The door to every check. `just` lists them; each runs a step of .ci/run, so that here and CI do the same.

# Lists the recipes.
default:
  @just --list --unsorted

# What to run before each commit: formatting, lints, the tests of the tree itself.
quick:
  .ci/run format clippy
  cargo test --locked --test it -- house spec arrows circles mutants_name

# Everything that must be green; about half an hour from nothing.
ci:
  .ci/run

# The same and what takes longer.
ci-long:
  .ci/run --long

# Installs what the checks need beyond Rust and a C compiler.
tools:
  .ci/run tools

# Writes the formatting.
format:
  cargo fmt --all
  cargo fmt --manifest-path fuzz/Cargo.toml

# Lints; warnings are errors.
clippy:
  .ci/run clippy

# Licences, sources and doubled stacks of the dependencies.
deny:
  .ci/run deny

# The API documentation.
doc:
  .ci/run doc

# The story of the README.
demo:
  .ci/run demo

# All tests, or those of one crate: `just test amendment`.
test crate="":
  cargo test --locked {{ if crate == "" { "--workspace" } else { "--package " + crate } }}

# Removes each check of the rules in turn: the test named for it must fail.
mutants:
  .ci/run mutants

# The attack set is what its generator writes.
cases:
  .ci/run cases

# Ours against mail-auth over cases and mutations.
differential:
  .ci/run differential

# Each fuzz target for so many seconds.
fuzz seconds="30":
  bash tests/fuzz.sh {{ seconds }}

# One bench of a crate: `just bench ledger close`, or of the root: `just bench xahau-email verify`.
bench crate="xahau-email" name="verify":
  cargo bench --locked --package {{ crate }} --bench {{ name }}
