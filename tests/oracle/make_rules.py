#!/usr/bin/env python3
"""Writes fixtures/vectors/rules, the vectors about what is no raw mail. usage: make_rules.py [--check]

The answers are those of oracle.py and rules.py, which read docs/spec.md alone. One file for each kind, in the form of a
conformance pack (docs/conformance.md). --check compares the files with what would be written.
"""
import hashlib, json, os, sys
import casekit, conformance as C, oracle as O, rules as R

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.normpath(os.path.join(HERE, "..", "..", "fixtures"))
FOLDER = os.path.join(FIXTURES, "vectors", "rules")
RULES = 1
VECTORS = {}

def vector(kind, name, about, input, output):
    VECTORS.setdefault(kind, []).append({"about": about, "input": input, "name": name, "output": output})

# ---------------------------------------------------------------- addresses
def addresses():
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

def asked(kind, name, about, input):
    output = C.KINDS[kind](input)
    vector(kind, name, about, input, output)
    return output

# ---------------------------------------------------------------- mails that make a transaction
class Sample:
    """A recorded mail, read"""
    def __init__(self, name, mail, keys, network, now):
        self.name, self.mail, self.keys, self.network, self.now = name, mail, keys, network, now
        self.question = {"mail": R.up(mail), "keys": {n: [R.up(r) for r in rs] for n, rs in keys.items()}, "network_id": network, "now": now}
        r = C.judged(self.question)
        assert r["accept"], name
        self.memo, self.object = bytes.fromhex(r["normal_form_hex"]), R.decode(bytes.fromhex(r["email_id_object_hex"]))
        self.account, self.date, self.email_id = O.classic(r["from"]["account"]), r["date"], bytes.fromhex(r["email_id"])
        self.rekey = self.object["TransactionType"] == R.SET_REGULAR_KEY
        self.sig, _ = O.read_memo(self.memo, network)
        self.tx = R.derived(self.account, self.object, network, self.memo)
        self.fee = 10 + len(self.memo)
    def wrap(self, **w): return R.wrapped(self.tx, w.get("sequence", 5), w.get("fee", self.fee), w.get("last", 120))
def of_case(folder):
    f = os.path.join(FIXTURES, "cases", folder)
    e = json.load(open(os.path.join(f, "expect.json")))
    keys = {n: [r.encode("latin1") for r in rs] for n, rs in json.load(open(os.path.join(f, "keys.json"))).items()}
    return Sample("cases/" + folder, open(os.path.join(f, "email.eml"), "rb").read(), keys, e["network_id"], e["at"] - O.EPOCH2000)
def of_set(name, file):
    d = json.load(open(os.path.join(FIXTURES, "vectors", name, "vectors.json")))
    c = next(c for c in d["cases"] if c["file"] == file)
    mail = open(os.path.join(FIXTURES, "vectors", name, file), "rb").read()
    keys = {n: [r.encode()] for n, r in d["keys"].items() if all(p in mail.decode("latin1").lower() for p in n.split("._domainkey."))}
    return Sample("%s/%s" % (name, file[:-4]), mail, keys, c["network_id"], d["clock"]["since_2000"])
SAMPLES = []
def samples():
    d = json.load(open(os.path.join(FIXTURES, "vectors", "mail", "vectors.json")))
    SAMPLES.extend(of_set("mail", c["file"]) for c in d["cases"] if c["accept"])
    for folder in sorted(os.listdir(os.path.join(FIXTURES, "cases"))):
        f = os.path.join(FIXTURES, "cases", folder, "expect.json")
        if os.path.exists(f) and json.load(open(f))["qualifies"] == "yes" and folder[2:4] in ("01", "02", "05", "81", "82", "83"):
            SAMPLES.append(of_case(folder))

def transactions():
    for n, s in enumerate(SAMPLES):
        for sequence, fee, last in ((1, s.fee, 20), (4294967295, 10**17, 4294967295))[:1 if n else 2]:
            asked("transaction", "%s sequence %d" % (s.name, sequence), "the transaction of a mail, and its id",
                  {**s.question, "sequence": sequence, "fee": fee, "last_ledger_sequence": last})

# ---------------------------------------------------------------- transactions on a ledger
PARENT = bytes.fromhex("AB" * 32)
def key_entry(s, attested=100, **more):
    """the DKIMKey that proves the mail"""
    (name, records), = [(n, rs) for n, rs in s.keys.items() if n == s.sig.qname]
    kind, p, strict = O.key_record(records[0])
    selector, domain = (x.encode() for x in name.split("._domainkey."))
    e = {"LedgerEntryType": R.DKIM_KEY, "Flags": strict, "Domain": domain, "Selector": selector, "DKIMKeyType": kind, "PublicKey": p,
         "FirstSeen": s.now - 7000, "LastAttested": s.now - attested, "PreviousTxnID": bytes(32), "PreviousTxnLgrSeq": 3}
    e.update(more)
    return R.of_key(domain, selector), {k: v for k, v in e.items() if v is not None}
def root(s, **more):
    e = {"LedgerEntryType": R.ACCOUNT_ROOT, "Flags": 0, "Account": s.account, "Sequence": 5, "Balance": R.drops(100000000), "OwnerCount": 0,
         "PreviousTxnID": bytes(32), "PreviousTxnLgrSeq": 3}
    return {R.of_account(s.account): {**e, **more}}
def replay(s, n=0, rekey=None, mark=None, dates=None, **more):
    es = []
    for i in range(n):
        h = R.half(b"entry %d" % i)
        es.append({"EmailID": h, "SignatureHash": R.half(h), "SignedDate": dates[i] if dates else s.now - i})
    e = {"LedgerEntryType": R.EMAIL_REPLAY, "Flags": 0, "Account": s.account, "PreviousTxnID": bytes(32), "PreviousTxnLgrSeq": 3}
    if es: e["EmailReplayEntries"] = [("EmailReplayEntry", x) for x in sorted(es, key=lambda x: x["EmailID"])]
    if rekey is not None: e.update(LastRekey=rekey, LastRekeyID=R.half(b"rekey"), SignatureHash=R.half(b"signature"))
    if mark: e["RekeyMark"] = mark
    return {R.of_replay(s.account): {**e, **more}}
