#!/usr/bin/env python3
"""Writes fixtures/cases. usage: make_cases.py [--check | --keys]

Every case carries an expectation written by hand in an attacks_*.py file. oracle.py has to say the same, else nothing is
written. --check compares the folders with what would be written; --keys makes the test keys again (about a minute).
"""
import hashlib, importlib, json, os, shutil, sys
import casekit, oracle as O

FOLDER = os.path.normpath(os.path.join(casekit.HERE, "..", "..", "fixtures", "cases"))

def name(slug):
    c = casekit.BY_SLUG[slug]
    return "%04d-%s" % (c["number"], c["slug"])
def verdict(c): return {None: "yes", "7.3": "unknown"}.get(c["rule"], "no")
def amount_json(c):
    a = c["amount"]
    if not isinstance(a, tuple):
        whole, _, part = a.partition(".")
        return str(int(whole + part.ljust(6, "0")))
    return {"currency": a[1], "issuer": a[2], "value": a[0]}
def recipient(to):
    if isinstance(to, tuple): return {"address": None, "account": to[0], "tag": to[1]}
    return {"address": to, "account": O.r_address(O.account_of(to)), "tag": None}

def expected(c):
    """expect.json without what only a computation can give"""
    e = {"network_id": c["net"], "at": c["at"], "qualifies": verdict(c), "rule": c["rule"]}
    if c["rule"] is None:
        e["from"] = {"address": c["from_is"], "account": O.r_address(O.account_of(c["from_is"]))}
        rekey = c["line"].startswith("REKEY")
        e["to"] = None if rekey else recipient(c["to_is"])
        e["amount"] = None if rekey else amount_json(c)
        e["regular_key"] = c["line"].split(" ")[1] if rekey else None
        e["instruction"] = c["line"]
        e["date"] = c["date_is"]
    return e

def computed(r):
    """The same from the oracle's answer, and what is added from it."""
    tx = r["tx"]
    rekey = tx["TransactionType"] == "SetRegularKey"
    same = {"from": r["from"], "to": None if rekey else r["to"], "instruction": r["instruction"], "date": r["date"] + O.EPOCH2000,
            "amount": None if rekey else tx["Amounts"][0]["AmountEntry"]["Amount"], "regular_key": tx["RegularKey"] if rekey else None}
    if not rekey: assert tx["Destination"] == r["to"]["account"] and tx.get("DestinationTag") == r["to"]["tag"]
    return same, {"email_id": r["email_id"], "normal_form_sha256": hashlib.sha256(bytes.fromhex(r["normal_form_hex"])).hexdigest().upper()}

def judge(c):
    keys = {n: v if len(v) != 1 else v[0].encode("latin1").decode("utf-8", "surrogateescape") for n, v in c["keys"].items() if v}
    return O.judge(c["mail"], keys, c["at"] - O.EPOCH2000, c["net"])

def confirm(c, problems):
    """expect.json of a case, or a line in `problems` where the oracle reads the mail otherwise."""
    say = lambda what: problems.append("%s: %s" % (name(c["slug"]), what))
    e = expected(c)
    r = judge(c)
    want = c["rule"]
    if r["rule"] != want: say("expected %s, oracle %s (%s)" % (want, r["rule"], r.get("why_oracle")))
    if c["rule"] is None and r["accept"]:
        same, more = computed(r)
        for k, v in same.items():
            if e[k] != v: say("%s: expected %r, oracle %r" % (k, e[k], v))
        e.update(more)
    if c["rule"] is not None:
        if c["like"] is None: say("no harmless sibling")
        elif casekit.BY_SLUG[c["like"]]["rule"] is not None: say("its sibling is refused too")
        else: e["sibling"] = name(c["like"])
    if c["same"]: e["same_payment_as"] = name(c["same"])
    return e

def why_text(c):
    rows = ["# " + c["slug"].replace("-", " "), "", c["why"], "", "Spec: " + c["spec"]]
    if c["rfc"]: rows += ["", "Source: " + c["rfc"]]
    return "\n".join(rows) + "\n"

def build():
    for f in sorted(os.listdir(casekit.HERE)):
        if f.startswith("attacks_") and f.endswith(".py"): importlib.import_module(f[:-3])
    casekit.CASES.sort(key=lambda c: c["number"])
    problems, files = [], {}
    numbers = [c["number"] for c in casekit.CASES]
    assert len(set(numbers)) == len(numbers), "a number is used twice"
    readme = open(os.path.join(FOLDER, "README.md")).read()
    for first, title in casekit.GROUPS:
        row = "| %04d | %s |" % (first, title)
        if row not in readme: problems.append("README.md lacks " + row)
    for c in casekit.CASES:
        e = confirm(c, problems)
        folder = name(c["slug"])
        dump = lambda v: (json.dumps(v, indent=1, ensure_ascii=True) + "\n").encode()
        files[folder] = {"email.eml": c["mail"], "keys.json": dump(dict(sorted(c["keys"].items()))), "expect.json": dump(e), "why.md": why_text(c).encode("ascii")}
    return problems, files

def main():
    if sys.argv[1:] == ["--keys"]: return casekit.make_keys()
    problems, files = build()
    for p in problems: print(p)
    count = {v: sum(verdict(c) == v for c in casekit.CASES) for v in ("yes", "no", "unknown")}
    print("%d cases: %s; %d problems" % (len(files), ", ".join("%d %s" % (n, v) for v, n in count.items()), len(problems)))
    if problems: sys.exit(1)
    old = {f for f in os.listdir(FOLDER) if os.path.isdir(os.path.join(FOLDER, f))} if os.path.isdir(FOLDER) else set()
    if sys.argv[1:] == ["--check"]:
        stale = sorted(old ^ set(files))
        for folder in set(files) & old:
            for f, b in files[folder].items():
                path = os.path.join(FOLDER, folder, f)
                if not os.path.exists(path) or open(path, "rb").read() != b: stale.append(folder + "/" + f)
        for s in stale: print("differs:", s)
        sys.exit(1 if stale else 0)
    for folder in old - set(files): shutil.rmtree(os.path.join(FOLDER, folder))
    for folder, parts in files.items():
        os.makedirs(os.path.join(FOLDER, folder), exist_ok=True)
        for f, b in parts.items():
            with open(os.path.join(FOLDER, folder, f), "wb") as out: out.write(b)
if __name__ == "__main__": main()
