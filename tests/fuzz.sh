#!/usr/bin/env bash
# Fuzzes: builds the targets of fuzz/ and runs each of them, or those named, for SECS seconds, two at a time, from a copy
# of its seeds. One line for each; fails where one of them finds something, and says how to see it again. With --relay the
# relay is built too, which takes minutes: the target smtp needs it, and rpc has its answers read by it.
# It needs a nightly toolchain and cargo-fuzz (tests/tools.sh). Where CI is set their lack is a failure, elsewhere a notice.
set -euo pipefail
cd "$(dirname "$0")/.."
# Inputs are in the output: bytes, not text.
export LC_ALL=C

readonly AT_A_TIME=2
# Longer than this for one input is a finding: what is linear in the input takes milliseconds.
readonly INPUT_SECS_MAX=20
readonly fuzz="cargo +nightly fuzz"

# One target, its output in $work/TARGET.
fuzz_one() {
  local target=$1 run=$work/$1 code=0 executions first last
  mkdir -p "$run" "fuzz/artifacts/$target"
  cp -r "fuzz/corpus/$target" "$run/corpus"
  "fuzz/target/$host/release/$target" "$run/corpus" -max_total_time="$secs" -timeout="$INPUT_SECS_MAX" \
    -dict="fuzz/dictionaries/$target.dict" -artifact_prefix="fuzz/artifacts/$target/" -print_final_stats=1 \
    >"$run/log" 2>&1 || code=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$run/log")
  first=$(sed -n 's/.*INITED *cov: \([0-9]*\).*/\1/p' "$run/log")
  last=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$run/log" | tail -n 1)
  local found="no finding" how=$target
  if [ "$code" != 0 ]; then
    touch "$work/failed"
    if [ "$target" = smtp ]; then how="--features relay smtp"; fi
    found=$(echo "FINDING, exit code $code:"
      grep -a -A 3 -E 'panicked at|ERROR: |SUMMARY: ' "$run/log" | cut -c 1-300 | head -n 20
      sed -n "s|.*Test unit written to \(.*\)|Its input: \1\nAgain:     $fuzz run $how \1\nSmaller:   $fuzz tmin $how \1|p" "$run/log")
  fi
  printf '%-12s %10s executions, coverage %5s -> %5s, %s\n' \
    "$target" "${executions:-?}" "${first:-?}" "${last:-?}" "$found"
}

# Each seed is named after its bytes: a seed that lost its CRs on the way (by mail, by a patch) reaches nothing deep.
check_seeds() {
  local damaged
  damaged=$(find fuzz/corpus -type f -exec sha256sum {} + |
    awk '{ name = $2; sub(".*/", "", name); if (substr($1, 1, length(name)) != name) print $2 }')
  if [ -n "$damaged" ]; then
    printf 'tests/fuzz.sh: seeds are damaged; fuzz/seeds.py makes them anew:\n%s\n' "$damaged" >&2
    return 1
  fi
}

# Run by xargs below.
if [ "${1:-}" = --one ]; then
  secs=$2 host=$3 work=$4
  fuzz_one "$5"
  exit
fi

secs=${1:-}
case "$secs" in
  ''|*[!0-9]*) echo "usage: tests/fuzz.sh SECS [--relay] [TARGET...]" >&2; exit 2 ;;
esac
shift
features=()
every=$(sed -n 's|^path = "targets/\(.*\)\.rs"|\1|p' fuzz/Cargo.toml | grep -vx smtp)
if [ "${1:-}" = --relay ]; then
  shift
  features=(--features relay)
  every="$every smtp"
fi
for target in "$@"; do
  [[ " ${every//$'\n'/ } " = *" $target "* ]] || { echo "tests/fuzz.sh: no such target: $target" >&2; exit 2; }
done

if ! cargo +nightly --version >/dev/null 2>&1 || ! cargo fuzz --version >/dev/null 2>&1; then
  if [ -n "${CI:-}" ]; then
    echo "tests/fuzz.sh: a nightly toolchain and cargo-fuzz are needed here: run tests/tools.sh" >&2
    exit 1
  fi
  printf '\nNOTICE: no nightly toolchain, or no cargo-fuzz: nothing was fuzzed. tests/tools.sh installs both.\n\n'
  exit 0
fi

check_seeds
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
# cargo-fuzz knows no --locked.
cargo +nightly metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null
if [ $# = 0 ]; then
  $fuzz build "${features[@]}"
  # shellcheck disable=SC2086 # one word a target
  set -- $every
else
  for target in "$@"; do $fuzz build "${features[@]}" "$target"; done
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$@" | xargs -P "$AT_A_TIME" -I{} bash tests/fuzz.sh --one "$secs" "$host" "$work" {}
if [ -e "$work/failed" ]; then
  echo "tests/fuzz.sh: a target found something" >&2
  exit 1
fi