def hexed(state): return {R.up(i): R.up(R.encode(e)) for i, e in sorted(state.items())}
def on_ledger(name, about, s, tx=None, state=None, parent=None, expect=None, **more):
    i, key = key_entry(s)
    q = {"tx_blob": R.up(R.encode(tx or s.wrap())), "network_id": s.network, "amendment": True, "ledger_index": 100, "now": s.now, "parent_hash": R.up(PARENT),
         "base_fee": 10, "reserve_base": 1000000, "reserve_increment": 200000,
         "entries": hexed(root(s) if state is None else state), "parent_entries": hexed({i: key} if parent is None else parent)}
    out = asked("email", name, about, {**q, **more})
    assert expect is None or out["result"] == expect, (name, out, expect)
    return out

def ledgers():
    for s in SAMPLES: on_ledger(s.name, "a mail that nothing stands against", s, expect="tefEMAIL_AFTER" if b" AFTER " in s.memo else "tesSUCCESS")
    s, rekey = of_set("mail", "c002.eml"), of_set("mail", "c036.eml")
    untimed, untimed_after = of_case("0101-outlook-as-sent"), of_case("2584-rekey-after-untimed")
    after, plain_rekey = of_case("2582-rekey-after"), of_case("2581-rekey-plain")
    both = [("remit", s), ("rekey", rekey)]
    tx = s.wrap()
    for name, change, expect, rule in [
            ("without the flag", {"Flags": R.CANONICAL}, "temMALFORMED", "6.2"), ("with another flag too", {"Flags": R.EMAIL_SIG | R.CANONICAL | 1}, "temMALFORMED", "6.2"),
            ("not fully canonical", {"Flags": R.EMAIL_SIG}, "temMALFORMED", "6.2"), ("a payment", {"TransactionType": 0}, "temINVALID_FLAG", "1"),
            ("another amount", {"Amounts": [("AmountEntry", {"Amount": R.drops(10000001)})]}, "temMALFORMED", "6.2"),
            ("another destination", {"Destination": b"\7" * 20}, "temMALFORMED", "6.2"), ("a destination tag more", {"DestinationTag": 0}, "temMALFORMED", "6.2"),
            ("a source tag", {"SourceTag": 1}, "temMALFORMED", "6.2"), ("a signature too", {"TxnSignature": b"\1"}, "temMALFORMED", "6.2"),
            ("a signing key", {"SigningPubKey": b"\2" * 33}, "temMALFORMED", "6.2"), ("another account", {"Account": b"\x09" * 20}, "temMALFORMED", "6.2"),
            ("another network's number", {"NetworkID": 21338}, "temMALFORMED", "6.2"), ("two memos", {"Memos": s.tx["Memos"] * 2}, "temMALFORMED", "6.2"),
            ("a memo with a type", {"Memos": [("Memo", {"MemoData": s.memo, "MemoType": b"x"})]}, "temMALFORMED", "6.2"), ("no memos", {"Memos": []}, "temMALFORMED", "6.2"),
            ("an issued fee", {"Fee": b"\xd4\x83\x8d\x7e\xa4\xc6\x80\x00" + bytes(12) + b"EUR" + bytes(5) + b"\7" * 20}, "temMALFORMED", "6.2"),
            ("without NetworkID", {"NetworkID": None}, "temMALFORMED", "6.2"), ("without Sequence", {"Sequence": None}, "temMALFORMED", "6.2"),
            ("without SigningPubKey", {"SigningPubKey": None}, "temMALFORMED", "6.2"), ("without amounts", {"Amounts": None}, "temMALFORMED", "6.2"),
            ("without LastLedgerSequence", {"LastLedgerSequence": None}, "temMALFORMED", "6.3")]:
        out = on_ledger("wrapper: " + name, "the mail signs none of the wrapper, so it may say nothing", s, {k: v for k, v in {**tx, **change}.items() if v is not None})
        assert (out["result"], out["rule"]) == (expect, rule), (name, out)
    on_ledger("without the amendment", "the flag is unknown then", s, amendment=False, expect="temINVALID_FLAG")
    on_ledger("on another network", "a line without NET is for the main network", s, network_id=21338, expect="temMALFORMED")
    for file in ("mail", "oracle"):
        d = json.load(open(os.path.join(FIXTURES, "vectors", file, "vectors.json")))
        for n, c in enumerate(d["memos"]):
            memo = {**tx, "Memos": [("Memo", {"MemoData": bytes.fromhex(c["memo_hex"])})]}
            if c["accept"] or c["network_id"] != 21337: continue
            out = on_ledger("memo: %s (%s)" % (c["why"], file), "a memo is its own normal form", s, memo)
            assert out["rule"] == c["rule"], (c["why"], out)
    for bytes_over in (0, 1):
        memo = {**tx, "Memos": [("Memo", {"MemoData": b"a" * (65536 + bytes_over)})]}
        on_ledger("memo: %d bytes" % (65536 + bytes_over), "the bound on a memo", s, memo)
    for kind, m in both:
        for name, change, expect in [("no account", {}, "terNO_ACCOUNT"), ("email disabled", {"Flags": 1}, "tefEMAIL_DISABLED"), ("master key disabled", {"Flags": 0x100000}, "tefEMAIL_DISABLED"),
                ("other flags", {"Flags": 0x6f0000 & ~0x100000}, "tesSUCCESS"), ("sequence used", {"Sequence": 6}, "tefPAST_SEQ"), ("sequence ahead", {"Sequence": 4}, "terPRE_SEQ"),
                ("balance one short of the fee", {"Balance": R.drops(m.fee - 1)}, "terINSUF_FEE_B"),
                ("the fee and no more", {"Balance": R.drops(m.fee)}, "tesSUCCESS" if kind == "rekey" else "terINSUF_FEE_B"),
                ("fee and reserve", {"Balance": R.drops(m.fee + 1000000)}, "tesSUCCESS"),
                ("a drop less than fee and reserve", {"Balance": R.drops(m.fee + 999999)}, "tesSUCCESS" if kind == "rekey" else "terINSUF_FEE_B"),
                ("fee and reserve of what it owns", {"OwnerCount": 3, "Balance": R.drops(m.fee + 1600000)}, "tesSUCCESS"),
                ("a drop less than that", {"OwnerCount": 3, "Balance": R.drops(m.fee + 1599999)}, "tesSUCCESS" if kind == "rekey" else "terINSUF_FEE_B")]:
            on_ledger("account: %s, %s" % (name, kind), "the state of the account", m, state=root(m, **change) if change else {}, expect=expect)
        on_ledger("last ledger, " + kind, "LastLedgerSequence is this ledger", m, ledger_index=120, expect="tesSUCCESS")
        on_ledger("last ledger passed, " + kind, "LastLedgerSequence is before this ledger", m, ledger_index=121, expect="tefMAX_LEDGER")
        for fee, expect in ((m.fee - 1, "tefBAD_EMAIL_FEE"), (m.fee, "tesSUCCESS"), (m.fee + 1000, "tesSUCCESS"), (m.fee + 1001, "tefBAD_EMAIL_FEE")):
            on_ledger("fee %+d, %s" % (fee - m.fee, kind), "the required fee, and 100 base fees above", m, m.wrap(fee=fee), expect=expect)
        for d in (432000, 432001, -288, -289, -300, -301):
            at = m.date + d
            i, key = key_entry(m); key["LastAttested"] = at
            on_ledger("window %+d, %s" % (d, kind), "five days, and 300 s ahead; both the Date and t= count", m, parent={i: key}, now=at)
        keys(kind, m)
        history(kind, m)
    refused(s)
    ordered(s)
    marks(untimed, untimed_after, after, plain_rekey)

