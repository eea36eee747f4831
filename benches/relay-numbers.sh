#!/usr/bin/env bash
# What the relay needs and how long it takes, on this machine: memory with 1,000 silent connections, mail to validated, and
# a queue of 100,000 mails (restart after kill -9, listing).
#
#   benches/relay-numbers.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/relay-numbers.XXXXXX")
up_pid=
cleanup() {
  [ -z "$up_pid" ] || kill "$up_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

cargo build --release --locked --workspace --bin xahau-email --examples
load=target/release/examples/relay_load
ulimit -n 8192 2>/dev/null || true

$load make "$work/mails" --count 1000 --bytes 5000
fund=()
for at in $(seq 0 60); do fund+=(--fund "u$at@mail.example=1000"); done
target/release/xahau-email up --data "$work/up" --rpc 127.0.0.1:0 --smtp 127.0.0.1:0 --network 21337 --close-secs 1 \
  --relay-address relay@relay.example --keys "$work/mails.keys.json" "${fund[@]}" >"$work/out" 2>"$work/err" &
up_pid=$!
smtp= node=
for _ in $(seq 100); do
  smtp=$(sed -n 's#^listening smtp://##p' "$work/out") node=$(sed -n 's#^listening \(ws://.*\)#\1#p' "$work/out")
  [ -z "$smtp" ] || break
  sleep 0.1
done
[ -n "$smtp" ] || { cat "$work/err" >&2; exit 1; }
echo "== mail to validated, a ledger each second"
$load latency "$work/mails" "$smtp" "$node" --count 61
kill "$up_pid"; wait "$up_pid" || true; up_pid=

cat >"$work/relay.toml" <<EOF
addresses = ["relay@relay.example"]
hostname = "mx.relay.example"
data = "$work/relay"
network = 21337
nodes = ["ws://127.0.0.1:9"]
[smtp]
listen = ["127.0.0.1:0"]
[dns]
keys = "$work/mails.keys.json"
EOF
target/release/xahau-email relay run --config "$work/relay.toml" >"$work/out" 2>"$work/err" &
up_pid=$!
smtp=
for _ in $(seq 100); do
  smtp=$(sed -n 's#^listening smtp://##p' "$work/out")
  [ -z "$smtp" ] || break
  sleep 0.1
done
[ -n "$smtp" ] || { cat "$work/err" >&2; exit 1; }
echo "== memory"
$load idle "$smtp" --connections 1000 --pid "$up_pid"
kill "$up_pid"; wait "$up_pid" || true; up_pid=

echo "== queue of 100,000 mails"
target/release/examples/queue_load "$work/queue" 100000
