#!/usr/bin/env python3
"""Made the mails of fixtures/vectors/oracle, once: its keys were thrown away, so another run makes other mails.

Each case of cases.py names what its author expected of the text of then. Where the text changed since, docs/deviations.md
says what moved; `oracle.py vectors.json --write` reads the recorded mails again. New cases go into attacks_*.py.
"""
import os, json, base64, hashlib, subprocess, sys
import oracle as O
from cryptography.hazmat.primitives.asymmetric import rsa, padding, ed25519
from cryptography.hazmat.primitives import hashes
HERE = os.path.dirname(os.path.abspath(__file__))
NOW = 1794830400
T0 = 1794823212
H = "From:To:Subject:Date:Message-ID:MIME-Version:Content-Type"
B = b"REMIT 10 XAH TO <bob@example.com>\r\n"
RB = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o"; BAD = RB[:-1] + "a"; ISS = "rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B"
R0, R1 = O.r_address(O.ZERO), O.r_address(O.ONE)
# ---------------------------------------------------------------- keys
def prime(bits):
    while True:
        p = int(subprocess.check_output(["openssl", "prime", "-generate", "-bits", str(bits)]))
        if p.bit_length() == bits: return p
def make(bits, e):
    while True:
        p, q = prime((bits + 1) // 2), prime(bits // 2)
        n, phi = p * q, (p - 1) * (q - 1)
        if n.bit_length() != bits or p == q: continue
        try: d = pow(e, -1, phi)
        except ValueError: continue
        return n, e, d
def load_keys():
    f = os.path.join(HERE, "private-throwaway.json")
    if not os.path.exists(f):
        ks = {"main": make(2048, 65537), "other": make(2048, 65537), "e3": make(1024, 3), "k1023": make(1023, 65537),
              "k1024": make(1024, 65537), "k1025": make(1025, 65537), "k1031": make(1031, 65537), "k4096": make(4096, 65537),
              "k4097": make(4097, 65537), "ebig": make(1024, 2**32 + 15), "emax": make(1024, 2**32 - 5)}
        json.dump(ks, open(f, "w"))
    return {k: tuple(v) for k, v in json.load(open(f)).items()}
K = load_keys()
ED = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"throwaway ed").digest())
EDPUB = ED.public_key().public_bytes_raw()
def tlv(tag, v):
    n = len(v)
    l = bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + l + v
def integer(n): return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))
OID = bytes.fromhex("06092a864886f70d010101")
def pkcs1(k): return tlv(0x30, integer(k[0]) + integer(k[1]))
def spki(k, alg=OID + b"\5\0", unused=b"\0", tail=b"", inner=None): return tlv(0x30, tlv(0x30, alg) + tlv(3, unused + (inner or pkcs1(k))) + tail)
def e64(b): return base64.b64encode(b).decode()
M = K["main"]
KEYS = {}
def key(name, rec): KEYS[name + "._domainkey.mail.test" if "." not in name or name == "x.y" else name] = rec
def rec(k=M, pre="v=DKIM1; k=rsa; "): return pre + "p=" + e64(spki(k))
for dom in "mail.test gmail.com googlemail.com outlook.com example.org sub.mail.test yahoo.com xn--bcher-kva.test".split(): KEYS["s1._domainkey." + dom] = rec()
KEYS["e1._domainkey.mail.test"] = "v=DKIM1; k=ed25519; p=" + e64(EDPUB)
key("x.y", rec())
CASES, KEYS2 = [], {}
# ---------------------------------------------------------------- signer
def rsa_sign(k, data, null=True, hashname="sha256"):
    n, e, d = k
    size = (n.bit_length() + 7) // 8
    T = bytes.fromhex("3031300d060960864801650304020105000420" if null else "302f300b0609608648016503040201" + "0420") + hashlib.sha256(data).digest()
    if hashname == "sha1": T = bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(data).digest()
    em = b"\0\1" + b"\xff" * (size - 3 - len(T)) + b"\0" + T
    return pow(int.from_bytes(em, "big"), d, n).to_bytes(size, "big")
def ed_sign(k, data): return ED.sign(hashlib.sha256(data).digest())
def canons(c):
    h, _, b = c.partition("/")
    return h.strip().lower() == "relaxed", b.strip().lower() == "relaxed"
DEF = "v=1; a={a}; c={c}; d={d}; s={s};\r\n {t}{x}h={h};\r\n bh={bh};\r\n b={b}"
def add_sig(fields, body, tmpl=None, a="rsa-sha256", c="relaxed/relaxed", d="mail.test", s="s1", t="t=%d; " % T0, x="", h=H,
            k=M, signer=None, bmap=lambda b: b, bhmap=lambda b: b, canon=None, at=0, hh=None, name=b"DKIM-Signature"):
    hrel, brel = canons(canon or c)
    tmpl = tmpl or DEF
    bh = e64(hashlib.sha256(O.canon_body(body, brel)).digest())
    val = lambda b: (" " + tmpl).format(a=a, c=c, d=d, s=s, t=t, x=x, h=h, bh=bhmap(bh), b=b).encode("latin1")
    used, data = {}, b""
    for n in (hh or h).split(":"):
        n = n.strip().lower().encode()
        inst = [f for f in fields if f[0].lower() == n]
        u = used.get(n, 0); used[n] = u + 1
        if u < len(inst): data += O.canon_header(*inst[-1 - u], hrel) + b"\r\n"
    v0 = O.strip_b(val(""), False)
    data += O.canon_header(name, v0, hrel)
    sg = signer or (ed_sign if a.startswith("ed") else rsa_sign)
    b = bmap(e64(sg(k, data)))
    fields.insert(at, (name, val(b)))