def refused(sample):
    """transactions of refused mails: up to four of the attack set for each rule and order, on an empty ledger"""
    count = {}
    for name in sorted(os.listdir(os.path.join(FIXTURES, "cases"))):
        path = os.path.join(FIXTURES, "cases", name)
        if not os.path.isdir(path): continue
        e = json.load(open(os.path.join(path, "expect.json")))
        if e["qualifies"] != "no" or e["network_id"] != 21337: continue
        try:
            fields, body = O.parse_mail(open(os.path.join(path, "email.eml"), "rb").read())
            memo = O.form(fields, body, next(k for k, f in enumerate(fields) if f[0].lower() == b"dkim-signature")).nf
        except (O.Refuse, StopIteration): continue
        about = e["rule"], b"REKEY" in memo
        if len(memo) > 4000 or count.get(about, 0) >= 4: continue
        out = on_ledger("memo of cases/" + name, "a refused mail as a transaction", sample, {**sample.wrap(), "Memos": [("Memo", {"MemoData": memo})]}, state={}, parent={})
        if out["result"] != "terNO_ACCOUNT": count[about] = count.get(about, 0) + 1
def keys(kind, m):
    i, key = key_entry(m)
    gone = {"PublicKey": None, "DKIMKeyType": None}
    waits = {**gone, "NextKeyType": key["DKIMKeyType"], "NextKey": key["PublicKey"], "ActiveAfter": m.now + 10}
    for name, parent, expect in [
            ("none", {}, "terNO_DKIM_KEY"), ("attested an hour ago", dict([key_entry(m, 3600)]), "tesSUCCESS"), ("attested six hours ago", dict([key_entry(m, 21600)]), "tesSUCCESS"),
            ("attested a second earlier", dict([key_entry(m, 21601)]), "terNO_DKIM_KEY"), ("attested ahead", dict([key_entry(m, -50)]), "tesSUCCESS"),
            ("revoked", dict([key_entry(m, RevokedAt=m.now - 100)]), "tefDKIM_REVOKED"), ("revoked long ago", dict([key_entry(m, 3601, RevokedAt=m.now - 3601)]), "terNO_DKIM_KEY"),
            ("waiting", dict([key_entry(m, **waits)]), "terNO_DKIM_KEY"), ("another name", {R.of_key(b"elsewhere.test", b"s1"): key}, "terNO_DKIM_KEY"),
            ("leaked", {i: key, R.of_leak(R.key_hash(key["DKIMKeyType"], key["PublicKey"])): {"LedgerEntryType": R.DKIM_LEAK, "Flags": 0}}, "tefDKIM_REVOKED"),
            ("another leaked", {i: key, R.of_leak(bytes(32)): {"LedgerEntryType": R.DKIM_LEAK, "Flags": 0}}, "tesSUCCESS"),
            ("another key", dict([key_entry(m, PublicKey=other_key())]), "tefBAD_SIGNATURE"), ("another key, not fresh", dict([key_entry(m, 3601, PublicKey=other_key())]), "terNO_DKIM_KEY"),
            ("of another type", dict([key_entry(m, DKIMKeyType=2, PublicKey=casekit.Ed(b"x").pub)]), "tefBAD_SIGNATURE")]:
        on_ledger("key: %s, %s" % (name, kind), "the key of the parent ledger, at its close time", m, parent=parent, expect=expect)
    on_ledger("key: in this ledger alone, " + kind, "a key counts from the next ledger on", m, state={**root(m), i: key}, parent={}, expect="terNO_DKIM_KEY")
    for name, until, expect in [("frozen", None, "tefDKIM_FROZEN"), ("lifted after the Date", m.date + 1, "tefDKIM_FROZEN"), ("lifted at the Date", m.date, "tesSUCCESS")]:
        e = {"LedgerEntryType": R.DKIM_FREEZE, "Flags": 0, "Domain": key["Domain"], "FirstSeen": m.now - 9000, "LastAttested": m.now - 9000, "PreviousTxnID": bytes(32), "PreviousTxnLgrSeq": 3}
        if until is not None: e["ActiveAfter"] = until
        on_ledger("domain %s, %s" % (name, kind), "a frozen domain stops its mails, whatever their key", m, parent={i: key, R.of_freeze(key["Domain"]): e}, expect=expect)
        on_ledger("domain %s, no key, %s" % (name, kind), "the freeze stands before the key", m, parent={R.of_freeze(key["Domain"]): e})
