"""Independent reading of docs/spec.md 6 to 11: transactions, ledger entries and what the rules make of them. Standard library only.

Raw mails are read by oracle.py. Numbers of fields are those of section 1 and of Xahau's server_definitions.
"""
import re
import oracle as O

def up(b): return b.hex().upper()
half = O.sha512half

# ---------------------------------------------------------------- Xahau's binary format
U16, U32, H256, AMOUNT, BLOB, ACCOUNT, OBJECT, ARRAY, U8, VECTOR = 1, 2, 5, 6, 7, 8, 14, 15, 16, 19
FIELDS = {
    "LedgerEntryType": (U16, 1), "TransactionType": (U16, 2), "NetworkID": (U32, 1), "Flags": (U32, 2), "SourceTag": (U32, 3), "Sequence": (U32, 4),
    "PreviousTxnLgrSeq": (U32, 5), "LedgerSequence": (U32, 6), "OwnerCount": (U32, 13), "DestinationTag": (U32, 14), "LastLedgerSequence": (U32, 27),
    "ActiveAfter": (U32, 60), "LastAttested": (U32, 61), "RevokedAt": (U32, 62), "SignedDate": (U32, 63), "ObservedAt": (U32, 64), "FirstSeen": (U32, 65),
    "NextAfter": (U32, 66), "LastRekey": (U32, 67), "PreviousTxnID": (H256, 5), "RootIndex": (H256, 8), "EmailID": (H256, 60), "SignatureHash": (H256, 61),
    "LastRekeyID": (H256, 62), "RekeyMark": (H256, 63), "Amount": (AMOUNT, 1), "Balance": (AMOUNT, 2), "Fee": (AMOUNT, 8), "PublicKey": (BLOB, 1),
    "SigningPubKey": (BLOB, 3), "TxnSignature": (BLOB, 4), "Signature": (BLOB, 6), "Domain": (BLOB, 7), "MemoType": (BLOB, 12), "MemoData": (BLOB, 13),
    "Selector": (BLOB, 60), "DKIMRecord": (BLOB, 61), "NextKey": (BLOB, 62), "KeySignature": (BLOB, 63), "Account": (ACCOUNT, 1), "Destination": (ACCOUNT, 3),
    "RegularKey": (ACCOUNT, 8), "Memo": (OBJECT, 10), "EmailReplayEntry": (OBJECT, 60), "DKIMAttestation": (OBJECT, 61), "AmountEntry": (OBJECT, 91),
    "Memos": (ARRAY, 9), "EmailReplayEntries": (ARRAY, 60), "DKIMAttestations": (ARRAY, 61), "Amounts": (ARRAY, 92), "DKIMKeyType": (U8, 60),
    "NextKeyType": (U8, 61), "Indexes": (VECTOR, 1)}
NAMES = {v: k for k, v in FIELDS.items()}

def header(t, n):
    if t < 16 and n < 16: return bytes([t << 4 | n])
    if t < 16: return bytes([t << 4, n])
    if n < 16: return bytes([n, t])
    return bytes([0, t, n])
def vl(b):
    n = len(b)
    if n <= 192: return bytes([n]) + b
    if n <= 12480: n -= 193; return bytes([193 + (n >> 8), n & 255]) + b
    n -= 12481; return bytes([241 + (n >> 16), n >> 8 & 255, n & 255]) + b
def drops(n): return (0x4000000000000000 | n).to_bytes(8, "big")
def encode(o):
    """{name: value}: numbers, bytes (hashes, amounts, blobs, accounts), lists of hashes, or lists of (name, object)"""
    out = b""
    for name in sorted(o, key=FIELDS.get):
        t, n = FIELDS[name]; v = o[name]; out += header(t, n)
        if t == U8: out += bytes([v])
        elif t == U16: out += v.to_bytes(2, "big")
        elif t == U32: out += v.to_bytes(4, "big")
        elif t in (H256, AMOUNT): out += v
        elif t in (BLOB, ACCOUNT): out += vl(v)
        elif t == VECTOR: out += vl(b"".join(v))
        elif t == OBJECT: out += encode(v) + b"\xe1"
        else: out += b"".join(header(*FIELDS[k]) + encode(x) + b"\xe1" for k, x in v) + b"\xf1"
    return out
def decode(b):
    o, rest = fields(b, 0)
    assert rest == len(b), "bytes behind the object"
    return o
