#!/usr/bin/env python3
"""Writes fixtures/vectors/rules, the vectors about what is no raw mail. usage: make_rules.py [--check]

The answers are those of oracle.py and rules.py, which read docs/spec.md alone. One file for each kind, in the form of a
conformance pack (docs/conformance.md). --check compares the files with what would be written.
"""
import json, os, sys
import oracle as O

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.normpath(os.path.join(HERE, "..", "..", "fixtures"))
FOLDER = os.path.join(FIXTURES, "vectors", "rules")
RULES = 1
VECTORS = {}

def vector(kind, name, about, input, output):
    VECTORS.setdefault(kind, []).append({"about": about, "input": input, "name": name, "output": output})

# ---------------------------------------------------------------- addresses
def addresses():
    import conformance as C
    recorded = json.load(open(os.path.join(FIXTURES, "vectors", "addresses.json")))
    def both(address, about, sides=("sender", "recipient")):
        for side in sides:
            name = "%s %s" % (side, ascii(address)[1:-1] if len(address) < 60 else "%s... (%d bytes)" % (address[:40], len(address)))
            if any(v["name"] == name for v in VECTORS.get("address", [])): continue
            input = {"address": address, "as": side}
            output = C.address(input)
            vector("address", name, about, input, output)
            yield output
    for row in recorded["accept"]:
        for output in both(row["address"], "canonical form and account"):
            assert (output["canonical"], output["account_id"], output["account"]) == (row["canonical"], row["account_id"], row["r_address"])
    for address in recorded["reject"]:
        for output in both(address, "neither a sender nor a recipient"): assert "rule" in output, address
    classic, bad = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o", "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5a"
    for local, about in [
            (classic, "a classic address is that account, whatever the domain; a sender's is hashed"),
            (classic + "+0", "a destination tag"), (classic + "+4294967295", "the largest tag"), (classic + "+4294967296", "a tag too large"),
            (classic + "+007", "a tag has one spelling"), (classic + "+", "no tag behind the plus"), (classic + "+1+2", "two tags"),
            (bad, "a typing error in a classic address"), (classic.lower(), "a classic address in lower case"), (classic.upper(), "in upper case"),
            (O.r_address(O.ZERO), "account zero"), (O.r_address(O.ONE), "account one"), ("r" + "a" * 24, "meant as an account"),
            ("r" + "a" * 23, "a letter too few to be meant as an account"), ("X" + "7" * 24 + "-and-more", "meant as an X-address"),
            ("t" + "a" * 40, "meant as the X-address of a test network"), ("t" + "a" * 39, "a letter too few"),
            ("b" * 64, "64 bytes before the @"), ("a.b", "a dot"), ("a.b+tag", "a tag where none is documented")]:
        for _ in both(local + "@example.com", about): pass
    for domain, about in [("l" * 63 + ".example", "a label of 63"), ("l" * 64 + ".example", "a label of 64"), ("a.b_c.example", "an underscore"),
                          ("xn--bcher-kva.example", "an A-label"), ("1.2", "digits alone are labels too"), ("example..com", "an empty label"),
                          (".".join(["a" * 61] * 4) + ".abcde", "a domain of 253 bytes"), (".".join(["a" * 61] * 4) + ".abcdef", "a domain of 254 bytes")]:
        for _ in both("bob@" + domain, about): pass
    for domain in sorted(O.PLUS_OK):
        for _ in both("A.B+c+d@" + domain.upper(), "a documented tag; dots go at Gmail alone"): pass
    for address, about in [("+@gmail.com", "nothing before the plus"), ("..a+b@gmail.com", "a dot first"), ("a.+b@gmail.com", "a dot left by the cut"),
                           ("a..b@gmail.com", "dots inside"), ("A@EXAMPLE.COM", "upper case"), ("a@b@example.com", "a second @"), ("<a@example.com>", "brackets"),
                           (" a@example.com", "a blank first"), ("a@example.com ", "a blank last"), ("a@example.com.", "a dot last"), ("\"a\"@example.com", "quotes"),
                           ("a@example.com\n", "a line end"), ("a\u00e9@example.com", "no ASCII"), ("a@ex\uff0eample.com", "a full-width dot")]:
        for _ in both(address, about): pass

def text(kind):
    head = json.dumps({"format": 1, "kind": kind, "rules": RULES}, separators=(",", ":"))
    rows = [json.dumps(v, separators=(",", ":"), sort_keys=True) for v in VECTORS[kind]]
    return "%s,\"vectors\":[\n%s\n]}\n" % (head[:-1], ",\n".join(rows))

def main():
    addresses()
    stale = []
    os.makedirs(FOLDER, exist_ok=True)
    for kind in sorted(VECTORS):
        path = os.path.join(FOLDER, kind + ".json")
        if sys.argv[1:] != ["--check"]: open(path, "w").write(text(kind))
        elif not os.path.exists(path) or open(path).read() != text(kind): stale.append(kind)
    stale += ["%s: nothing writes it" % f for f in os.listdir(FOLDER) if f[:-5] not in VECTORS]
    print(", ".join("%d %s" % (len(VECTORS[kind]), kind) for kind in sorted(VECTORS)))
    for s in stale: print("differs:", s)
    sys.exit(1 if stale else 0)
if __name__ == "__main__": main()