def other_key(): return casekit.spki(casekit.K["other"])

def history(kind, m):
    """8.2 to 8.6"""
    own = {"EmailID": m.email_id, "SignatureHash": R.half(b"another"), "SignedDate": m.date}
    same = {"EmailID": R.half(b"another"), "SignatureHash": R.half(m.sig.b), "SignedDate": m.date}
    for name, e in (("its EmailID", own), ("its signature", same)):
        on_ledger("replay: %s is entered, %s" % (name, kind), "one meaning, and one signature, is executed once", m,
                  state={**root(m), **replay(m, EmailReplayEntries=[("EmailReplayEntry", e)])}, expect="tefEMAIL_REPLAY")
    on_ledger("replay: the last REKEY was this mail, " + kind, "executed stands before the REKEY", m,
              state={**root(m), **replay(m, rekey=m.now, LastRekeyID=m.email_id)}, expect="tefEMAIL_REPLAY")
    for n in (1, 63, 64, 65):
        fee = m.fee if kind == "rekey" else m.fee + 10 * n
        expect = "tefEMAIL_FULL" if n >= 64 and kind == "remit" else "tesSUCCESS"
        on_ledger("replay: %d live entries, %s" % (n, kind), "a REMIT pays for each, and finds no place beside 64", m, m.wrap(fee=fee), state={**root(m), **replay(m, n)}, expect=expect)
    for dead in (1, 8, 9, 20):
        dates = [m.now - 432001 - i for i in range(dead)] + [m.now - 432000, m.now]
        fee = m.fee if kind == "rekey" else m.fee + 20
        on_ledger("replay: %d dead and 2 live entries, %s" % (dead, kind), "up to 8 dead ones go, those with the smallest EmailIDs", m, m.wrap(fee=fee),
                  state={**root(m), **replay(m, dead + 2, dates=dates)}, expect="tesSUCCESS")
    t = m.sig.signed_at - O.EPOCH2000
    for name, at, expect in (("before it was signed", t - 1, "tesSUCCESS"), ("as it was signed", t, "tefEMAIL_EXPIRED"), ("after it was signed", t + 1, "tefEMAIL_EXPIRED")):
        on_ledger("replay: a REKEY %s, %s" % (name, kind), "no mail signed before a REKEY undoes it", m, state={**root(m), **replay(m, rekey=at)}, expect=expect)
        on_ledger("replay: a REKEY %s with a mark, %s" % (name, kind), "t= shows that the mail is younger", m,
                  state={**root(m), **replay(m, 2, rekey=at, mark=R.half(b"mark"))}, tx=m.wrap(fee=m.fee + (0 if kind == "rekey" else 20)), expect=expect)

def marks(untimed, untimed_after, after, plain):
    """8.6: what a mail without t= needs, and AFTER"""
    named = re_mark(after)
    for name, m in (("untimed REMIT", untimed), ("untimed REKEY with AFTER", untimed_after), ("REKEY with AFTER", after), ("REKEY", plain)):
        times = [m.date] if m.sig.signed_at is None else [m.sig.signed_at - O.EPOCH2000]
        for label, mark in (("no mark", None), ("the mark", named + bytes(28)), ("another mark", bytes(32)), ("a mark that differs behind eight digits", named + b"\1" * 28)):
            on_ledger("mark: %s, %s" % (name, label), "without t= only the mark of the last REKEY tells old from new", m,
                      state={**root(m), **replay(m, rekey=times[0] - 1, mark=mark)})
        on_ledger("mark: %s, never a REKEY" % name, "AFTER matches nothing before any REKEY", m)
        on_ledger("mark: %s, a REKEY later" % name, "the time stands before the mark", m, state={**root(m), **replay(m, rekey=times[0], mark=bytes(32))}, expect="tefEMAIL_EXPIRED")
def re_mark(s):
    import re
    return bytes.fromhex(re.search(rb"AFTER ([0-9A-F]{8})", s.memo).group(1).decode())

