"""Postfix with OpenDKIM as its milter: python3 postfix.py FOLDER DOMAIN RECIPIENT=TRANSPORT... What is submitted on the
printed address is signed for DOMAIN with the key of signing_key.py in FOLDER, and goes out to each recipient by its
transport, such as smtp:[127.0.0.1]:25, lmtp:inet:127.0.0.1:24 or lmtp:unix:/path. `pipe:COMMAND` runs a
command with pipe(8) as nobody, and `maildir:/path/` delivers into a Maildir with virtual(8)."""

import pwd
import sys

import service

home = service.folder(sys.argv[1])
nobody = pwd.getpwnam("nobody")
domain = sys.argv[2]
routes = dict(argument.split("=", 1) for argument in sys.argv[3:])


def opendkim():
    """Starts the signer. Gives its process and port."""
    port = service.free_port()
    (home / "opendkim.conf").write_text(f"""\
Mode s
Syslog no
Background no
PidFile {home}/opendkim.pid
Domain {domain}
Selector s1
KeyFile {home}/s1.private
RequireSafeKeys no
Canonicalization relaxed/relaxed
OversignHeaders From
InternalHosts 127.0.0.1
Socket inet:{port}@127.0.0.1
""")
    child = service.start("opendkim", "-f", "-x", home / "opendkim.conf", log=home / "opendkim.log")
    service.wait_for("opendkim", lambda: service.listens(port), child)
    return child, port


MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
virtual unix - n n - - virtual
scache unix - - n - 1 scache
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""


def postfix(milter):
    """Starts the mail server. Gives its port."""
    port = service.free_port()
    for part in ("queue", "etc"):
        service.folder(home / part)
    service.run("install", "-d", "-o", "postfix", "-m", "755", home / "data")
    master = MASTER.format(port=port)
    maps = mailboxes = ""
    for number, (recipient, transport) in enumerate(routes.items()):
        if transport.startswith("pipe:"):
            master += f"pipe{number} unix - n n - 1 pipe\n  user=nobody null_sender= argv={transport[5:]}\n"
            transport = f"pipe{number}:"
        elif transport.startswith("maildir:"):
            mailboxes += f" {{ {recipient} = {transport[9:]} }}"
            transport = "virtual:"
        maps += f" {{ {recipient} = {transport} }}"
    (home / "etc/master.cf").write_text(master)
    (home / "etc/main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/postfix.log
maillog_file_prefixes = {home}
myhostname = mail.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_milters = inet:127.0.0.1:{milter}
milter_default_action = tempfail
default_transport = error:no route
transport_maps = inline:{{{maps} }}
virtual_mailbox_base = /
virtual_mailbox_maps = inline:{{ {{ nobody@invalid = none }}{mailboxes} }}
virtual_uid_maps = static:{nobody.pw_uid}
virtual_gid_maps = static:{nobody.pw_gid}
smtp_tls_security_level = may
smtp_dns_support_level = disabled
lmtp_dns_support_level = disabled
alias_maps =
alias_database =
notify_classes =
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 4s
""")
    # In the foreground its master is the child of a shell that does not pass signals on; `stop` waits for all of it.
    service.run("postfix", "-c", home / "etc", "start")
    service.wait_for("postfix", lambda: service.listens(port))
    return port


signer, milter = opendkim()
port = postfix(milter)
service.stand({"smtp": f"127.0.0.1:{port}", "log": str(home / "postfix.log")},
              lambda: service.run("postfix", "-c", home / "etc", "stop"), lambda: service.end(signer))
