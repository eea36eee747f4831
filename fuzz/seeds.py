#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets (fuzz/corpus), the keys of their mails (fuzz/keys.json) and the RSA mail of
key_record (fuzz/rsa.*) from fixtures/. The same every time; the files are committed."""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
FIXTURES = FUZZ.parent / "fixtures"
SEEDS_MAX = 48
SEED_BYTES_MAX = 4_000


def write(target, seeds, first=()):
    """These first, then others spread over the list, each text once."""
    first = list(first)
    seeds = [seed for seed in dict.fromkeys(seeds) if len(seed) <= SEED_BYTES_MAX and seed not in first]
    chosen = first + spread(seeds, SEEDS_MAX - len(first))
    folder = FUZZ / "corpus" / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for seed in chosen:
        (folder / hashlib.sha256(seed).hexdigest()[:12]).write_bytes(seed)
    print(f"{target}: {len(chosen)} seeds, {sum(map(len, chosen))} bytes")


def cases():
    for folder in sorted((FIXTURES / "cases").iterdir()):
        if folder.is_dir():
            mail = (folder / "email.eml").read_bytes()
            expect = json.loads((folder / "expect.json").read_text())
            keys = json.loads((folder / "keys.json").read_text())
            yield mail, expect, keys


def spread(items, count):
    count = min(count, len(items))
    return [items[at * len(items) // count] for at in range(count)]


def mails(every):
    """Half of them accepted; their keys, so far as one name has one record."""
    short = [case for case in every if len(case[0]) <= SEED_BYTES_MAX]
    taken = spread([case for case in short if case[1]["qualifies"] == "yes"], SEEDS_MAX // 2)
    refused = spread([case for case in short if case[1]["qualifies"] != "yes"], SEEDS_MAX // 2)
    keys = {}
    for _, _, records in taken:
        for name, record in records.items():
            if len(record) == 1 and record[0].isascii():
                keys.setdefault(name, record[0])
    (FUZZ / "keys.json").write_text(json.dumps(keys, indent=1, sort_keys=True) + "\n")
    write("mail", [mail for mail, _, _ in taken + refused])


def header_of(mail):
    return mail.split(b"\r\n\r\n", 1)[0] + b"\r\n"


def fields(mail, name):
    pattern = rb"^" + name + rb":((?:.*\r\n)(?:[ \t].*\r\n)*)"
    return [value[:-2] for value in re.findall(pattern, header_of(mail), re.M | re.I)]


def contents(every):
    for mail, _, _ in every:
        if b"\r\n\r\n" not in mail:
            continue
        body = mail.split(b"\r\n\r\n", 1)[1]
        head = b"".join(
            name + b":" + value + b"\r\n"
            for name in (b"Content-Type", b"Content-Transfer-Encoding")
            for value in fields(mail, name)[:1]
        )
        yield body
        if head:
            yield head + b"\r\n" + body


def memos():
    vectors = json.loads((FIXTURES / "vectors/mail/vectors.json").read_text())
    for case in vectors["memos"] + vectors["cases"]:
        text = case.get("memo_hex") or case.get("normal_form_hex")
        if text:
            yield bytes.fromhex(text)


def rsa():
    """A mail under an RSA key, its name and record."""
    vectors = json.loads((FIXTURES / "vectors/mail/vectors.json").read_text())
    (FUZZ / "rsa.eml").write_bytes((FIXTURES / "vectors/mail/c002.eml").read_bytes())
    name = "s1._domainkey.mail.test"
    (FUZZ / "rsa.name").write_text(name)
    (FUZZ / "rsa.txt").write_text(vectors["keys"][name])


# The key of fuzz/src/signer.rs (RFC 8032 from 32 bytes of 7).
SIGNER = b"v=DKIM1; k=ed25519; p=6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw="


def key_records(every):
    yield b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8463 A.2
    records = [record for _, _, keys in every for found in keys.values() for record in found]
    for record in records:
        yield record.encode("latin-1")
    for record in records[:40]:
        key = re.search(r"p=([A-Za-z0-9+/=]+)", record)
        if key and len(key[1]) % 4 == 0:
            yield base64.b64decode(key[1])


def addresses(every):
    vectors = json.loads((FIXTURES / "vectors/addresses.json").read_text())
    for row in vectors["accept"]:
        yield row["address"].encode()
    for mail, _, _ in every:
        for value in fields(mail, b"From"):
            yield value.strip()
    yield b"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh+7"
    yield b"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh+7@example.com"


UNESCAPED = {"r": b"\r", "n": b"\n", "0": b"\0", "\\": b"\\"}


def unescape(text):
    """What fixtures/smtp/README.md says; texts repeated at most twice."""
    out, at = b"", 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode("latin-1")
            at += 1
        elif text[at + 1] == "x":
            out += bytes.fromhex(text[at + 2 : at + 4])
            at += 4
        elif text[at + 1] == "{":
            end = text.index("}", at)
            times, word = text[at + 2 : end].split("*", 1)
            out += unescape(word) * min(int(times), 2)
            at = end + 1
        else:
            out += UNESCAPED[text[at + 1]]
            at += 2
    return out


def dialogues():
    for path in sorted((FIXTURES / "smtp").glob("*.txt")):
        lines = path.read_text().splitlines()
        choice = ("SET lmtp" in lines) + 2 * ("SET no-certificate" in lines)
        words = b""
        for line in lines:
            kind, _, rest = line.partition(" ")
            if kind in ("C", "RAW"):
                words += unescape(rest) + (b"\r\n" if kind == "C" else b"")
        yield bytes([choice, 7]) + words


def requests():
    hash64 = "A1" * 32
    account = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
    mail = "From: alice@example.com\r\n\r\nREMIT 10 XAH\r\n"
    for command, params in [
        ("ping", {"id": 1, "api_version": 1}),
        ("submit_email", {"email": mail, "dry_run": True}),
        ("submit_email", {"email_hex": mail.encode().hex()}),
        ("submit_email", {"email_base64": base64.b64encode(mail.encode()).decode()}),
        ("submit", {"tx_blob": "ABCD", "fail_hard": True}),
        ("tx", {"transaction": hash64, "binary": True}),
        ("tx", {"email_id": "E1" * 32}),
        ("account_info", {"account": account, "ledger_index": "validated"}),
        ("account_info", {"account": "alice@example.com", "ledger_index": 9}),
        ("account_tx", {"account": account, "limit": 20, "forward": True, "marker": {"ledger": 7, "seq": 3}}),
        ("account_tx", {"account": account, "ledger_index_min": -1, "ledger_index_max": 9}),
        ("ledger", {"ledger_index": "closed", "transactions": True, "expand": True, "binary": True}),
        ("ledger_entry", {"dkim_key": {"domain": "example.com", "selector": "s"}, "binary": True}),
        ("ledger_entry", {"index": hash64, "ledger_hash": hash64}),
        ("feature", {"feature": "Email", "vetoed": False}),
        ("fee", {}),
        ("server_info", {}),
        ("server_definitions", {"hash": hash64}),
        ("ledger_accept", {}),
        ("sign", {"secret": "x", "tx_json": {}}),
    ]:
        yield json.dumps({"command": command, **params}).encode()
        yield json.dumps({"method": command, "params": [params]}).encode()
    yield json.dumps(
        {
            "engine_result": "tesSUCCESS",
            "code": "tesSUCCESS",
            "state": "submitted",
            "hash": hash64,
            "email_id": hash64,
            "checks": [{"rule": "4.5", "verdict": "pass", "read": "s", "fix": ""}],
        }
    ).encode()
    info = {"network_id": 21337, "server_state": "full", "validated_ledger": {"age": 3, "seq": 9}}
    yield json.dumps({"info": info}).encode()
    for path in sorted((FIXTURES / "golden/xahaud/cases").iterdir())[::40]:
        yield json.dumps(json.loads(path.read_text())["tx_json_signed"]).encode()


def blobs():
    for path in sorted((FIXTURES / "golden/xahaud/cases").iterdir()):
        case = json.loads(path.read_text())
        yield bytes.fromhex(case["tx_blob"])
        for part in ("tx_binary", "state_after"):
            for text in re.findall(r'"([0-9A-F]{60,})"', json.dumps(case.get(part)))[:4]:
                yield bytes.fromhex(text)


def main():
    every = list(cases())
    rsa()
    mails(every)
    write("signature", [value for mail, _, _ in every for value in fields(mail, b"DKIM-Signature")[:1]])
    write("key_record", list(key_records(every)), [SIGNER, (FUZZ / "rsa.txt").read_bytes()])
    write("address", list(addresses(every)))
    write("instruction", list(contents(every)))
    write("memo", list(memos()))
    write("smtp", list(dialogues()))
    write("rpc", list(requests()))
    write("blob", list(blobs()))


main()