def ordered(m):
    """what stands before what: each row has all faults from its own on"""
    i, key = key_entry(m)
    freeze = {"LedgerEntryType": R.DKIM_FREEZE, "Flags": 0, "Domain": key["Domain"], "FirstSeen": 1, "LastAttested": 1, "PreviousTxnID": bytes(32), "PreviousTxnLgrSeq": 3}
    full = replay(m, 64, rekey=m.date - 1000)
    executed = replay(m, 64, rekey=m.now, LastRekeyID=m.email_id)
    old = replay(m, 64, rekey=m.now)
    bad = key_entry(m, PublicKey=other_key())
    tx = m.wrap(fee=1)
    late = dict(ledger_index=121, now=m.date + 432001)
    poor = {"Balance": R.drops(0)}
    for name, expect, state, parent, more in [
            ("no account", "terNO_ACCOUNT", {}, {}, late), ("disabled", "tefEMAIL_DISABLED", {**root(m, Flags=1, Sequence=6, **poor), **executed}, {}, late),
            ("sequence", "tefPAST_SEQ", {**root(m, Sequence=6, **poor), **executed}, {}, late), ("last ledger", "tefMAX_LEDGER", {**root(m, **poor), **executed}, {}, late),
            ("window", "tefEMAIL_EXPIRED", {**root(m, **poor), **executed}, {}, dict(now=m.date + 432001)),
            ("replay", "tefEMAIL_REPLAY", {**root(m, **poor), **executed}, {}, {}), ("last rekey", "tefEMAIL_EXPIRED", {**root(m, **poor), **old}, {}, {}),
            ("full", "tefEMAIL_FULL", {**root(m, **poor), **full}, {R.of_freeze(key["Domain"]): freeze}, {}),
            ("freeze", "tefDKIM_FROZEN", root(m, **poor), {R.of_freeze(key["Domain"]): freeze}, {}), ("key", "terNO_DKIM_KEY", root(m, **poor), {}, {}),
            ("signature", "tefBAD_SIGNATURE", root(m, **poor), dict([bad]), {}), ("fee", "tefBAD_EMAIL_FEE", root(m, **poor), {i: key}, {})]:
        on_ledger("order: " + name, "the first of several faults, in the order of section 10", m, tx, state=state, parent=parent, expect=expect, **more)

# ---------------------------------------------------------------- fees, codes, indexes, keys
def small_ones():
    s = SAMPLES[0]
    for base in (10, 10**9):
        for memo in (0, 777, 65536):
            for order in ("remit", "rekey"):
                for label, entry in (("no entry", None), ("3 live", replay(s, 3)), ("64 live", replay(s, 64)), ("2 of 5 live", replay(s, 5, dates=[s.now - 432001] * 3 + [s.now - 432000] * 2)),
                                     ("after a REKEY", replay(s, rekey=s.now))):
                    e = None if entry is None else R.up(R.encode(*entry.values()))
                    asked("fee", "base %d, memo %d, %s, %s" % (base, memo, order, label), "the fee, its ceiling, and what submit_email sets",
                          {"base_fee": base, "memo_bytes": memo, "order": order, "replay_entry": e, "now": s.now})
    for name in sorted(R.CODES): asked("result_code", name, "the number of a result", {"name": name})
    for n, e, d in (("no entry", None, 0), ("no REKEY", replay(s, 2), 0), ("at once", replay(s, rekey=s.now), 0), ("a second early", replay(s, rekey=s.now), 259199), ("after 72 hours", replay(s, rekey=s.now), 259200)):
        asked("disable_email", n, "whether an account may take itself off email", {"replay_entry": None if e is None else R.up(R.encode(*e.values())), "now": s.now + d})
    for attested in (-10, 0, 3600, 3601, 21600, 21601, 2592001):
        for label, more in (("a key", {}), ("a key that was ended", {"RevokedAt": s.now - 1}), ("a record that waits", {"PublicKey": None, "DKIMKeyType": None, "NextKeyType": 1, "NextKey": b"x", "ActiveAfter": s.now})):
            asked("key_state", "%s, attested %d s ago" % (label, attested), "what an entry offers at a time", {"entry": R.up(R.encode(key_entry(s, attested, **more)[1])), "now": s.now})
    asked("key_state", "no entry", "what no entry offers", {"entry": None, "now": s.now})
    for d, sel in ((b"example.com", b"s1"), (b"example.com", b""), (b"", b""), (b"a.b.example", b"x.y_z")):
        asked("keylet", "DKIMKey %s %s" % (sel.decode(), d.decode()), "where a key stands; without a selector the directory of the domain, without both the network's delays",
              {"entry": "DKIMKey", "domain": d.decode(), "selector": sel.decode()})
        if d: asked("keylet", "DKIMFreeze %s %s" % (sel.decode(), d.decode()), "where a freeze stands", {"entry": "DKIMFreeze", "domain": d.decode()}) if not sel else None
    for a in (s.account, bytes(20), b"\xff" * 20):
        asked("keylet", "EmailReplay " + O.r_address(a), "where the mails of an account stand", {"entry": "EmailReplay", "account": O.r_address(a)})
    for h in (bytes(32), R.half(b"x")): asked("keylet", "DKIMLeak " + R.up(h), "where a leaked key stands", {"entry": "DKIMLeak", "key_hash": R.up(h)})

def records():
    seen = set()
    def add(name, about, raw):
        if raw in seen or len(raw) > 8192: return
        seen.add(raw)
        asked("dkim_record", name, about, {"record": R.up(raw)})
    for folder in sorted(os.listdir(os.path.join(FIXTURES, "cases"))):
        f = os.path.join(FIXTURES, "cases", folder, "keys.json")
        if not os.path.exists(f): continue
        for name, rs in sorted(json.load(open(f)).items()):
            for n, r in enumerate(rs): add("%s %s%s" % (folder, name, " %d" % (n + 1) if len(rs) > 1 else ""), "a record of that case", r.encode("latin1"))
    for set_ in ("mail", "oracle"):
        d = json.load(open(os.path.join(FIXTURES, "vectors", set_, "vectors.json")))
        for name, r in d["keys"].items(): add("%s %s" % (set_, name), "a record of that set", r.encode())

    for n in (4096, 4097):
        long = b"v=DKIM1; k=ed25519; p=Eu9I7SHtFLLYgQA51HEfhz+kWkAnaPEDAXt2r7VpgBQ=; n="
        add("%d bytes" % n, "the bound on a record", long + b"x" * (n - len(long)))

def attestations():
    record = b"v=DKIM1; k=ed25519; p=Eu9I7SHtFLLYgQA51HEfhz+kWkAnaPEDAXt2r7VpgBQ="
    for network in (21337, 0, 4294967295):
        for domain, selector in (("example.com", "s1"), ("l" * 63 + ".a.example", "x.y_z")):
            for answer in R.ANSWERS:
                asked("attestation", "%s %s %s on %d" % (answer, selector, domain[:12], network), "what a validator signs",
                      {"network_id": network, "domain": domain, "selector": "" if answer in ("frozen", "lifted") else selector, "answer": answer,
                       "observed_at": 848145600, "record": R.up(record) if answer == "record" else ""})

