"""Has OpenDKIM verify a mail: python3 verify.py FOLDER KEYS.json MAIL. KEYS.json maps names to DKIM records. Prints what
OpenDKIM found, and ends with 0 where a signature holds."""

import json
import subprocess
import sys

import service

home = service.folder(sys.argv[1])
records = json.load(open(sys.argv[2]))
(home / "verify.keys").write_text("".join(f"{name} {record}\n" for name, record in records.items()))
(home / "verify.conf").write_text(f"Mode v\nSyslog no\nTestPublicKeys {home}/verify.keys\n")
done = subprocess.run(["opendkim", "-x", home / "verify.conf", "-vv", "-t", sys.argv[3]], stdin=subprocess.DEVNULL,
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(done.stdout)
sys.exit(0 if "dkim=pass" in done.stdout and "dkim=fail" not in done.stdout else 1)
