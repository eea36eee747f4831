#!/usr/bin/env python3
"""Answers the questions of `xahau-email conformance check DIR -- python3 tests/oracle/conformance.py`, by the reading of
docs/spec.md in oracle.py and rules.py, which share no code with the program. docs/conformance.md describes the lines."""
import hashlib, json, sys
import oracle as O

def up(b): return b.hex().upper()

def address(q):
    try:
        local, domain = O.addr_spec(q["address"])
        if q["as"] == "recipient": canonical, account, tag = O.recipient_from_address(local, domain)
        else:
            canonical = O.canonical(local, domain)
            account, tag = O.no_special(O.account_of(canonical)), None
    except O.Refuse as e: return {"rule": e.rule}
    return {"canonical": canonical, "account": O.r_address(account), "account_id": up(account), "tag": tag}

def judged(q):
    # oracle.py takes a record as text; several as a list.
    texts = {name: [bytes.fromhex(r).decode("utf-8", "surrogateescape") for r in records] for name, records in q["keys"].items()}
    keys = {name: records[0] if len(records) == 1 else records for name, records in texts.items() if records}
    return O.judge(bytes.fromhex(q["mail"]), keys, q["now"], q["network_id"])

def verdict(q):
    r = judged(q)
    if not r["accept"]: return {"verdict": "unknown" if r["rule"] == "7.3" else "no", "rule": r["rule"]}
    tx = r["tx"]
    rekey = tx["TransactionType"] == "SetRegularKey"
    return {"verdict": "yes", "from": r["from"], "to": r["to"], "amount": None if rekey else tx["Amounts"][0]["AmountEntry"]["Amount"],
            "regular_key": tx.get("RegularKey"), "instruction": r["instruction"], "date": r["date"], "email_id": r["email_id"],
            "normal_form_sha256": up(hashlib.sha256(bytes.fromhex(r["normal_form_hex"])).digest())}

def normal_form(q): return {"normal_form": judged(q)["normal_form_hex"].upper()}

KINDS = {"address": address, "verdict": verdict, "normal_form": normal_form}

def main():
    for line in sys.stdin:
        q = json.loads(line)
        answer = {"id": q["id"]}
        if q["kind"] in KINDS:
            try: answer["output"] = KINDS[q["kind"]](q["input"])
            except Exception as e: answer["error"] = "%s: %s" % (type(e).__name__, e)
        else: answer["unsupported"] = True
        print(json.dumps(answer), flush=True)
if __name__ == "__main__": main()