# ---------------------------------------------------------------- key sets
VALIDATORS = sorted((casekit.Ed(b"validator %d" % n) for n in range(10)), key=lambda x: x.pub)
PUBLIC = [b"\xed" + v.pub for v in VALIDATORS]
NOW = 848145600
D, S = b"example.com", b"s1"
RECORDS = [b"v=DKIM1; k=ed25519; p=Eu9I7SHtFLLYgQA51HEfhz+kWkAnaPEDAXt2r7VpgBQ=", b"v=DKIM1; k=ed25519; t=s; p=Eu9I7SHtFLLYgQA51HEfhz+kWkAnaPEDAXt2r7VpgBQ=",
           b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]
UNUSABLE = b"v=DKIM1; p="
PREVIOUS = {"PreviousTxnID": bytes(32), "PreviousTxnLgrSeq": 3}
FOLDER_AT = R.of_key(D, b"")
def delays(first=3600, further=21600):
    return {R.of_key(b"", b""): {"LedgerEntryType": R.DKIM_KEY, "Flags": 0, "Domain": b"", "Selector": b"", "ActiveAfter": first, "NextAfter": further,
                                 "FirstSeen": 0, "LastAttested": 2**32 - 1, **PREVIOUS}}
def folder(*selectors): return {FOLDER_AT: {"LedgerEntryType": R.DIRECTORY, "Flags": 0, "RootIndex": FOLDER_AT, "Indexes": sorted(R.of_key(D, s) for s in selectors)}}
def key(selector=S, attested=NOW - 5000, **more):
    e = {"LedgerEntryType": R.DKIM_KEY, "Flags": 0, "Domain": D, "Selector": selector, "FirstSeen": NOW - 50000, "LastAttested": attested, **PREVIOUS, **more}
    return {R.of_key(D, selector): e}
def held(record, selector=S, **more):
    kind, p, strict = O.key_record(record)
    return key(selector, DKIMKeyType=kind, PublicKey=p, **{"Flags": strict, **more})
def waits(record, after, selector=S, seen=NOW - 5000, **more):
    kind, p, strict = O.key_record(record)
    return key(selector, NextKeyType=kind, NextKey=p, **{"Flags": 2 * strict, "ActiveAfter": after, "FirstSeen": seen, **more})
def frozen(until=None, attested=NOW - 5000):
    e = {"LedgerEntryType": R.DKIM_FREEZE, "Flags": 0, "Domain": D, "FirstSeen": NOW - 9000, "LastAttested": attested, **PREVIOUS}
    if until is not None: e["ActiveAfter"] = until
    return {R.of_freeze(D): e}
FLAGS = {"absent": None, "unusable": 1, "record": None, "frozen": 2, "lifted": 4}
def a_set(answer, record=b"", by=range(4), at=NOW - 100, times=None, domain=D, selector=S, ledger=100, network=21337, signed=None, change=None):
    if answer in ("frozen", "lifted"): selector = b""
    words = []
    for n, v in enumerate(by):
        t = times[n] if times else at
        message = R.attestation(network, domain, selector, answer, t, record)
        words.append(("DKIMAttestation", {"PublicKey": PUBLIC[v], "Signature": VALIDATORS[v if signed is None else signed].sign(message), "ObservedAt": t}))
    tx = {"TransactionType": R.DKIM_KEY_SET, "Account": bytes(20), "Sequence": 0, "Fee": R.drops(0), "SigningPubKey": b"", "LedgerSequence": ledger,
          "Domain": domain, "Selector": selector, "DKIMRecord": record if answer == "record" else None, "Flags": FLAGS[answer], "DKIMAttestations": words}
    return {k: v for k, v in {**tx, **(change or {})}.items() if v is not None}
def set_on(name, about, tx, state=None, validators=5, expect=None, **more):
    q = {"tx_blob": R.up(R.encode(tx)), "network_id": 21337, "amendment": True, "ledger_index": 100, "now": NOW, "validators": [R.up(p) for p in PUBLIC[:validators]],
         "entries": hexed(state or {})}
    out = asked("key_set", name, about, {**q, **more})
    assert expect is None or out["result"] == expect, (name, out)
    return out
