#!/usr/bin/env bash
# Runs the trials that others made of the program: inputs and attacks, each a folder KIND/NN-name with a `run.sh BINARY` that exits
# 0 only when the program does right. They are no part of the project: XAHAU_EMAIL_TRIALS names their folder, by default one
# beside the checkout; where there is none, a notice says so and nothing is checked.
# usage: tests/trials.sh KIND...   (field, verifier, daemons)
set -euo pipefail
cd "$(dirname "$0")/.."

# One trial that hangs must not hold up the others.
readonly SECS_MAX=600
# What the program does not do yet (README, "Not yet"); a line of output says how each stands.
readonly NOT_YET=''
# Says 2, "could not run", where the program does right (docs/deviations.md, Trials), and what it prints then.
readonly ARGUED='verifier/15'
readonly ARGUED_SAYS='explain qualifies: False | SMTP: (550,'
# Prints figures and judges nothing.
readonly FIGURES='daemons/20 daemons/21 daemons/22 daemons/23'

trials=${XAHAU_EMAIL_TRIALS:-../shared/trials}
if [ ! -d "$trials" ]; then
  echo "NOTICE: no $trials: the trials did not run."
  exit 0
fi
trials=$(cd "$trials" && pwd)

# The first python3 that has what the trials import; Debian's packages serve /usr/bin/python3 alone (tests/tools.sh).
for bin in "$(dirname "$(command -v python3)")" /usr/bin; do
  if "$bin/python3" -c 'import dkim, cryptography' 2>/dev/null; then
    PATH=$bin:$PATH
    break
  fi
done
if ! python3 -c 'import dkim, cryptography' 2>/dev/null; then
  echo "tests/trials.sh: python3 lacks dkimpy or cryptography (tests/tools.sh installs them)" >&2
  [ -n "${CI:-}" ] && exit 1
  echo "NOTICE: the trials did not run."
  exit 0
fi
export PY=python3

cargo build --release --locked
binary=$(cargo metadata --format-version 1 --no-deps --locked |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release/xahau-email
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# One trial, its output in $out/log.
run() {
  timeout "$SECS_MAX" bash "$1/run.sh" "$binary" >"$out/log" 2>&1 </dev/null
}

failed=0
for kind in "$@"; do
  for folder in "$trials/$kind"/[0-9]*/; do
    name=$kind/$(basename "$folder")
    number=$kind/$(basename "$folder" | cut -d- -f1)
    code=0
    run "$folder" || code=$?
    case " $NOT_YET " in
      *" $number "*)
        [ "$code" = 0 ] && said='ok, and no longer missing: take it out of NOT_YET' || said='not yet'
        printf '%-55s %s\n' "$name" "$said"
        continue
        ;;
    esac
    case " $FIGURES " in
      *" $number "*)
        printf '%s\n' "$name"
        sed 's/^/    /' "$out/log" | tail -n 20
        continue
        ;;
    esac
    if [ "$number $code" = "$ARGUED 2" ] && grep -qF "$ARGUED_SAYS" "$out/log"; then
      code=0
    fi
    if [ "$code" = 0 ]; then
      printf '%-55s ok\n' "$name"
    elif run "$folder"; then
      # Most of them wait by the clock, and the machine may have been busy.
      printf '%-55s ok the second time, exit code %s the first\n' "$name" "$code"
    else
      failed=$((failed + 1))
      printf '%-55s FAILED, exit code %s; the end of its output:\n' "$name" "$code"
      tail -n 12 "$out/log" | cut -c 1-300 | sed 's/^/    /'
    fi
  done
done
if [ "$failed" != 0 ]; then
  echo "tests/trials.sh: $failed failed" >&2
  exit 1
fi