def C(why, exp, body=B, frm="Alice <alice@mail.test>", to="relay@xahau.test", date="Mon, 16 Nov 2026 10:00:00 +0000", subject="hello",
      ct="text/plain; charset=utf-8", extra=(), top=(), sigs=None, net=21337, post=None, doubt=None, fields=None, **kw):
    n = len(CASES) + 1
    if isinstance(body, str): body = body.encode("latin1")
    lat = lambda s: s if isinstance(s, bytes) else s.encode("utf-8")
    F = [(b"From", frm), (b"To", to), (b"Subject", subject), (b"Date", date), (b"Message-ID", "<o%03d@mail.test>" % n), (b"MIME-Version", "1.0"), (b"Content-Type", ct)]
    F = [(a, b" " + lat(v)) for a, v in F if v is not None] + [(lat(a), b" " + lat(v)) for a, v in extra]
    if fields: F = fields(F)
    for sg in reversed(sigs if sigs is not None else [kw]):
        sg = dict(sg); add_sig(F, body, **sg)
    F = [(lat(a), b" " + lat(v)) for a, v in top] + F
    m = b"".join(a + b":" + v + b"\r\n" for a, v in F) + b"\r\n" + body
    if post: m = post(m)
    CASES.append(dict(n=n, why=why, exp=exp, net=net, mail=m, doubt=doubt))
def rep(a, b): 
    def f(m):
        assert m.count(a) >= 1, a
        return m.replace(a, b, 1)
    return f
exec(open(os.path.join(HERE, "cases.py")).read())
# ---------------------------------------------------------------- output
def dkim_valid(m, allkeys):
    try: import dkim
    except ImportError: return None
    def dns(name, timeout=5):
        r = allkeys.get((name.decode() if isinstance(name, bytes) else name).rstrip(".").lower())
        if isinstance(r, list): r = r[0]
        return r.encode("utf-8", "replace") if r else None
    try: D = dkim.DKIM(m); n = sum(1 for x, _ in D.headers if x.lower() == b"dkim-signature")
    except Exception: return False
    for i in range(n):
        try:
            if dkim.DKIM(m).verify(i, dnsfunc=dns): return True
        except Exception: pass
    return False
def main():
    now = NOW - O.EPOCH2000; out, bad, allk = [], 0, {**KEYS, **KEYS2}
    for f in os.listdir(HERE):
        if f.startswith("o") and f.endswith(".eml"): os.remove(os.path.join(HERE, f))
    for c in CASES:
        fn = "o%03d.eml" % c["n"]; open(os.path.join(HERE, fn), "wb").write(c["mail"])
        r = O.judge(c["mail"], allk, now, c["net"])
        if r["rule"] != c["exp"]: bad += 1; print("UNEXPECTED", fn, c["why"], "| expected", c["exp"], "oracle", r["rule"], r.get("why_oracle"))
        o = {"file": fn, "why": c["why"], "network_id": c["net"], "accept": r["accept"], "rule": r["rule"], "dkim_valid": dkim_valid(c["mail"], allk)}
        for k in ("normal_form_hex", "from", "to", "instruction", "tx", "email_id", "date", "email_id_object_hex"):
            if k in r: o[k] = r[k]
        if "why_oracle" in r: o["reason"] = r["why_oracle"]
        if c["doubt"]: o["doubt"] = c["doubt"]
        out.append(o)
    memos = []
    for why, net, b, exp, doubt in MEMOS:
        r = O.judge(b, allk, now, net, memo=True)
        if r["rule"] != exp: bad += 1; print("UNEXPECTED memo", why, exp, r["rule"], r.get("why_oracle"))
        m = {"why": why, "network_id": net, "memo_hex": b.hex(), "accept": r["accept"], "rule": r["rule"]}
        if doubt: m["doubt"] = doubt
        memos.append(m)
    json.dump({"note": "second oracle, from spec.md alone; own throwaway keys; 'doubt' marks ambiguous text; dkim_valid is dkimpy's word; keys_several: names with more than one TXT record",
               "keys": KEYS, "keys_several": KEYS2, "clock": {"utc": "2026-11-16T12:00:00Z", "unix": NOW, "since_2000": now}, "cases": out, "memos": memos},
              open(os.path.join(HERE, "vectors.json"), "w"), indent=1)
    from collections import Counter
    print(len(out), "cases", len(memos), "memos", bad, "unexpected", sum(1 for o in out if "doubt" in o), "with doubt")
    print(sorted(Counter(o["rule"] or "accept" for o in out).items()))
    odd = [(o["file"], o["why"], o["rule"]) for o in out if (o["rule"] in (None,) and o["dkim_valid"] is False)]
    print("accepted but dkimpy says no:"); [print("  ", x) for x in odd]
if __name__ == "__main__": main()
