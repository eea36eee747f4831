"""Makes what opendkim-genkey makes: python3 signing_key.py FOLDER DOMAIN. FOLDER/s1.private is the key of selector s1, and
FOLDER/keys.json the record that DNS would hold."""

import json
import re
import sys

import service

home = service.folder(sys.argv[1])
domain = sys.argv[2]
service.run("opendkim-genkey", "-b", "2048", "-d", domain, "-s", "s1", "-D", home)
record = "".join(re.findall(r'"([^"]*)"', (home / "s1.txt").read_text()))
(home / "keys.json").write_text(json.dumps({f"s1._domainkey.{domain}": record}))
