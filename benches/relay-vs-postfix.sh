#!/usr/bin/env bash
# How many mails a second the relay takes durably, and Postfix: the same stream of distinct signed mails, the same
# connections, machine, run and file system. Needs Postfix (tests/tools.sh) and root, as Postfix's queue does.
#
#   benches/relay-vs-postfix.sh [COUNT] [CONNECTIONS] [FOLDER]
#
# Postfix takes the mails into its queue and tries no delivery (defer_transports); no content filter, no DNS, more
# processes than connections. The relay verifies each mail, signature too, and finds no node to submit to.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-50000} connections=${2:-50}
work=$(mktemp -d "${3:-${TMPDIR:-/tmp}}/relay-bench.XXXXXX")
chmod 755 "$work"
relay_pid=
cleanup() {
  [ -z "$relay_pid" ] || kill "$relay_pid" 2>/dev/null || true
  [ ! -f "$work/postfix/main.cf" ] || postfix -c "$work/postfix" stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

command -v postfix >/dev/null || { echo "Postfix is missing: run tests/tools.sh" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "Postfix needs root for a queue of its own" >&2; exit 1; }

cargo build --release --locked --bin xahau-email --example relay_load
load=target/release/examples/relay_load
$load make "$work/mails" --count "$count" --bytes 10000
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

mkdir -p "$work/postfix" "$work/queue" "$work/lib"
chown postfix "$work/lib"
port=$(free_port)
cp /etc/postfix/postfix-files "$work/postfix/" 2>/dev/null || true
cat >"$work/postfix/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $work/queue
data_directory = $work/lib
maillog_file = /dev/null
maillog_file_prefixes = /dev
myhostname = mx.relay.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relay_domains = relay.example
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
defer_transports = smtp, relay
default_process_limit = 100
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
in_flow_delay = 0
alias_maps =
alias_database =
local_recipient_maps =
EOF
sed -e "s/^smtp  *inet .*/127.0.0.1:$port inet n - n - 100 smtpd/" -e 's/^\([a-z].*unix.*\) y /\1 n /' \
  /etc/postfix/master.cf >"$work/postfix/master.cf"
postfix -c "$work/postfix" start >/dev/null 2>&1
for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
echo "== Postfix $(postconf -h mail_version)"
$load send "$work/mails" "127.0.0.1:$port" --connections "$connections" | tee "$work/postfix.txt"
postfix -c "$work/postfix" stop >/dev/null 2>&1

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
[limits]
connections_per_network = 1024
letters_per_network_hour = 0
letters_per_address_hour = 0
letters_per_domain_hour = 0
EOF
target/release/xahau-email relay run --config "$work/relay.toml" >"$work/relay.out" 2>"$work/relay.err" &
relay_pid=$!
address=
for _ in $(seq 100); do
  address=$(sed -n 's#^listening smtp://##p' "$work/relay.out")
  [ -z "$address" ] || break
  sleep 0.1
done
[ -n "$address" ] || { cat "$work/relay.err" >&2; exit 1; }
echo "== relay"
$load send "$work/mails" "$address" --connections "$connections" | tee "$work/relay.txt"
kill "$relay_pid"; wait "$relay_pid" || true; relay_pid=

rate() { sed -n 's/.* s: \([0-9]*\) a second.*/\1/p' "$1"; }
awk -v relay="$(rate "$work/relay.txt")" -v postfix="$(rate "$work/postfix.txt")" 'BEGIN {
  printf "ratio relay_letters_per_second %d\n", relay
  printf "ratio relay_to_postfix %.2f\n", relay / postfix
}'
