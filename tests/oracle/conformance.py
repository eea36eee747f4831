#!/usr/bin/env python3
"""Answers the questions of `xahau-email conformance check DIR -- python3 tests/oracle/conformance.py`, by the reading of
docs/spec.md in oracle.py and rules.py, which share no code with the program. docs/conformance.md describes the lines."""
import hashlib, json, sys
import oracle as O, rules as R

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

def transaction(q):
    r = judged(q)
    acc, memo = O.classic(r["from"]["account"]), bytes.fromhex(r["normal_form_hex"])
    tx = R.derived(acc, R.decode(bytes.fromhex(r["email_id_object_hex"])), q["network_id"], memo)
    blob = R.encode(R.wrapped(tx, q["sequence"], q["fee"], q["last_ledger_sequence"]))
    return {"tx_blob": up(blob), "hash": up(R.tx_id(blob))}
def state(entries): return {bytes.fromhex(i): R.decode(bytes.fromhex(e)) for i, e in entries.items()}
def one(entry): return None if entry is None else R.decode(bytes.fromhex(entry))
def email(q):
    tx, now = R.decode(bytes.fromhex(q["tx_blob"])), state(q["entries"])
    try: m = R.email(tx, q, now, state(q["parent_entries"]))
    except R.Code as e: return {"result": e.code, "rule": e.rule}
    after = lambda applied: up(R.encode(R.next_replay(m, now.get(R.of_replay(m.account)), q["now"], bytes.fromhex(q["parent_hash"]), applied)))
    return {"result": "tesSUCCESS", "account": O.r_address(m.account), "email_id": up(m.email_id), "signature_hash": up(m.signature_hash), "date": m.date,
            "replay_entry": after(True), "replay_entry_of_tec": after(False)}
def fee(q):
    entry, rekey = one(q["replay_entry"]), q["order"] == "rekey"
    need = R.required_fee(q["base_fee"], q["memo_bytes"], rekey, entry, q["now"])
    return {"live_entries": R.live(entry, q["now"]), "required": need, "ceiling": need + 100 * q["base_fee"], "submitted": need + 10 * q["base_fee"]}
def result_code(q): return {"number": R.CODES[q["name"]]}
def disable_email(q): return {"allowed": R.may_disable(one(q["replay_entry"]), q["now"])}
def key_state(q): return {"state": R.key_state(one(q["entry"]), q["now"])}
def keylet(q):
    text = lambda member: q[member].encode()
    at = {"DKIMKey": lambda: R.of_key(text("domain"), text("selector")), "DKIMFreeze": lambda: R.of_freeze(text("domain")),
          "DKIMLeak": lambda: R.of_leak(bytes.fromhex(q["key_hash"])), "EmailReplay": lambda: R.of_replay(O.classic(q["account"]))}
    return {"index": up(at[q["entry"]]())}
def dkim_record(q):
    try: kind, p, strict = O.key_record(bytes.fromhex(q["record"]))
    except O.Refuse: return {"usable": False}
    h = R.key_hash(kind, p)
    return {"usable": True, "key_type": kind, "public_key": up(p), "flags": strict, "key_hash": up(h), "leak_message": up(R.leak_message(21337, h))}
def attestation(q):
    return {"message": up(R.attestation(q["network_id"], q["domain"].encode(), q["selector"].encode(), q["answer"], q["observed_at"], bytes.fromhex(q["record"])))}
def key_set(q):
    try: writes = R.key_set(R.decode(bytes.fromhex(q["tx_blob"])), q, state(q["entries"]))
    except R.Code as e: return {"result": e.code}
    return {"result": "tesSUCCESS", "writes": {up(i): None if e is None else up(R.encode(e)) for i, e in writes.items()}}

def key_leak(q):
    try: writes = R.key_leak(R.decode(bytes.fromhex(q["tx_blob"])), q, state(q["entries"]))
    except R.Code as e: return {"result": e.code}
    return {"result": "tesSUCCESS", "writes": {up(i): up(R.encode(e)) for i, e in writes.items()}}

KINDS = {f.__name__: f for f in (address, verdict, normal_form, transaction, email, fee, result_code, disable_email, key_state, keylet, dkim_record, attestation, key_set, key_leak)}

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
