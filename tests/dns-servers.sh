#!/usr/bin/env bash
# Real DNS servers on loopback for tests and trials: knot with signed zones, unbound as a resolver that validates, over UDP,
# TCP, TLS and HTTPS. Both are Debian packages; tests/tools.sh installs them, and no service of the system is touched.
#
#   tests/dns-servers.sh FOLDER [PORT]
#
# FOLDER is made and holds all their files; PORT (default 5300) is knot's, the next three are unbound's for UDP and TCP, TLS,
# and HTTPS. When both answer it prints one line of JSON with the addresses. Lines on standard input are commands, each
# answered by "done": `set NAME "TEXT"` gives a name its only TXT record, `remove NAME` takes it away, `flush` empties
# unbound's cache. It ends, and both servers with it, when standard input ends.
#
#   zone              signed              what stands in it
#   .                 yes                 the delegation of test
#   test              yes, NSEC           s1 and rotated ._domainkey.signed.test; aliases below _domainkey.alias.test
#   nsec3.test        yes, NSEC3 opt-out  s1._domainkey.mail.nsec3.test
#   open.nsec3.test   no, as Gmail's in com: by an opt-out          s1._domainkey.mail.open.nsec3.test
#   unsigned.test     no, as test proves by having no DS for it     s1._domainkey.mail.unsigned.test
#   broken.test       yes, but test has the DS of another key       s1._domainkey.mail.broken.test
#
# FOLDER/anchor.key holds the DNSKEY of this root: --dns-anchors FOLDER/anchor.key. Certificates are those of fixtures/tls:
# --dns-authority fixtures/tls/authority.pem.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: tests/dns-servers.sh FOLDER [PORT]" >&2
  exit 2
fi
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
knot_port=${2:-5300}
udp_port=$((knot_port + 1))
tls_port=$((knot_port + 2))
https_port=$((knot_port + 3))
for program in knotd knotc keymgr unbound unbound-control kdig; do
  if ! command -v "$program" >/dev/null 2>&1; then
    echo "tests/dns-servers.sh: $program is missing: tests/tools.sh installs it" >&2
    exit 1
  fi
done

# RFC 8463 A.2.
readonly KEY='v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='

cd "$folder"
mkdir -p run keys
cat >knot.conf <<END
server:
    rundir: "$folder/run"
    listen: 127.0.0.1@$knot_port
log:
  - target: "$folder/knot.log"
    any: info
database:
    storage: "$folder/keys"
policy:
  - id: nsec
    algorithm: ecdsap256sha256
    manual: on
  - id: nsec3
    algorithm: ecdsap256sha256
    manual: on
    nsec3: on
    nsec3-opt-out: on
template:
  - id: default
    storage: "$folder"
    file: "%s.zone"
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
zone:
  - domain: .
    file: root.zone
    dnssec-signing: on
    dnssec-policy: nsec
  - domain: test
    dnssec-signing: on
    dnssec-policy: nsec
  - domain: nsec3.test
    dnssec-signing: on
    dnssec-policy: nsec3
  - domain: broken.test
    dnssec-signing: on
    dnssec-policy: nsec
  - domain: unsigned.test
  - domain: open.nsec3.test
END

manage() { keymgr -c knot.conf "$@" 2>>keymgr.log; }
for zone in . test nsec3.test broken.test; do
  manage "$zone" generate algorithm=ecdsap256sha256 ksk=yes zsk=yes >/dev/null
done
# The right DS of zones test and nsec3.test; of broken.test one that is none of its keys'.
ds_of() { manage "$1" ds | awk '$5 == 2' | head -n 1; }
broken=$(ds_of broken.test | sed 's/[^ ]*$//')$(printf 'a%.0s' {1..64})
manage . dnskey | sed 's/ DNSKEY / IN DNSKEY /' >anchor.key

