"""Dovecot with one mailbox: python3 dovecot.py FOLDER [CAPABILITIES]. Mail for user@example.org comes in by LMTP and is read
by IMAP on localhost with the password in FOLDER/password: one port for TLS, one for STARTTLS or none. CAPABILITIES in place
of its own, such as "IMAP4rev1 STARTTLS", leave IDLE out."""

import grp
import pwd
import sys

import service

home = service.folder(sys.argv[1])
capabilities = f"imap_capability = {sys.argv[2]}" if len(sys.argv) > 2 else ""
imap, imaps, lmtp = service.free_port(), service.free_port(), service.free_port()
service.certificate(home)
(home / "password").write_text("correct horse \"battery\" \\staple\n")
owner = pwd.getpwnam("nobody")
group = grp.getgrgid(owner.pw_gid)
service.run("install", "-d", "-o", owner.pw_name, "-m", "700", home / "mail")
(home / "users").write_text(
    "user@example.org:{PLAIN}correct horse \"battery\" \\staple:%d:%d::%s/mail\n" % (owner.pw_uid, owner.pw_gid, home))
(home / "dovecot.conf").write_text(f"""\
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{home}/server.pem
ssl_key = <{home}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
first_valid_uid = {min(owner.pw_uid, 1000)}
first_valid_gid = 1
mail_location = maildir:~/Maildir
{capabilities}
passdb {{
  driver = passwd-file
  args = {home}/users
}}
userdb {{
  driver = passwd-file
  args = {home}/users
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
protocol lmtp {{
  postmaster_address = postmaster@example.org
}}
""")
child = service.start("dovecot", "-F", "-c", home / "dovecot.conf", log=home / "dovecot.out")
for port in (imap, imaps, lmtp):
    service.wait_for("dovecot", lambda: service.listens(port), child)
service.stand({"imap": imap, "imaps": imaps, "lmtp": f"127.0.0.1:{lmtp}", "password": str(home / "password"),
               "authority": str(home / "authority.pem")}, lambda: service.end(child))