def fields(b, i):
    o = {}
    while i < len(b) and b[i] not in (0xe1, 0xf1):
        t, n = b[i] >> 4, b[i] & 15; i += 1
        if t == 0: t = b[i]; i += 1
        if n == 0: n = b[i]; i += 1
        name = NAMES[t, n]
        assert name not in o, "a field twice"
        if t in (BLOB, ACCOUNT, VECTOR):
            l = b[i]; i += 1
            if l > 240: l = 12481 + (l - 241 << 16) + (b[i] << 8) + b[i+1]; i += 2
            elif l > 192: l = 193 + (l - 193 << 8) + b[i]; i += 1
            v = b[i:i+l]; i += l
            if t == VECTOR: v = [v[k:k+32] for k in range(0, l, 32)]
        elif t == OBJECT: v, i = fields(b, i); i += 1
        elif t == ARRAY:
            v = []
            while b[i] != 0xf1:
                k = b[i] & 15; i += 1
                if k == 0: k = b[i]; i += 1
                x, i = fields(b, i); i += 1
                v.append((NAMES[OBJECT, k], x))
            i += 1
        else:
            l = {U8: 1, U16: 2, U32: 4, H256: 32}.get(t) or (48 if b[i] & 0x80 else 8)
            v = b[i:i+l]; i += l
            if t in (U8, U16, U32): v = int.from_bytes(v, "big")
        o[name] = v
    return o, i
def tx_id(blob): return half(b"TXN\0" + blob)

# ---------------------------------------------------------------- section 1: indexes, names, numbers
def index(letter, *args): return half(b"\0" + letter.encode() + b"".join(args))
def of_account(a): return index("a", a)
def of_replay(a): return index("y", a)
def of_key(domain, selector): return index("k", half(domain + b"\0" + selector))
def of_freeze(domain): return index("j", half(domain))
def of_leak(key_hash): return index("z", key_hash)
EMAIL_SIG, CANONICAL = 0x20000000, 0x80000000
REMIT, SET_REGULAR_KEY, DKIM_KEY_SET, DKIM_KEY_LEAK = 95, 5, 110, 111
ACCOUNT_ROOT, DIRECTORY, DKIM_KEY, EMAIL_REPLAY, DKIM_LEAK, DKIM_FREEZE = 0x61, 0x64, 0x4B, 0x65, 0x6D, 0x6A
CODES = {"terNO_DKIM_KEY": -80, "terEMAIL_EARLY": -79, "tefEMAIL_EXPIRED": -160, "tefEMAIL_REPLAY": -159, "tefEMAIL_FULL": -158, "tefDKIM_REVOKED": -157,
         "tefEMAIL_DISABLED": -156, "tefBAD_EMAIL_FEE": -155, "tefEMAIL_AFTER": -154, "tefDKIM_FROZEN": -153, "tefBAD_SIGNATURE": -186, "temREDUNDANT": -275,
         "temBAD_REGKEY": -289, "temMALFORMED": -299}
KEY_LIFE, KEY_FRESH, LIVE_MAX, DEAD_REMOVED = 21600, 3600, 64, 8

class Code(Exception):
    def __init__(self, code, rule=None): super().__init__(code, rule); self.code, self.rule = code, rule

# ---------------------------------------------------------------- section 6: the transaction
def derived(acc, order, network, memo):
    """6.1, 6.2 without Sequence, Fee and LastLedgerSequence; `order` is the object of 8.1"""
    tx = {**order, "Account": acc, "Flags": EMAIL_SIG | CANONICAL, "SigningPubKey": b"", "Memos": [("Memo", {"MemoData": memo})]}
    if network > 1024: tx["NetworkID"] = network
    return tx
def wrapped(tx, sequence, fee, last): return {**tx, "Sequence": sequence, "Fee": drops(fee), "LastLedgerSequence": last}

def refusal(e, order_is_rekey=False):
    if e.rule == "3.3": return Code("tefBAD_SIGNATURE", e.rule)
    if e.rule == "2.5": return Code("temBAD_REGKEY" if "key" in e.why else "temREDUNDANT", e.rule)
    return Code("temMALFORMED", e.rule)