# The head of a zone, of which nothing may be kept for longer than a second.
head_of() {
  printf '$TTL 1\n@ IN SOA ns.test. admin.test. 1 3600 600 86400 1\n@ IN NS ns.test.\n'
}
{
  head_of
  echo 'test IN NS ns.test.'
  echo 'ns.test IN A 127.0.0.1'
  ds_of test
} >root.zone
{
  head_of
  cat <<END
ns IN A 127.0.0.1
nsec3 IN NS ns.test.
unsigned IN NS ns.test.
broken IN NS ns.test.
$(ds_of nsec3.test)
$broken
s1._domainkey.signed IN TXT "$KEY"
rotated._domainkey.signed IN TXT "$KEY"
empty._domainkey.signed IN A 127.0.0.1
two._domainkey.signed IN TXT "v=spf1 -all"
two._domainkey.signed IN TXT "$KEY"
*._domainkey.wild IN TXT "$KEY"
secure._domainkey.alias IN CNAME s1._domainkey.signed
nsec3._domainkey.alias IN CNAME s1._domainkey.mail.nsec3
unsigned._domainkey.alias IN CNAME s1._domainkey.mail.unsigned
broken._domainkey.alias IN CNAME s1._domainkey.mail.broken
nowhere._domainkey.alias IN CNAME none._domainkey.signed
nodata._domainkey.alias IN CNAME empty._domainkey.signed
outside._domainkey.alias IN CNAME none._domainkey.mail.nsec3
long._domainkey.alias IN CNAME l1._domainkey.alias
END
  for at in 1 2 3 4 5; do
    echo "l$at._domainkey.alias IN CNAME l$((at + 1))._domainkey.alias"
  done
  echo 'l6._domainkey.alias IN CNAME s1._domainkey.signed'
  echo 'loop._domainkey.alias IN CNAME pool._domainkey.alias'
  echo 'pool._domainkey.alias IN CNAME loop._domainkey.alias'
  echo '_domainkey.branch IN DNAME _domainkey.signed'
} >test.zone
for zone in nsec3 open.nsec3 unsigned broken; do
  {
    head_of
    echo "s1._domainkey.mail IN TXT \"$KEY\""
    echo "empty._domainkey.mail IN A 127.0.0.1"
  } >"$zone.test.zone"
done
echo 'open IN NS ns.test.' >>nsec3.test.zone
echo 'back._domainkey.mail IN CNAME s1._domainkey.signed.test.' >>unsigned.test.zone

# unbound asks knot for each of the zones, as a child is delegated to port 53.
{
  cat <<END
server:
    directory: "$folder"
    chroot: ""
    username: ""
    pidfile: "$folder/run/unbound.pid"
    logfile: "$folder/unbound.log"
    use-syslog: no
    do-daemonize: no
    interface: 127.0.0.1@$udp_port
    interface: 127.0.0.1@$tls_port
    interface: 127.0.0.1@$https_port
    tls-port: $tls_port
    https-port: $https_port
    tls-service-key: "$root/fixtures/tls/localhost.key"
    tls-service-pem: "$root/fixtures/tls/localhost.pem"
    do-not-query-localhost: no
    trust-anchor-file: "$folder/anchor.key"
    module-config: "validator iterator"
    local-zone: "test." nodefault
    num-threads: 1
    cache-max-ttl: 3600
remote-control:
    control-enable: yes
    control-interface: "$folder/run/unbound.socket"
    control-use-cert: no
END
  for zone in . test nsec3.test open.nsec3.test unsigned.test broken.test; do
    printf 'stub-zone:\n    name: "%s"\n    stub-addr: 127.0.0.1@%s\n' "$zone" "$knot_port"
  done
} >unbound.conf

knotd -c knot.conf >knotd.out 2>&1 &
knot=$!
unbound -c unbound.conf >unbound.out 2>&1 &
unbound=$!
end() {
  kill "$knot" "$unbound" 2>/dev/null || true
  wait 2>/dev/null || true
}
trap end EXIT

control() { knotc -c knot.conf "$@" >>knotc.log 2>&1; }
answers() { kdig @127.0.0.1 -p "$1" +time=1 +retry=0 s1._domainkey.signed.test TXT 2>/dev/null | grep -q DKIM1; }
for server in "$knot:$knot_port" "$unbound:$udp_port"; do
  for _ in $(seq 100); do
    if answers "${server#*:}"; then continue 2; fi
    kill -0 "${server%:*}" 2>/dev/null || break
    sleep 0.1
  done
  echo "tests/dns-servers.sh: the server at port ${server#*:} does not answer; see $folder/*.log and *.out" >&2
  exit 1
done
printf '{"knot":"127.0.0.1:%s","plain":"127.0.0.1:%s","tls":"tls://127.0.0.1:%s","https":"https://127.0.0.1:%s/dns-query"}\n' \
  "$knot_port" "$udp_port" "$tls_port" "$https_port"

# The zone of a name: the longest that it ends in.
zone_of() {
  case "$1" in
    *.open.nsec3.test) echo open.nsec3.test ;;
    *.nsec3.test) echo nsec3.test ;;
    *.unsigned.test) echo unsigned.test ;;
    *.broken.test) echo broken.test ;;
    *) echo test ;;
  esac
}
change() {
  local name=$1 zone
  zone=$(zone_of "$name")
  control zone-begin "$zone"
  control zone-unset "$zone" "$name." TXT || true
  if [ $# -gt 1 ]; then control zone-set "$zone" "$name." 1 TXT "$2"; fi
  control zone-commit "$zone"
}
while read -r verb name text; do
  case "$verb" in
    set) change "$name" "$text" ;;
    remove) change "$name" ;;
    flush) unbound-control -c unbound.conf flush_zone test >/dev/null ;;
    *) echo "tests/dns-servers.sh: no command '$verb': set, remove, flush" >&2 && exit 2 ;;
  esac
  echo done
done