def key_sets():
    A, A_STRICT, B = RECORDS
    rec = lambda r=A, **k: a_set("record", r, **k)
    first = "a record for its first time: the key at once where there is no delay, else it waits"
    for label, state in (("no delays", {}), ("delays", delays()), ("domain known", {**delays(), **folder(b"s0"), **held(B, b"s0")}), ("domain was known", {**delays(), **folder()})):
        for r, what in ((A, "plain"), (A_STRICT, "strict"), (B, "another key")):
            set_on("first: %s, %s" % (what, label), first, rec(r), state, expect="tesSUCCESS")
        for answer in ("absent", "unusable"): set_on("first: %s, %s" % (answer, label), "nothing to end", a_set(answer), state, expect="tefFAILURE")
        set_on("first: a record that is none, %s" % label, "unusable, so nothing to end", rec(UNUSABLE), state, expect="tefFAILURE")
    states = [("a key", held(A)), ("a strict key", held(A_STRICT)), ("an ended key", held(A, RevokedAt=NOW - 5000)), ("an ended name without a key", key(RevokedAt=NOW - 5000)),
              ("waiting", waits(A, NOW - 100)), ("waiting strict", waits(A_STRICT, NOW - 100)), ("waiting longer", waits(A, NOW - 99)), ("waiting for another", waits(B, NOW - 100))]
    for label, entry in states:
        for dl, d in (("", delays()), (", no delays", {})):
            state = {**d, **folder(S), **entry}
            for what, tx in (("the record", rec(A)), ("the strict record", rec(A_STRICT)), ("another record", rec(B)), ("a record that is none", rec(UNUSABLE)),
                             ("absent", a_set("absent")), ("unusable", a_set("unusable"))):
                set_on("%s, then %s%s" % (label, what, dl), "renewed, confirmed, changed or ended", tx, state, expect="tesSUCCESS")
    leak = {R.of_leak(R.key_hash(*O.key_record(A)[:2])): {"LedgerEntryType": R.DKIM_LEAK, "Flags": 0, **PREVIOUS}}
    set_on("leaked, new", "a record of a leaked key is unusable", rec(A), {**leak}, expect="tefFAILURE")
    set_on("leaked, known", "it ends what was there", rec(A), {**leak, **folder(S), **held(A)}, expect="tesSUCCESS")
    many = [b"k%d" % n for n in range(8)]
    eight = {**folder(*many), **{i: e for m in many for i, e in held(A, m).items()}}
    set_on("eight live keys", "a domain has at most 8", rec(A), eight, expect="tefFAILURE")
    seven = {**eight, **held(A, many[0], RevokedAt=NOW - 9999)}
    set_on("seven live keys and an ended one", "ended ones do not count", rec(A), seven, expect="tesSUCCESS")
    set_on("an ended one comes back as the ninth", "it counts among the live ones again", rec(A), {**folder(S, *many), **held(A, RevokedAt=NOW - 5000), **{i: e for m in many for i, e in held(A, m).items()}}, expect="tefFAILURE")
    ended = [b"k%02d" % n for n in range(32)]
    thirty_two = {**folder(*ended), **{i: e for m in ended for i, e in held(A, m, RevokedAt=NOW - 9999).items()}}
    set_on("32 entries", "a domain has at most 32, ended ones too", rec(A), thirty_two, expect="tefFAILURE")
    for n, by, expect in ((1, [0], "tesSUCCESS"), (2, [0], "tefBAD_QUORUM"), (2, [0, 1], "tesSUCCESS"), (4, [0, 1, 2], "tefBAD_QUORUM"), (5, [0, 1, 2], "tefBAD_QUORUM"), (5, [1, 2, 3, 4], "tesSUCCESS"),
                          (6, [0, 1, 2, 3], "tefBAD_QUORUM"), (6, [0, 1, 2, 3, 4], "tesSUCCESS"), (10, range(8), "tesSUCCESS"), (10, range(7), "tefBAD_QUORUM"), (0, [0], "tefBAD_QUORUM")):
        set_on("quorum: %d of %d" % (len(by), n), "ceil(0.8 n) of the list", rec(by=by), validators=n, expect=expect)
    set_on("quorum: one is not in the list", "words of others", rec(by=[0, 1, 2, 5]), expect="tefBAD_AUTH")
    set_on("quorum: more than needed", "all of them", rec(by=range(5)), expect="tesSUCCESS")
    set_on("words: not sorted", "one spelling", rec(by=[1, 0, 2, 3]), expect="temMALFORMED")
    set_on("words: one twice", "one for each validator", rec(by=[0, 1, 1, 2]), expect="temMALFORMED")
    set_on("words: another's signature", "each signs for itself", rec(signed=0), expect="tefBAD_SIGNATURE")
    set_on("words: for another network", "the network is signed", rec(network=21338), expect="tefBAD_SIGNATURE")
    set_on("words: 600 s old", "as old as a word may be", rec(at=NOW - 600), expect="tesSUCCESS")
    set_on("words: 601 s old", "too old", rec(at=NOW - 601), expect="tefPAST_SEQ")
    set_on("words: far ahead", "an idle ledger is hours behind", rec(at=NOW + 90000), expect="tesSUCCESS")
    set_on("words: as the last quorum", "later than LastAttested", rec(at=NOW - 100), {**folder(S), **held(A, LastAttested=NOW - 100)}, expect="tefPAST_SEQ")
    set_on("words: a second after the last quorum", "later than LastAttested", rec(at=NOW - 99), {**folder(S), **held(A, LastAttested=NOW - 100)}, expect="tesSUCCESS")
    for times in ([NOW - 4, NOW - 3, NOW - 2, NOW - 1], [NOW - 1, NOW - 2, NOW - 3, NOW - 4], [NOW - 600, NOW - 600, NOW + 500, NOW + 500]):
        set_on("words: times %s" % " ".join("%+d" % (t - NOW) for t in times), "the lower median is the time", rec(times=times), delays(), expect="tesSUCCESS")
    set_on("words: five times", "the median of five", rec(by=range(5), times=[NOW - 9, NOW - 1, NOW - 5, NOW - 7, NOW - 3]), expect="tesSUCCESS")
    set_on("a second set in one ledger", "one for each name", rec(), {**folder(S), **held(A, PreviousTxnLgrSeq=100)}, expect="tefPAST_SEQ")
    set_on("for another ledger", "LedgerSequence is the ledger being built", rec(ledger=101), expect="tefPAST_SEQ")
    set_on("without the amendment", "unknown then", rec(), amendment=False, expect="temDISABLED")
    for what, change in (("upper case", {"Domain": b"Example.com"}), ("no selector", {"Selector": b""}), ("a selector of a domain's flag", {"Flags": 2, "DKIMRecord": None}),
                         ("a record and a flag", {"Flags": 1}), ("flags of zero", {"Flags": 0}), ("an unknown flag", {"Flags": 8, "DKIMRecord": None}), ("a fee", {"Fee": R.drops(10)}),
                         ("a sequence", {"Sequence": 1}), ("an account", {"Account": b"\1" * 20}), ("a key", {"SigningPubKey": b"\2" * 33}), ("a source tag", {"SourceTag": 1})):
        set_on("form: " + what, "one spelling", rec(change=change), expect="temMALFORMED")
    for n, expect in ((4096, "tesSUCCESS"), (4097, "temMALFORMED")):
        set_on("form: a record of %d bytes" % n, "the bound on a record", rec(A + b"; n=" + b"x" * (n - len(A) - 4)), expect=expect)
    for days, expect in ((2592000, "tefFAILURE"), (2592001, "tesSUCCESS")):
        set_on("removed after %d s" % days, "30 days without a word; the domain stays known", a_set("absent", by=[]), {**folder(S, b"s2"), **held(A, LastAttested=NOW - days), **held(A, b"s2")}, expect=expect)
    set_on("removed: the last one", "its directory stays", a_set("absent", by=[]), {**folder(S), **held(A, LastAttested=NOW - 2592001)}, expect="tesSUCCESS")
    set_on("removed: none there", "nothing to remove", a_set("absent", by=[]), expect="tefFAILURE")
    set_on("a record without words", "only a removal has none", rec(by=[]), expect="temMALFORMED")
    for label, state in (("never", {}), ("frozen", frozen()), ("lifted", frozen(NOW - 3000)), ("lifted ahead", frozen(NOW + 3000))):
        for answer in ("frozen", "lifted"):
            for dl, d in (("", delays()), (", no delays", {})):
                set_on("domain %s, then %s%s" % (label, answer, dl), "a freeze that changes nothing moves no time", a_set(answer), {**d, **state})