class Mail: pass
def preflight(tx, network, amendment):
    """section 10, all that needs no ledger"""
    if not tx.get("Flags", 0) & EMAIL_SIG: raise Code("temMALFORMED", "6.2")
    if not amendment or tx["TransactionType"] not in (REMIT, SET_REGULAR_KEY): raise Code("temINVALID_FLAG", "1")
    if "Sequence" not in tx or "Fee" not in tx or len(tx["Fee"]) != 8: raise Code("temMALFORMED", "6.2")
    if "LastLedgerSequence" not in tx: raise Code("temMALFORMED", "6.3")
    memos = tx.get("Memos", [])
    if len(memos) != 1 or list(memos[0][1]) != ["MemoData"]: raise Code("temMALFORMED", "6.2")
    m = Mail(); m.memo = memos[0][1]["MemoData"]
    try: m.sig, r = O.read_memo(m.memo, network)
    except O.Refuse as e: raise refusal(e)
    m.date, m.email_id = r["date"], bytes.fromhex(r["email_id"])
    m.signature_hash, m.account = half(m.sig.b), m.sig.acc
    order = decode(bytes.fromhex(r["email_id_object_hex"]))
    m.rekey = order["TransactionType"] == SET_REGULAR_KEY
    after = re.search(r" AFTER ([0-9A-F]{8})", r["instruction"])
    m.after = after and bytes.fromhex(after.group(1))
    m.t = None if m.sig.signed_at is None else m.sig.signed_at - O.EPOCH2000
    m.x = None if m.sig.expires is None else m.sig.expires - O.EPOCH2000
    wrap = {k: tx[k] for k in ("Sequence", "Fee", "LastLedgerSequence")}
    if tx != {**derived(m.account, order, network, m.memo), **wrap}: raise Code("temMALFORMED", "6.2")
    return m

# ---------------------------------------------------------------- section 8: replay
def is_live(e, now): return e["SignedDate"] + O.WINDOW >= now
def entries(replay): return [e for _, e in (replay or {}).get("EmailReplayEntries", [])]
def live(replay, now): return sum(is_live(e, now) for e in entries(replay))
def check_replay(m, replay, now):
    r = replay or {}
    seen = [(e["EmailID"], e["SignatureHash"]) for e in entries(r)]
    if "LastRekeyID" in r: seen.append((r["LastRekeyID"], r["SignatureHash"]))
    if any(m.email_id == i or m.signature_hash == s for i, s in seen): raise Code("tefEMAIL_REPLAY", "8.2")
    signed = m.date if m.t is None else m.t
    if "LastRekey" in r and signed <= r["LastRekey"]: raise Code("tefEMAIL_EXPIRED", "8.6")
    mark = r.get("RekeyMark")
    if mark is not None and m.t is None and not m.rekey: raise Code("tefEMAIL_DISABLED", "8.6")
    if mark is not None and m.t is None and m.after is None: raise Code("tefEMAIL_AFTER", "8.6")
    if m.after is not None and (mark is None or mark[:4] != m.after): raise Code("tefEMAIL_AFTER", "8.6")
    if not m.rekey and live(r, now) >= LIVE_MAX: raise Code("tefEMAIL_FULL", "8.5")
def next_replay(m, replay, now, parent_hash, applied):
    """8.2 to 8.4, 8.6; the ledger writes the PreviousTxn pair"""
    r = dict(replay or {"LedgerEntryType": EMAIL_REPLAY, "Flags": 0, "Account": m.account})
    left, kept = DEAD_REMOVED, []
    for e in entries(r):
        if not is_live(e, now) and left: left -= 1
        else: kept.append(e)
    if m.rekey:
        r["LastRekey"] = max(m.date, now, 0 if m.t is None else m.t)
        r["LastRekeyID"], r["SignatureHash"] = m.email_id, m.signature_hash
        if applied: r["RekeyMark"] = half(b"RKM\0" + parent_hash + m.account + m.signature_hash)
    else:
        kept.append({"EmailID": m.email_id, "SignatureHash": m.signature_hash, "SignedDate": m.date})
        kept.sort(key=lambda e: e["EmailID"])
    r.pop("EmailReplayEntries", None)
    if kept: r["EmailReplayEntries"] = [("EmailReplayEntry", e) for e in kept]
    return r
def may_disable(replay, now): return "LastRekey" not in (replay or {}) or now >= replay["LastRekey"] + 72 * 3600

