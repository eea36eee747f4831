#!/usr/bin/env bash
# Installs what the tests need beyond Rust and a C compiler: mail software that the relay is tried against
# (tests/interop), DNS servers (tests/dns-servers.sh), what tests/fuzz.sh needs, and cargo-deny. Where apt and root, or
# rustup, are there it installs what is missing; no service is started.
# With --require, or where CI is set, a tool that is still missing is a failure; elsewhere a notice.
set -euo pipefail

require=${CI:+yes}
case "${1:-}" in
  '') ;;
  --require) require=yes ;;
  *) echo "usage: tests/tools.sh [--require]" >&2; exit 2 ;;
esac
PATH=$PATH:/usr/sbin:/sbin

for tool in cargo cc; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "tests/tools.sh: $tool is missing: install it first" >&2
    exit 1
  fi
done

readonly CARGO_FUZZ=0.13.1
readonly CARGO_DENY=0.20.2

# What tests/fuzz.sh needs: a nightly toolchain beside that of the project, and cargo-fuzz.
is_fuzz_ready() {
  cargo +nightly --version >/dev/null 2>&1 && cargo fuzz --version 2>/dev/null | grep -qF " $CARGO_FUZZ"
}
is_deny_ready() {
  cargo deny --version 2>/dev/null | grep -qF " $CARGO_DENY"
}
if ! is_fuzz_ready && command -v rustup >/dev/null 2>&1; then
  echo "installing: nightly toolchain, cargo-fuzz $CARGO_FUZZ"
  cargo +nightly --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal || true
  cargo install --locked --force "cargo-fuzz@$CARGO_FUZZ" || true
fi
if ! is_deny_ready; then
  echo "installing: cargo-deny $CARGO_DENY"
  # Unoptimised: it builds in a third of the time, and reads this tree within seconds all the same.
  cargo install --locked --force --debug "cargo-deny@$CARGO_DENY" || true
fi

# A line for a tool that is there; for one that is not a failure where it is needed, else a notice.
report() {
  local ready=$1 what=$2 lost=$3
  if "$ready"; then
    echo "present: $what"
  elif [ -n "$require" ]; then
    echo "tests/tools.sh: missing, and needed here: $what" >&2
    exit 1
  else
    printf '\nNOTICE: missing: %s: %s\n\n' "$what" "$lost"
  fi
}
report is_fuzz_ready "nightly toolchain, cargo-fuzz $CARGO_FUZZ" "tests/fuzz.sh will not run."
report is_deny_ready "cargo-deny $CARGO_DENY" "dependencies are not checked."

# program, file, Perl or Python module that shows it | Debian package
tools='python3|python3
g++|g++
objcopy|binutils
valgrind|valgrind
openssl|openssl
knotd|knot
kdig|knot-dnsutils
unbound|unbound
swaks|swaks
perl:Net::SSLeay|libnet-ssleay-perl
postfix|postfix
opendkim|opendkim
opendkim-genkey|opendkim-tools
dovecot|dovecot-core
/usr/lib/dovecot/imap|dovecot-imapd
/usr/lib/dovecot/lmtp|dovecot-lmtpd
python:dkim|python3-dkim
python:nacl|python3-nacl
python:cryptography|python3-cryptography
file:/usr/include/opendkim/dkim.h|libopendkim-dev'

# Prints the lines of `tools` whose program, file or module is not there.
missing() {
  local what package
  while IFS='|' read -r what package; do
    case "$what" in
      perl:*) perl -M"${what#perl:}" -e 1 ;;
      python:*) python3 -c "import ${what#python:}" || /usr/bin/python3 -c "import ${what#python:}" ;;
      file:*) test -e "${what#file:}" ;;
      *) command -v "$what" ;;
    esac >/dev/null 2>&1 || printf '%s|%s\n' "$what" "$package"
  done <<<"$tools"
}

# Installs packages. Packages start their services as they are installed; a policy-rc.d that says no keeps them from it.
install_packages() {
  local policy=/usr/sbin/policy-rc.d log
  log=$(mktemp)
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  echo "installing: $*"
  if ! { apt-get update -q && apt-get install -q -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    echo "tests/tools.sh: apt-get did not install all of it; its last lines:" >&2
    tail -n 15 "$log" >&2
  fi
  rm -f "$log"
}

packages=$(missing | cut -d'|' -f2 | sort -u | tr '\n' ' ')
if [ -n "$packages" ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  # shellcheck disable=SC2086 # one word a package
  install_packages $packages
fi

left=$(missing | cut -d'|' -f2 | sort -u | tr '\n' ' ')
if [ -z "$left" ]; then
  echo "present: $(cut -d'|' -f2 <<<"$tools" | tr '\n' ' ')"
elif [ -n "$require" ]; then
  echo "tests/tools.sh: missing, and needed here: $left" >&2
  exit 1
else
  printf '\nNOTICE: missing: %s\nNOTICE: the tests against this software will not run. Install it: apt-get install %s\n\n' "$left" "$left"
fi