def leaks():
    rsa = casekit.K["main"]
    ed = casekit.Ed(b"leaked")
    signers = {"rsa": (casekit.record(rsa).encode(), lambda m: casekit.rsa_sign(rsa, m)),
               "ed25519": (b"v=DKIM1; k=ed25519; p=" + casekit.e64(ed.pub).encode(), lambda m: ed.sign(hashlib.sha256(m).digest()))}
    for kind, (record, sign) in signers.items():
        hash_ = R.key_hash(*O.key_record(record)[:2])
        strict = record.replace(b"v=DKIM1;", b"v=DKIM1; t=s;")
        other = {R.of_leak(hash_): {"LedgerEntryType": R.DKIM_LEAK, "Flags": 0, **PREVIOUS}}
        def leak(signature=None, network=21337, **change):
            tx = {"TransactionType": R.DKIM_KEY_LEAK, "Account": b"\7" * 20, "Sequence": 5, "Fee": R.drops(10), "SigningPubKey": PUBLIC[0], "Flags": R.CANONICAL,
                  "Domain": D, "Selector": S, "KeySignature": sign(R.leak_message(network, hash_)) if signature is None else signature}
            return {k: v for k, v in {**tx, **change}.items() if v is not None}
        for name, tx, state, expect in [
                ("a key", leak(), held(record), "tesSUCCESS"), ("a strict key", leak(), held(strict), "tesSUCCESS"), ("a record that waits", leak(), waits(record, NOW + 10), "tesSUCCESS"),
                ("a strict record that waits", leak(), waits(strict, NOW + 10), "tesSUCCESS"), ("a key that was ended", leak(), held(record, RevokedAt=NOW - 500), "tesSUCCESS"),
                ("without flags", leak(Flags=None), held(record), "tesSUCCESS"), ("no entry", leak(), {}, "tecNO_ENTRY"), ("a name without a key", leak(), key(RevokedAt=NOW - 5), "tecNO_ENTRY"),
                ("another selector", leak(Selector=b"s2"), held(record), "tecNO_ENTRY"), ("known as leaked", leak(), {**held(record), **other}, "tefALREADY"),
                ("known as leaked, bad signature", leak(b"x"), {**held(record), **other}, "tefALREADY"), ("another key", leak(), held(RECORDS[0]), "tefBAD_SIGNATURE"),
                ("of another network", leak(network=21338), held(record), "tefBAD_SIGNATURE"), ("of the hash alone", leak(sign(hash_)), held(record), "tefBAD_SIGNATURE"),
                ("a byte short", leak(sign(R.leak_message(21337, hash_))[:-1]), held(record), "tefBAD_SIGNATURE"), ("no signature", leak(b""), held(record), "temMALFORMED"),
                ("512 bytes", leak(bytes(512)), held(record), "tefBAD_SIGNATURE"), ("513 bytes", leak(bytes(513)), held(record), "temMALFORMED"),
                ("upper case", leak(Domain=b"Example.com"), held(record), "temMALFORMED"), ("no selector", leak(Selector=b""), held(record), "temMALFORMED"),
                ("without a domain", leak(Domain=None), held(record), "temMALFORMED"), ("the flag of mails", leak(Flags=R.EMAIL_SIG), held(record), "temINVALID_FLAG"),
                ("another flag", leak(Flags=1), held(record), "temINVALID_FLAG")]:
            out = asked("key_leak", "%s: %s" % (kind, name), "evidence that the secret half of a key is known",
                        {"tx_blob": R.up(R.encode(tx)), "network_id": 21337, "amendment": True, "now": NOW, "entries": hexed(state)})
            assert out["result"] == expect, (kind, name, out)
        out = asked("key_leak", kind + ": without the amendment", "unknown then", {"tx_blob": R.up(R.encode(leak())), "network_id": 21337, "amendment": False, "now": NOW, "entries": {}})
        assert out["result"] == "temDISABLED"

def text(kind):
    head = json.dumps({"format": 1, "kind": kind, "rules": RULES}, separators=(",", ":"))
    rows = [json.dumps(v, separators=(",", ":"), sort_keys=True) for v in VECTORS[kind]]
    return "%s,\"vectors\":[\n%s\n]}\n" % (head[:-1], ",\n".join(rows))

def main():
    addresses(); samples(); transactions(); ledgers(); small_ones(); records(); attestations(); key_sets(); leaks()
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