# ---------------------------------------------------------------- section 9: fees
def required_fee(base, memo_bytes, rekey, replay, now): return base + memo_bytes + (0 if rekey else base * live(replay, now))

# ---------------------------------------------------------------- section 7: keys
def key_hash(kind, p): return half(p) if kind == 2 else half((lambda n: n.to_bytes((n.bit_length() + 7) // 8, "big"))(O.rsa_key(p)[0]))
def key_state(entry, now):
    """7.3, 7.4: missing, revoked, unsettled or settled"""
    if entry is None: return "missing"
    age = max(0, now - entry["LastAttested"])
    if "RevokedAt" in entry: return "revoked" if age <= KEY_FRESH else "missing"
    if "PublicKey" not in entry or age > KEY_LIFE: return "missing"
    return "settled" if age <= KEY_FRESH else "unsettled"
def authenticate(m, parent, now):
    """7.10, 7.9, 7.3, 4.5, with entries of the parent ledger"""
    selector, domain = m.sig.qname.split("._domainkey.")
    freeze = parent.get(of_freeze(domain.encode()))
    if freeze is not None and ("ActiveAfter" not in freeze or m.date < freeze["ActiveAfter"]): raise Code("tefDKIM_FROZEN", "7.10")
    entry = parent.get(of_key(domain.encode(), selector.encode()))
    if entry is not None and "PublicKey" in entry and of_leak(key_hash(entry["DKIMKeyType"], entry["PublicKey"])) in parent:
        raise Code("tefDKIM_REVOKED", "7.4")
    state = key_state(entry, now)
    if state == "missing": raise Code("terNO_DKIM_KEY", "7.3")
    if state == "revoked": raise Code("tefDKIM_REVOKED", "7.4")
    try: O.verify(m.sig, {1: "rsa", 2: "ed25519"}[entry["DKIMKeyType"]], entry["PublicKey"], entry["Flags"] & 1)
    except O.Refuse: raise Code("terNO_DKIM_KEY", "7.3") if state == "unsettled" else Code("tefBAD_SIGNATURE", "4.5")

def email(tx, q, state, parent):
    """section 10, up to the last check before anything is written -> the mail"""
    m = preflight(tx, q["network_id"], q["amendment"])
    now = q["now"]
    root = state.get(of_account(m.account))
    if root is None: raise Code("terNO_ACCOUNT", "10")
    if root["Flags"] & (0x1 | 0x100000): raise Code("tefEMAIL_DISABLED", "11")
    if tx["Sequence"] < root["Sequence"]: raise Code("tefPAST_SEQ", "6.2")
    if tx["Sequence"] > root["Sequence"]: raise Code("terPRE_SEQ", "6.2")
    if q["ledger_index"] > tx["LastLedgerSequence"]: raise Code("tefMAX_LEDGER", "6.2")
    times = [m.date] + ([] if m.t is None else [m.t])
    if any(t + O.WINDOW < now for t in times) or (m.x is not None and m.x < now): raise Code("tefEMAIL_EXPIRED", "4.6")
    if any(t > now + O.SKEW for t in times): raise Code("terEMAIL_EARLY", "4.6")
    replay = state.get(of_replay(m.account))
    check_replay(m, replay, now)
    authenticate(m, parent, now)
    fee = int.from_bytes(tx["Fee"], "big") & 0x3fffffffffffffff
    need = required_fee(q["base_fee"], len(m.memo), m.rekey, replay, now)
    if not need <= fee <= need + 100 * q["base_fee"]: raise Code("tefBAD_EMAIL_FEE", "6.3")
    left = (int.from_bytes(root["Balance"], "big") & 0x3fffffffffffffff) - fee
    reserve = q["reserve_base"] + q["reserve_increment"] * root.get("OwnerCount", 0)
    if left < (0 if m.rekey else reserve): raise Code("terINSUF_FEE_B", "6.3")
    return m

# ---------------------------------------------------------------- 7.7: attestations and DKIMKeySet
ANSWERS = {"absent": 0, "unusable": 1, "record": 2, "frozen": 3, "lifted": 4}
def attestation(network, domain, selector, answer, observed, record):
    return (b"DKA\0" + network.to_bytes(4, "big") + bytes([len(domain)]) + domain + bytes([len(selector)]) + selector + bytes([ANSWERS[answer]])
            + observed.to_bytes(4, "big") + len(record).to_bytes(2, "big") + record)
def is_name(domain, selector):
    """4.4, in lower case"""
    d, s = domain.decode("latin1"), selector.decode("latin1")
    return bool(d == d.lower() and O.ldh(d) and len(d) <= 253 and s == s.lower() and O.ldh(s, O.SLABEL) and len(s + "._domainkey." + d) <= 253)
def said(tx):
    """what a DKIMKeySet says, by its one spelling"""
    flags = tx.get("Flags", 0)
    if "DKIMRecord" in tx: answer = "record" if "Flags" not in tx else None
    else: answer = {None: "absent", 1: "unusable", 2: "frozen", 4: "lifted"}.get(tx.get("Flags"))
    if answer is None or (answer in ("frozen", "lifted")) != (tx["Selector"] == b""): raise Code("temMALFORMED")
    if not is_name(tx["Domain"], tx["Selector"] or b"s"): raise Code("temMALFORMED")
    if len(tx.get("DKIMRecord", b"")) > 4096: raise Code("temMALFORMED")
    plain = {"TransactionType": DKIM_KEY_SET, "Account": bytes(20), "Sequence": 0, "Fee": drops(0), "SigningPubKey": b""}
    if any(tx.get(k) != v for k, v in plain.items()): raise Code("temMALFORMED")
    if set(tx) - set(plain) - {"LedgerSequence", "Domain", "Selector", "DKIMRecord", "DKIMAttestations", "Flags"}: raise Code("temMALFORMED")
    return answer

def key_set(tx, q, state):
    """7.1, 7.2, 7.4, 7.8, 7.9, 7.10 -> {index: entry or None}; the ledger writes the PreviousTxn pair"""
    if not q["amendment"]: raise Code("temDISABLED")
    answer = said(tx)
    if tx["LedgerSequence"] != q["ledger_index"]: raise Code("tefPAST_SEQ")
    words = [w for _, w in tx.get("DKIMAttestations", [])]
    keys = [w["PublicKey"] for w in words]
    if keys != sorted(set(keys)) or (not words and answer != "absent"): raise Code("temMALFORMED")
    domain, selector, now = tx["Domain"], tx["Selector"], q["now"]
    at = of_key(domain, selector) if selector else of_freeze(domain)
    known = state.get(at)
    if words:
        listed = [bytes.fromhex(v) for v in q["validators"]]
        if not listed or len(words) < -(-4 * len(listed) // 5): raise Code("tefBAD_QUORUM")
        if known and known["PreviousTxnLgrSeq"] == q["ledger_index"]: raise Code("tefPAST_SEQ")
        for w in words:
            if w["PublicKey"] not in listed: raise Code("tefBAD_AUTH")
            if w["ObservedAt"] <= (known or {}).get("LastAttested", 0) or w["ObservedAt"] + 600 < now: raise Code("tefPAST_SEQ")
            message = attestation(q["network_id"], domain, selector, answer, w["ObservedAt"], tx.get("DKIMRecord", b""))
            if not O.ed_verify(w["PublicKey"][1:], message, w["Signature"]): raise Code("tefBAD_SIGNATURE")
        observed = sorted(w["ObservedAt"] for w in words)[(len(words) - 1) // 2]
    delays = state.get(of_key(b"", b""), {})
    first, further = delays.get("ActiveAfter", 0), delays.get("NextAfter", 0)
    folder = of_key(domain, b"")
    writes = {}
    def indexes(): return state.get(folder, {}).get("Indexes", [])
    def live_keys(): return sum("RevokedAt" not in state[i] for i in indexes() if i in state)
    def put_folder(ids):
        e = dict(state.get(folder, {"LedgerEntryType": DIRECTORY, "Flags": 0, "RootIndex": folder})); e.pop("Indexes", None)
        if ids or folder in state: e["Indexes"] = sorted(ids)
        writes[folder] = e
    if not words:
        if known is None or known["LastAttested"] + 30 * 86400 >= now: raise Code("tefFAILURE")
        put_folder([i for i in indexes() if i != at])
        return {**writes, at: None}
    if answer in ("frozen", "lifted"):
        is_frozen = known is not None and "ActiveAfter" not in known
        if (answer == "frozen") == is_frozen: raise Code("tefALREADY")
        e = dict(known or {"LedgerEntryType": DKIM_FREEZE, "Flags": 0, "Domain": domain})
        if answer == "frozen": e.pop("ActiveAfter", None); e["FirstSeen"] = observed
        else: e["ActiveAfter"] = observed + further
        e["LastAttested"] = observed
    else:
        record = None
        if answer == "record":
            try: record = O.key_record(tx["DKIMRecord"])
            except O.Refuse: record = None
            if record and of_leak(key_hash(record[0], record[1])) in state: record = None
        e = known_key(known, record, observed, further, live_keys)
        if known is None:
            if live_keys() >= 8 or len(indexes()) >= 32: raise Code("tefFAILURE")
            e.update(Domain=domain, Selector=selector)
            e = waiting(e, record, observed, first if folder not in state else further)
            put_folder(indexes() + [at])
    writes[at] = e
    return writes
KEY_FIELDS = ("DKIMKeyType", "PublicKey", "RevokedAt", "NextKeyType", "NextKey", "ActiveAfter")
def bare(e): return {k: v for k, v in e.items() if k not in KEY_FIELDS}
def usable(e, record): return {**bare(e), "Flags": record[2], "DKIMKeyType": record[0], "PublicKey": record[1]}
def waiting(e, record, observed, delay):
    e = {**bare(e), "FirstSeen": observed, "LastAttested": observed}
    if delay == 0: return usable(e, record)
    return {**e, "Flags": 2 * record[2], "ActiveAfter": observed + delay, "NextKeyType": record[0], "NextKey": record[1]}
def known_key(known, record, observed, further, live_keys):
    """7.4, 7.8: what a quorum makes of an entry; of none the beginning of one"""
    if known is None:
        if record is None: raise Code("tefFAILURE")
        return {"LedgerEntryType": DKIM_KEY}
    if record is None:
        e = {**known, "LastAttested": observed}
        if "NextKey" in e: e = {**bare(e), "Flags": 0}
        return {"RevokedAt": observed, **e}
    if "RevokedAt" in known and live_keys() >= 8: raise Code("tefFAILURE")
    if "RevokedAt" not in known and known.get("PublicKey") == record[1] and known["DKIMKeyType"] == record[0] and known["Flags"] & 1 == record[2]:
        return {**known, "LastAttested": observed}
    if "ActiveAfter" not in known: return waiting(known, record, observed, further)
    if (known["NextKey"], known["NextKeyType"], known["Flags"] >> 1 & 1) != (record[1], record[0], record[2]):
        return waiting(known, record, observed, known["ActiveAfter"] - known["FirstSeen"])
    e = {**known, "LastAttested": observed}
    return usable(e, record) if observed >= known["ActiveAfter"] else e

# ---------------------------------------------------------------- 7.9: evidence of a leak
def leak_message(network, key_hash): return b"DKL\0" + network.to_bytes(4, "big") + key_hash
def key_leak(tx, q, state):
    """7.9 -> {index: entry}; what any transaction has to have is not judged here"""
    if not q["amendment"]: raise Code("temDISABLED")
    if tx.get("Flags", 0) & ~CANONICAL: raise Code("temINVALID_FLAG")
    signature = tx.get("KeySignature", b"")
    if not is_name(tx.get("Domain", b""), tx.get("Selector", b"")) or not 1 <= len(signature) <= 512: raise Code("temMALFORMED")
    at = of_key(tx["Domain"], tx["Selector"])
    e = state.get(at, {})
    if "PublicKey" in e: kind, p = e["DKIMKeyType"], e["PublicKey"]
    elif "NextKey" in e: kind, p = e["NextKeyType"], e["NextKey"]
    else: raise Code("tecNO_ENTRY")
    h = key_hash(kind, p)
    if of_leak(h) in state: raise Code("tefALREADY")
    claim = Mail()
    claim.tags, claim.b, claim.data = {"a": b"rsa-sha256" if kind == 1 else b"ed25519-sha256"}, signature, leak_message(q["network_id"], h)
    try: O.verify(claim, {1: "rsa", 2: "ed25519"}[kind], p, False)
    except O.Refuse: raise Code("tefBAD_SIGNATURE")
    ended = {**bare(e), "Flags": e["Flags"] & 1, "DKIMKeyType": kind, "PublicKey": p, "RevokedAt": e.get("RevokedAt", q["now"])}
    return {of_leak(h): {"LedgerEntryType": DKIM_LEAK, "Flags": 0}, at: ended}
