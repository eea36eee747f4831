#!/usr/bin/env python3
"""Independent reading of spec.md 2-6.1, 8.1 and the order of 10. usage: oracle.py vectors.json [--write]

Compares recorded mails with what is read here; --write records what changed (after a change of the text).
"""
import sys, json, re, hashlib, base64, os
from datetime import datetime

WINDOW, SKEW, EPOCH2000 = 432000, 300, 946684800
MAIL_MAX, MEMO_MAX = 256 * 1024, 64 * 1024
B58 = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
PLUS_OK = set("gmail.com googlemail.com outlook.com hotmail.com live.com msn.com icloud.com me.com mac.com "
              "fastmail.com proton.me protonmail.com pm.me".split())
WSP = b" \t"

class Refuse(Exception):
    def __init__(self, rule, why=""):
        super().__init__(rule, why); self.rule, self.why = rule, why

# ---------------------------------------------------------------- base58, accounts
def b58dec(s):
    n = 0
    for c in s:
        n = n * 58 + B58.index(c)
    pad = len(s) - len(s.lstrip(B58[0]))
    raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return b"\0" * pad + raw
def b58enc(b):
    n = int.from_bytes(b, "big"); s = ""
    while n: n, r = divmod(n, 58); s = B58[r] + s
    return B58[0] * (len(b) - len(b.lstrip(b"\0"))) + s
def sha256d(b): return hashlib.sha256(hashlib.sha256(b).digest()).digest()
def r_address(acc): p = b"\0" + acc; return b58enc(p + sha256d(p)[:4])
R_SHAPE = r"r[1-9A-HJ-NP-Za-km-z]{24,34}"
def classic(s):
    if not re.fullmatch(R_SHAPE, s): return None
    b = b58dec(s)
    if len(b) != 25 or b[0] != 0 or sha256d(b[:21])[:4] != b[21:]: return None
    return b[1:21]
ZERO, ONE = bytes(20), bytes(19) + b"\1"
def no_special(acc):
    if acc in (ZERO, ONE): raise Refuse("2.4", "account zero or one")
    return acc
def account_of(canon):
    return hashlib.sha512(bytes.fromhex("EEEEFFFF") + hashlib.sha512(canon.encode()).digest()).digest()[:20]
def sha512half(b): return hashlib.sha512(b).digest()[:32]

# ---------------------------------------------------------------- addresses (2.1, 2.2)
ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
SLABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")
def ldh(name, label=LABEL):
    return all(len(l) <= 63 and label.fullmatch(l) for l in name.split("."))
def addr_spec(s):
    """2.1: local@domain -> (local, domain)"""
    if s.count("@") != 1: raise Refuse("2.1", "not one @")
    local, dom = s.split("@")
    if not re.fullmatch("[%s.]{1,64}" % ATEXT, local) or local[0] == "." or local[-1] == ".":
        raise Refuse("2.1", "local part")
    if len(dom) > 253 or "." not in dom or not ldh(dom): raise Refuse("2.1", "domain")
    return local, dom
def canonical(local, dom):
    """2.2"""
    local, dom = local.lower(), dom.lower()
    if "+" in local and dom not in PLUS_OK: raise Refuse("2.2", "plus in a domain that does not document it")
    local = local.split("+")[0]
    if not local: raise Refuse("2.2", "empty local part")
    if local[0] == "." or local[-1] == ".": raise Refuse("2.2", "dot at the end of what the cut leaves")
    if dom in ("gmail.com", "googlemail.com"): local = local.replace(".", "")
    if not local: raise Refuse("2.2", "empty local part")
    return local + "@" + dom
def header_mailbox(raw):
    """2.1: header value (bytes, may be folded) -> addr-spec text"""
    v = raw.replace(b"\r\n", b"").strip(WSP).decode("latin1")
    # phrase <addr>
    i, n = 0, len(v)
    while i < n:
        c = v[i]
        if c in " \t": i += 1; continue
        if c == '"':
            i += 1
            while True:
                if i >= n: raise Refuse("2.1", "open quote")
                if v[i] == "\\":
                    if i + 1 >= n or not (v[i+1] == "\t" or 0x20 <= ord(v[i+1]) != 0x7f): raise Refuse("2.1", "quoted pair")
                    i += 2; continue
                if v[i] == '"': break
                if v[i] != "\t" and (ord(v[i]) < 0x20 or ord(v[i]) == 0x7f): raise Refuse("2.1", "control in quotes")
                i += 1
            i += 1; continue
        if c == "<":
            if not v.endswith(">"): raise Refuse("2.1", "text after >")
            return addr_spec(v[i+1:-1])
        m = re.compile("[%s.]+" % ATEXT).match(v, i)
        if not m: break
        i = m.end()
    m = re.fullmatch(r"([^\s()]+)[ \t]+\(([\x20-\x7e]*)\)", v)
    if m:
        if re.search(r"[()@]", m.group(2)): raise Refuse("2.1", "comment")
        return addr_spec(m.group(1))
    return addr_spec(v)
def recipient_from_address(local, dom):
    """2.4 then 2.2 -> (canonical or None, account, tag)"""
    head, plus, rest = local.partition("+")
    acc = classic(head)
    if acc is not None: return None, no_special(acc), tag_number(rest) if plus else None
    if re.match("[rRxX][A-Za-z0-9]{24}|[tT][A-Za-z0-9]{40}", local): raise Refuse("2.4", "meant as an account")
    c = canonical(local, dom)
    return c, no_special(account_of(c)), None
def tag_number(s):
    if not re.fullmatch("0|[1-9][0-9]{0,9}", s) or int(s) > 0xffffffff: raise Refuse("2.4", "tag")
    return int(s)

# ---------------------------------------------------------------- mail (3.x)
def parse_mail(m):
    i = 0
    if b"\0" in m or re.search(rb"\r(?!\n)|(?<!\r)\n", m): raise Refuse("3.4", "bare CR, LF or NUL")
    if m.startswith(b"\r\n"): head, body = b"", m[2:]
    else:
        p = m.find(b"\r\n\r\n")
        if p < 0: raise Refuse("3.1", "no empty line")
        head, body = m[:p+2], m[p+4:]
    fields = []
    for line in head.split(b"\r\n")[:-1]:
        if line[:1] in (b" ", b"\t"):
            if not fields: raise Refuse("3.1", "continuation first")
            fields[-1] += b"\r\n" + line
        else:
            fields.append(line)
    out = []
    for f in fields:
        name, colon, val = f.partition(b":")
        if not colon or not re.fullmatch(rb"[\x21-\x39\x3b-\x7e]+", name): raise Refuse("3.1", "header name")
        out.append((name, val))
    return out, body
def relax_line(l): return re.sub(rb"[ \t]+", b" ", l).rstrip(b" ")
def canon_header(name, val, relaxed):
    if not relaxed: return name + b":" + val
    v = re.sub(rb"[ \t]+", b" ", val.replace(b"\r\n", b"")).strip(b" ")
    return name.lower() + b":" + v
def canon_body(body, relaxed):
    if relaxed:
        body = b"\r\n".join(relax_line(l) for l in body.split(b"\r\n"))
    while body.endswith(b"\r\n"): body = body[:-2]
    if body == b"" and relaxed: return b""
    return body + b"\r\n"
def b64(s):
    """3.2 canonical base64 (bytes, white space already gone)"""
    if len(s) % 4 or not re.fullmatch(rb"[A-Za-z0-9+/]*={0,2}", s): return None
    try: d = base64.b64decode(s, validate=True)
    except Exception: return None
    return d if base64.b64encode(d) == s else None
def unfws(s): return re.sub(rb"[ \t\r\n]", b"", s)

# ---------------------------------------------------------------- tag lists (4.1)
def tag_list(v, rule):
    tags = {}
    parts = v.split(b";")
    if len(parts) > 1 and not parts[-1].strip(b" \t\r\n"): parts.pop()
    for p in parts:
        name, eq, val = p.partition(b"=")
        name, val = name.strip(b" \t\r\n"), val.strip(b" \t\r\n")
        if not eq: raise Refuse(rule, "tag without =")
        if not re.fullmatch(rb"[a-z][a-z0-9_]*", name): raise Refuse(rule, "tag name")
        if not re.fullmatch(rb"[\x21-\x7e \t\r\n]*", val): raise Refuse(rule, "tag value")
        if name in tags: raise Refuse(rule, "duplicate tag")
        tags[name] = val
    return {k.decode(): v for k, v in tags.items()}
def strip_b(val, keep):
    """the field value with b='s white space (keep) or whole value (not keep) removed"""
    m = re.search(rb"(?:^|;)[ \t\r\n]*b[ \t\r\n]*=([^;]*)", val)
    return val[:m.start(1)] + (unfws(m.group(1)) if keep else b"") + val[m.end(1):]

# ---------------------------------------------------------------- one signature
class Sig: pass
def form(fields, body, idx):
    """4.1, 3.1, 4.4, 4.3, 2.1, 2.2, 4.2 (candidate); 4.6 tags and 3.2 leave .bad = (rank, Refuse)"""
    s = Sig(); s.bad = None
    t = s.tags = tag_list(fields[idx][1], "4.1")
    if t.get("v") != b"1": raise Refuse("4.1", "v=")
    if t.get("a") not in (b"rsa-sha256", b"ed25519-sha256"): raise Refuse("4.1", "a=")
    c = t.get("c", b"simple/simple")
    m = re.fullmatch(rb"(simple|relaxed)(?:/(simple|relaxed))?", c)
    if not m: raise Refuse("4.1", "c=")
    s.hrel, s.brel = m.group(1) == b"relaxed", m.group(2) == b"relaxed"
    if t.get("q", b"dns/txt") != b"dns/txt": raise Refuse("4.1", "q=")
    if "l" in t: raise Refuse("4.1", "l=")
    for k in "b bh d h s".split():
        if k not in t: raise Refuse("4.1", "no " + k + "=")
    names = [n.strip(b" \t\r\n").lower() for n in t["h"].split(b":")]
    if b"dkim-signature" in names: raise Refuse("3.1", "dkim-signature in h=")
    d, sel = t["d"].decode().lower(), t["s"].decode().lower()
    if len(d) > 253 or not ldh(d) or not ldh(sel, SLABEL) or len(sel + "._domainkey." + d) > 253:
        raise Refuse("4.4", "d= or s=")
    s.d, s.qname = d, sel + "._domainkey." + d
    if len(names) > 64: raise Refuse("4.3", "more than 64 names")
    if any(not re.fullmatch(rb"[\x21-\x39\x3b-\x7e]+", n) for n in names): raise Refuse("4.3", "h= list")
    s.order, used = [], {}
    for n in names:
        inst = [k for k in range(len(fields)) if k != idx and fields[k][0].lower() == n]
        k = used.get(n, 0)
        if k < len(inst): s.order.append(inst[len(inst) - 1 - k])
        used[n] = k + 1
    s.sel = {}
    for n in dict.fromkeys(names):
        ks = sorted(k for k in s.order if fields[k][0].lower() == n)
        s.sel[n] = ks
    for n in (b"from", b"date"):
        if len(s.sel.get(n, [])) != 1: raise Refuse("4.3", n.decode() + " not selected exactly once")
    try:
        s.t = stamp(t, "t"); s.x = stamp(t, "x")
        if s.t is not None and s.x is not None and s.x <= s.t: raise Refuse("4.6", "x= <= t=")
    except Refuse as e: s.bad = e
    if not s.bad:
        s.b, s.bh = b64(unfws(t["b"])), b64(unfws(t["bh"]))
        if s.b is None or s.bh is None: s.bad = Refuse("3.2", "b= or bh=")
    # 4.6 tags and 3.2 come before 2.1 in section 10. By 4.7 a signature is tried all the same where only 4.6 is against it.
    if s.bad: s.b, s.bh = b64(unfws(t["b"])), b64(unfws(t["bh"]))
    s.fields, s.body, s.addr = fields, canon_body(body, s.brel), None
    s.to_refusal = early_recipient(s)
    try:
        local, dom = header_mailbox(fields[s.sel[b"from"][0]][1])
        s.addr = canonical(local, dom)
        s.acc = no_special(account_of(s.addr))
        if dom.lower() != d: raise Refuse("4.2", "d= is not the From domain")
        if "i" in t:
            i = t["i"].decode()
            idom = i.rpartition("@")[2].lower()
            if "@" not in i or not ldh(idom) or not (idom == d or idom.endswith("." + d)): raise Refuse("4.2", "i=")
            s.idom = idom
        else: s.idom = d
    except Refuse as e:
        if s.bad: raise s.bad
        raise min((e, s.to_refusal or e), key=lambda x: ORDER.index(x.rule))
    # normal form
    nf = canon_header(fields[idx][0], strip_b(fields[idx][1], True), s.hrel) + b"\r\n"
    for n, ks in s.sel.items():
        for k in ks: nf += canon_header(*fields[k], s.hrel) + b"\r\n"
    s.nf = nf + b"\r\n" + s.body
    h = b"".join(canon_header(*fields[k], s.hrel) + b"\r\n" for k in s.order)
    h += canon_header(fields[idx][0], strip_b(fields[idx][1], False), s.hrel)
    s.data = h
    return s
ORDER = ["4.3", "2.1", "2.2", "4.2", "2.4"]
def early_recipient(s):
    """4.3, 2.1 and 2.2 of a recipient stand where these rules stand (10); needs a line that can be read"""
    try: m, _ = the_line(instruction_text(s.body)[0])
    except Refuse: return None
    try:
        if not m["key"]: recipient(s, m)
    except Refuse as e:
        return e if e.rule in ("4.3", "2.1", "2.2") else None
def stamp(t, k):
    if k not in t: return None
    if not re.fullmatch(rb"[0-9]{1,12}", t[k]): raise Refuse("4.6", k + "=")
    v = int(t[k])
    if k == "t" and v == 0: raise Refuse("4.6", "t=0")
    return v

# ---------------------------------------------------------------- keys (4.5)
def der(b, tag):
    """strict DER: one TLV -> (value, rest)"""
    if len(b) < 2 or b[0] != tag: raise Refuse("4.5", "DER tag")
    n, p = b[1], 2
    if n & 0x80:
        k = n & 0x7f
        if k == 0 or k > 4 or len(b) < 2 + k: raise Refuse("4.5", "DER length")
        n = int.from_bytes(b[2:2+k], "big"); p = 2 + k
        if b[2] == 0 or n < 0x80: raise Refuse("4.5", "DER length form")
    if len(b) < p + n: raise Refuse("4.5", "DER short")
    return b[p:p+n], b[p+n:]
def der_uint(b):
    v, rest = der(b, 2)
    if not v or v[0] & 0x80 or (len(v) > 1 and v[0] == 0 and not v[1] & 0x80): raise Refuse("4.5", "DER integer")
    return int.from_bytes(v, "big"), rest
def rsa_key(b):
    v, rest = der(b, 0x30)
    if rest: raise Refuse("4.5", "trailing bytes")
    if v[:1] == b"\x30":
        alg, r = der(v, 0x30)
        if alg != bytes.fromhex("06092a864886f70d0101010500"): raise Refuse("4.5", "algorithm")
        bits, r = der(r, 3)
        if r or bits[:1] != b"\0": raise Refuse("4.5", "bit string")
        v, rest = der(bits[1:], 0x30)
        if rest: raise Refuse("4.5", "trailing bytes")
    n, r = der_uint(v); e, r = der_uint(r)
    if r: raise Refuse("4.5", "trailing bytes")
    if not 1024 <= n.bit_length() <= 4096 or n % 2 == 0: raise Refuse("4.5", "modulus")
    if e < 3 or e >= 2**32 or e % 2 == 0: raise Refuse("4.5", "exponent")
    return n, e
P = 2**255 - 19; L = 2**252 + 27742317777372353535851937790883648493
DD = -121665 * pow(121666, P - 2, P) % P
def recover(b):
    y = int.from_bytes(b, "little"); sign = y >> 255; y &= 2**255 - 1
    if y >= P: return None
    x2 = (y*y - 1) * pow(DD*y*y + 1, P - 2, P) % P
    if x2 == 0: return None if sign else (0, y, 1, 0)
    x = pow(x2, (P + 3) // 8, P)
    if (x*x - x2) % P: x = x * pow(2, (P - 1) // 4, P) % P
    if (x*x - x2) % P: return None
    if x & 1 != sign: x = P - x
    return (x, y, 1, x*y % P)
def padd(p, q):
    a = (p[1]-p[0]) * (q[1]-q[0]) % P; b = (p[1]+p[0]) * (q[1]+q[0]) % P
    c = 2*p[3]*q[3]*DD % P; d = 2*p[2]*q[2] % P
    e, f, g, h = b-a, d-c, d+c, b+a
    return (e*f % P, g*h % P, f*g % P, e*h % P)
def pmul(k, p):
    r = (0, 1, 1, 0)
    while k:
        if k & 1: r = padd(r, p)
        p = padd(p, p); k >>= 1
    return r
def peq(p, q): return (p[0]*q[2] - q[0]*p[2]) % P == 0 and (p[1]*q[2] - q[1]*p[2]) % P == 0
BY = 4 * pow(5, P - 2, P) % P
BASE = recover(BY.to_bytes(32, "little"))
def small(p): return peq(pmul(8, p), (0, 1, 1, 0))
def ed_verify(pk, msg, sig):
    if len(pk) != 32 or len(sig) != 64: return False
    A, R, S = recover(pk), recover(sig[:32]), int.from_bytes(sig[32:], "little")
    if A is None or R is None or S >= L or small(A) or small(R): return False
    k = int.from_bytes(hashlib.sha512(sig[:32] + pk + msg).digest(), "little") % L
    return peq(pmul(S, BASE), padd(R, pmul(k, A)))
def key_tags(raw):
    """4.5 of a record, as far as it stands without a signature -> tags, flags of t="""
    t = tag_list(raw, "4.5")
    if "v" in t and (next(iter(t)) != "v" or t["v"] != b"DKIM1"): raise Refuse("4.5", "v=")
    if not t.get("p"): raise Refuse("4.5", "p=")
    split = lambda v: [x.strip(b" \t\r\n") for x in v.split(b":")]
    if "h" in t and b"sha256" not in split(t["h"]): raise Refuse("4.5", "h=")
    if "s" in t and not set(split(t["s"])) & {b"*", b"email"}: raise Refuse("4.5", "s=")
    fl = split(t["t"]) if "t" in t else []
    if b"y" in fl: raise Refuse("4.5", "t=y")
    return t, fl
def key_record(raw):
    """4.5, 7.1 -> type of the key (1 RSA, 2 Ed25519), its bytes, 1 where t=s"""
    if len(raw) > 4096: raise Refuse("4.5", "record too long")
    t, fl = key_tags(raw)
    kind = {b"rsa": 1, b"ed25519": 2}.get(t.get("k", b"rsa"))
    if kind is None: raise Refuse("4.5", "k=")
    p = b64(unfws(t["p"]))
    if p is None: raise Refuse("4.5", "p= base64")
    if kind == 1: rsa_key(p)
    else:
        A = recover(p) if len(p) == 32 else None
        if A is None or small(A): raise Refuse("4.5", "no Ed25519 key")
    return kind, p, int(b"s" in fl)
def check_key(s, keys):
    rec = keys.get(s.qname)
    if rec is None: raise Refuse("7.3", "no key record")
    if isinstance(rec, list):
        if len(rec) != 1: raise Refuse("4.5", "several records")
        rec = rec[0]
    t, fl = key_tags(rec.encode("utf-8", "surrogateescape"))
    p = b64(unfws(t["p"]))
    if p is None: raise Refuse("4.5", "p= base64")
    verify(s, t.get("k", b"rsa").decode(), p, b"s" in fl)
def verify(s, kind, p, strict):
    """4.5: whether the key proves the signature"""
    alg = s.tags["a"].split(b"-")[0].decode()
    if kind != alg: raise Refuse("4.5", "k=")
    if strict and s.idom != s.d: raise Refuse("4.5", "t=s")
    dig = hashlib.sha256(s.data).digest()
    if alg == "rsa":
        n, e = rsa_key(p)
        k = (n.bit_length() + 7) // 8
        if len(s.b) != k or int.from_bytes(s.b, "big") >= n: raise Refuse("4.5", "signature length")
        T = bytes.fromhex("3031300d060960864801650304020105000420") + dig
        em = b"\0\1" + b"\xff" * (k - 3 - len(T)) + b"\0" + T
        if pow(int.from_bytes(s.b, "big"), e, n).to_bytes(k, "big") != em: raise Refuse("4.5", "signature")
    else:
        if not ed_verify(p, dig, s.b): raise Refuse("4.5", "signature or key")
def body_hash(s):
    if hashlib.sha256(s.body).digest() != s.bh: raise Refuse("3.3", "bh=")

# ---------------------------------------------------------------- Date (4.6)
MON = {m: i + 1 for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
def date_of(raw):
    v = raw.replace(b"\r\n", b"").strip(WSP).decode("latin1")
    m = re.fullmatch(r"(?:(?:mon|tue|wed|thu|fri|sat|sun),[ \t]*)?([0-9]{1,2})[ \t]+([a-z]{3})[ \t]+([0-9]{4})[ \t]+"
                     r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?[ \t]+([+-][0-9]{4}|gmt|utc?|z)(?:[ \t]*\([\x20-\x27\x2a-\x7e\t]*\))?",
                     v, re.I)
    if not m or not v.isascii(): raise Refuse("4.6", "Date grammar")
    day, mon, y, hh, mm, ss, z = m.groups()
    if mon.lower() not in MON or int(hh) > 23 or int(mm) > 59 or int(ss or 0) > 59: raise Refuse("4.6", "Date value")
    try: days = datetime(int(y), MON[mon.lower()], int(day)).toordinal() - datetime(2000, 1, 1).toordinal()
    except ValueError: raise Refuse("4.6", "Date day")
    D = days * 86400 + int(hh) * 3600 + int(mm) * 60 + int(ss or 0)
    if z[0] in "+-":
        if int(z[3:]) > 59: raise Refuse("4.6", "zone minutes")
        off = int(z[1:3]) * 3600 + int(z[3:]) * 60
        D += off if z[0] == "-" else -off
    if not 0 <= D < 2**32: raise Refuse("4.6", "Date range")
    return D

# ---------------------------------------------------------------- instruction text (5.4)
BCH = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
def R54(why): return Refuse("5.4", why)
def empty(l): return not l.strip(WSP)
def part_fields(lines):
    """lines of a part header -> [(lower name, unfolded value)] or None where a line is no header field"""
    out = []
    for l in lines:
        if l[:1] in (b" ", b"\t"):
            if not out: return None
            out[-1][1] += b"" + l
            continue
        m = re.match(rb"([\x21-\x39\x3b-\x7e]+):", l)
        if not m: return None
        out.append([m.group(1).lower(), l[m.end():]])
    return out
TOKEN = rb"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+"
def structured(v):
    """value *(; attr=val) [;] -> (value lower, {attr: val})"""
    v = v.strip(WSP); m = re.match(TOKEN + rb"(?:/" + TOKEN + rb")?", v)
    if not m: raise R54("part header malformed")
    head, i, ps = m.group(0).lower(), m.end(), {}
    pat = re.compile(rb"[ \t]*;[ \t]*(" + TOKEN + rb")=(" + TOKEN + rb'|"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e])*")')
    while True:
        m = pat.match(v, i)
        if not m: break
        a, x = m.group(1).lower(), m.group(2)
        if x[:1] == b'"': x = re.sub(rb"\\(.)", rb"\1", x[1:-1])
        if a in ps: raise R54("parameter twice")
        if a.split(b"*")[0] in (b"name", b"filename"): raise R54("file name")
        ps[a] = x; i = m.end()
    if not re.fullmatch(rb"[ \t]*;?[ \t]*", v[i:]): raise R54("part header malformed")
    return head, ps
def part_info(fs):
    """-> type or None, params, encoding"""
    names = [n for n, _ in fs]
    if len(set(names)) != len(names): raise R54("part header twice")
    d = dict((n, v) for n, v in fs)
    typ, ps = None, {}
    if b"content-type" in d:
        typ, ps = structured(d[b"content-type"])
        if b"/" not in typ: raise R54("type malformed")
    disp = None
    if b"content-disposition" in d:
        disp, _ = structured(d[b"content-disposition"])
    cte = b"7bit"
    if b"content-transfer-encoding" in d:
        m = re.fullmatch(rb"[ \t]*(" + TOKEN + rb")[ \t]*;?[ \t]*", d[b"content-transfer-encoding"])
        if not m: raise R54("encoding malformed")
        cte = m.group(1).lower()
    return typ, ps, disp, cte
# Longer ones first: one begins like another.
PREAMBLES = sorted(([l.encode() for l in p.split("|")] for p in (
    "This is a multi-part message in MIME format", "This is an OpenPGP/MIME signed message", "This is a multipart message in MIME format.",
    "This is a cryptographically signed message in MIME format.", "This message is in MIME format.",
    "This is a MIME message. If you are reading this text, you may want to|consider changing to a mail reader or gateway that understands how to|"
    "properly handle MIME multipart messages.",
    " This message is in MIME format. The first part should be readable text,| while the remaining parts are likely unreadable without MIME-aware tools.",
    "This message is in MIME format. Since your mail reader does not understand|this format, some or all of this message may not be legible.")), key=len, reverse=True)
def instruction_text(body):
    """5.4 -> relaxed lines, whether they were read raw"""
    lines = body.split(b"\r\n")
    i = 0
    while i < len(lines) and empty(lines[i]): i += 1
    for pre in PREAMBLES:
        if len(lines) - i >= len(pre) and all(relax_line(l).startswith(p) for l, p in zip(lines[i:], pre)):
            i += len(pre)
            while i < len(lines) and empty(lines[i]): i += 1
            break
    def raw(): return to_lines(body), True
    if i >= len(lines) or lines[i][:2] != b"--" or not BCH.fullmatch(lines[i][2:]): return raw()
    bnd = lines[i][2:]
    j = i + 1
    while j < len(lines) and not empty(lines[j]): j += 1
    fs = part_fields(lines[i+1:j])
    if j >= len(lines) or not fs or not any(n.startswith(b"content-") for n, _ in fs): return raw()
    depth = 1
    part = until(lines[i+1:], bnd)
    while True:
        j = 0
        while j < len(part) and not empty(part[j]): j += 1
        fs = part_fields(part[:j])
        if fs is None: raise R54("part header malformed")
        typ, ps, disp, cte = part_info(fs)
        content = part[j+1:]
        if typ is not None and typ.startswith(b"multipart/") and typ != b"multipart/digest":
            if cte not in (b"7bit", b"8bit"): raise R54("multipart encoding")
            depth += 1
            if depth > 4: raise R54("too deep")
            y = ps.get(b"boundary")
            if y is None or not BCH.fullmatch(y): raise R54("boundary")
            k = 0
            while k < len(content) and content[k] not in (b"--" + y, b"--" + y + b"--"): k += 1
            if k >= len(content) or content[k] != b"--" + y: raise R54("no child")
            part = until(content[k+1:], y)
            continue
        if typ not in (None, b"text/plain"): raise R54("type")
        if disp not in (None, b"inline"): raise R54("disposition")
        break
    text = b"\r\n".join(content)
    if cte in (b"7bit", b"8bit"): pass
    elif cte == b"quoted-printable": text = unqp(text)
    elif cte == b"base64":
        text = b64(text.replace(b"\r\n", b""))
        if text is None: raise R54("base64")
    else: raise R54("encoding")
    return to_lines(text), False
def until(lines, bnd):
    out = []
    for l in lines:
        if l in (b"--" + bnd, b"--" + bnd + b"--"): break
        out.append(l)
    return out
def unqp(t):
    def f(m):
        x = m.group(1)
        if x in (b"\r\n", b""): return b""
        return bytes([int(x, 16)])
    t2 = re.sub(rb"=(\r\n|[0-9A-Fa-f]{2}|\Z)", lambda m: f(m), t)
    if re.search(rb"=(?!\r\n|[0-9A-Fa-f]{2}|\Z)", t): raise R54("quoted-printable")
    return t2
def to_lines(t):
    if re.search(rb"\r(?!\n)", t): raise R54("bare CR")
    return [relax_line(l) for l in re.split(rb"\r?\n", t)]

# ---------------------------------------------------------------- instruction (5.1-5.6)
RS = R_SHAPE.encode()
NUMBER = rb"(?:0|[1-9][0-9]*)"
GRAMMAR = re.compile(
    rb"REMIT (?P<int>[0-9]+)(?:\.(?P<frac>[0-9]+))? (?P<cur>XAH|(?P<code>[A-Z]{3})/(?P<iss>" + RS + rb"))"
    rb"(?: TO (?:<(?P<ad>[^<> ]+)>|(?P<open><)?(?(open) ?)(?P<ae>[^<> ]+) ?<mailto:(?P=ae)>(?(open)>)"
    rb"|(?P<open2><)?(?(open2) ?)<mailto:(?P<af>[^<> ]+)> (?P=af)(?(open2)>)|(?P<cl>" + RS + rb")(?P<tag>\+.*?)?))?(?: NET (?P<net>" + NUMBER + rb"))?"
    rb"|REKEY (?P<key>" + RS + rb")(?: AFTER (?P<mark>[0-9A-F]{8}))?(?: NET (?P<net2>" + NUMBER + rb"))?")
def instruction(line):
    """5.1: UTF-8, by the grammar"""
    try: line.decode()
    except UnicodeDecodeError: return None
    return GRAMMAR.fullmatch(line)
BROKEN = re.compile(rb"[^A-Za-z0-9]*(?:TO|NET|AFTER)(?![A-Za-z0-9-])", re.I)
def the_line(lines):
    """5.1, 5.2"""
    k = 0
    while k < len(lines) and empty(lines[k]): k += 1
    if k >= len(lines): raise Refuse("5.2", "no line")
    m = instruction(lines[k])
    if not m: raise Refuse("5.2", "first line is no instruction")
    for l in lines[k+1:]:
        if instruction(l): raise Refuse("5.2", "another instruction")
    return m, k
def read_instruction(lines, raw):
    k = next((k for k, l in enumerate(lines) if not empty(l)), 0)
    if raw and lines and instruction(lines[k]) and b"=" in lines[k]: raise Refuse("5.4", "= in a raw line")
    m, k = the_line(lines)
    if k + 1 < len(lines) and not empty(lines[k+1]):
        w = lines[k+1].strip(b" ").split(b" ")[0]
        if len(lines[k]) + 1 + len(w) > 60: raise Refuse("5.3", "broken line")
    if BROKEN.match(b"\n".join(lines[k+1:])): raise Refuse("5.3", "the text below goes on")
    return m, lines[k].decode()
def amount(m):
    ip, fp = m["int"].decode(), (m["frac"] or b"").decode()
    if m["cur"] == b"XAH":
        if len(fp) > 6: raise Refuse("5.5", "decimals")
        drops = int((ip + fp.ljust(6, "0")).lstrip("0") or "0") if len(ip.lstrip("0")) < 20 else 10**30
        if not 0 < drops <= 10**17: raise Refuse("5.5", "amount")
        return str(drops), (0x4000000000000000 | drops).to_bytes(8, "big")
    if m["code"] == b"XAH": raise Refuse("5.5", "XAH issued")
    exp = -len(fp)
    dig = (ip + fp).lstrip("0")
    z = len(dig) - len(dig.rstrip("0")); dig = dig.rstrip("0"); exp += z
    if not dig: raise Refuse("5.5", "zero")
    if len(dig) > 15: raise Refuse("5.5", "digits")
    man, e = int(dig) * 10**(16 - len(dig)), exp - (16 - len(dig))
    if not -96 <= e <= 80: raise Refuse("5.5", "exponent")
    iss = classic(m["iss"].decode())
    if iss is None: iss = None
    if exp >= 0: val = dig + "0" * exp
    else:
        t = dig.rjust(1 - exp, "0"); val = t[:exp] + "." + t[exp:]
    u = 1 << 63 | 1 << 62 | (e + 97) << 54 | man
    cur = bytes(12) + m["code"] + bytes(5)
    return {"currency": m["code"].decode(), "issuer": m["iss"].decode(), "value": val}, u.to_bytes(8, "big") + cur
def recipient(s, m):
    """-> (canonical or None, account, tag)"""
    if m["cl"]:
        acc = classic(m["cl"].decode())
        if acc is None: raise Refuse("2.4", "checksum")
        return None, no_special(acc), tag_number(m["tag"][1:].decode()) if m["tag"] else None
    if m["ad"] or m["ae"] or m["af"]:
        return recipient_from_address(*addr_spec((m["ad"] or m["ae"] or m["af"]).decode("latin1")))
    ks = s.sel.get(b"to", [])
    if len(ks) != 1: raise Refuse("4.3", "To not selected exactly once")
    return recipient_from_address(*header_mailbox(s.fields[ks[0]][1]))
def derive(s, m, line, network):
    net = m["net"] or m["net2"]
    if net is not None:
        if net.decode() != str(network): raise Refuse("5.6", "NET")
    elif network != 21337: raise Refuse("5.6", "no NET")
    if m["key"]:
        acc = classic(m["key"].decode())
        if acc is None: raise Refuse("2.4", "checksum")
        no_special(acc)
        if acc == s.acc: raise Refuse("2.5", "the key is the account itself")
        return None, {"TransactionType": "SetRegularKey", "RegularKey": m["key"].decode()}, bytes.fromhex("120005") + b"\x88\x14" + acc
    js, bin_ = amount(m)
    if m["code"]:
        iss = classic(m["iss"].decode())
        if iss is None: raise Refuse("2.4", "issuer checksum")
        bin_ += no_special(iss)
    addr, acc, tag = recipient(s, m)
    if acc == s.acc: raise Refuse("2.5", "the mail pays its own account")
    r = r_address(acc)
    tx = {"TransactionType": "Remit", "Destination": r}
    if tag is not None: tx["DestinationTag"] = tag
    tx["Amounts"] = [{"AmountEntry": {"Amount": js}}]
    ob = bytes.fromhex("12005f")
    if tag is not None: ob += b"\x2e" + tag.to_bytes(4, "big")
    ob += b"\x83\x14" + acc + bytes.fromhex("f05ce05b61") + bin_ + b"\xe1\xf1"
    return {"address": addr, "account": r, "tag": tag}, tx, ob

ROBOTS = re.compile(rb"(list-|resent-|x-original-|x-autoreply|x-auto-reply|x-autorespon|x-auto-respon).*"
                    rb"|mailing-list|(x-)?precedence|x-autogenerated|x-mail-autoreply|x-fc-machinegenerated", re.S)
def unfolded(s, k): return s.fields[k][1].replace(b"\r\n", b"")
def not_somebody_else(s, k):
    """4.8: a signed Sender is the mailbox of From"""
    try: a = canonical(*header_mailbox(s.fields[k][1]))
    except Refuse as e: raise Refuse("4.8", "sender: " + e.why)
    if a != s.addr: raise Refuse("4.8", "sender is somebody else")
def not_another_content(n, v):
    """4.8: a signed Content-Type or Content-Disposition, read as in a part"""
    try: head, _ = structured(v)
    except Refuse as e: raise Refuse("4.8", n.decode() + ": " + e.why)
    if n == b"content-disposition": good = head == b"inline"
    else: good = head == b"text/plain" or re.fullmatch(rb"multipart/.+", head) and head not in (b"multipart/digest", b"multipart/report")
    if not good: raise Refuse("4.8", n.decode() + " " + head.decode())
def rest(s, now, network):
    """From 3.5 on; the window only where there is a time."""
    if s.to_refusal: raise s.to_refusal
    if len(s.nf) > MEMO_MAX: raise Refuse("1", "memo too large")
    D = date_of(s.fields[s.sel[b"date"][0]][1])
    if s.t is not None and D + EPOCH2000 > s.t + SKEW: raise Refuse("4.6", "Date ahead of t=")
    for n, ks in s.sel.items():
        if not ks: continue
        if ROBOTS.fullmatch(n): raise Refuse("4.8", n.decode())
        if n == b"auto-submitted":
            for k in ks:
                if unfolded(s, k).strip(WSP).lower() != b"no": raise Refuse("4.8", "auto-submitted")
        for k in ks:
            if n == b"sender": not_somebody_else(s, k)
            if n in (b"content-type", b"content-disposition"): not_another_content(n, unfolded(s, k))
    m, line = read_instruction(*instruction_text(s.body))
    to, tx, ob = derive(s, m, line, network)
    if now is None: now = D; s.t = s.x = None
    unix = now + EPOCH2000
    if D + WINDOW < now or D > now + SKEW: raise Refuse("4.6", "window D")
    if s.t is not None and (s.t + WINDOW < unix or s.t > unix + SKEW): raise Refuse("4.6", "window t=")
    if s.x is not None and s.x < unix: raise Refuse("4.6", "x= past")
    eid = sha512half(b"EID\0" + network.to_bytes(4, "big") + s.acc + D.to_bytes(4, "big") + ob)
    return {"accept": True, "rule": None, "normal_form_hex": s.nf.hex(), "from": {"address": s.addr, "account": r_address(s.acc)},
            "to": to, "instruction": line, "tx": tx, "email_id": eid.hex().upper(), "date": D, "email_id_object_hex": ob.hex()}

def refused(e): return {"accept": False, "rule": e.rule, "why_oracle": e.why, "normal_form_hex": None, "from": None, "to": None, "instruction": None, "tx": None, "email_id": None}

def read_memo(memo, network):
    """What a memo says without any ledger: (signature, what `rest` gives). Raises Refuse. Order of section 10, without the window."""
    if len(memo) > MEMO_MAX: raise Refuse("1", "memo too large")
    fields, body = parse_mail(memo)
    idxs = [k for k, f in enumerate(fields) if f[0].lower() == b"dkim-signature"]
    if not idxs: raise Refuse("4.7", "no DKIM-Signature")
    s = form(fields, body, idxs[0])
    if s.bad: raise s.bad
    if s.to_refusal: raise s.to_refusal
    body_hash(s)
    if idxs[0] != 0 or s.nf != memo: raise Refuse("3.5", "not its own normal form")
    s.signed_at, s.expires = s.t, s.x
    return s, rest(s, None, network)

def judge(mail, keys, now, network, memo=False):
    try:
        if len(mail) > MAIL_MAX: raise Refuse("1", "mail too large")
        fields, body = parse_mail(mail)
        idxs = [k for k, f in enumerate(fields) if f[0].lower() == b"dkim-signature"]
        if not idxs: raise Refuse("4.7", "no DKIM-Signature")
        cands, first = [], None
        for k in idxs:
            if len(cands) == 4: break
            try: cands.append(form(fields, body, k))
            except Refuse as e: first = first or e
            if memo: break
        if not cands: raise first
        if memo:
            if cands[0].bad: raise cands[0].bad
            body_hash(cands[0])
            if idxs[0] != 0 or cands[0].nf != mail: raise Refuse("3.5", "not its own normal form")
        for s in cands:
            try:
                if s.b is None or s.bh is None: raise s.bad
                body_hash(s); check_key(s, keys)
            except Refuse: continue
            if s.bad: raise s.bad
            s2 = parse_mail(s.nf)   # 3.5 idempotence
            assert form(s2[0], s2[1], 0).nf == s.nf
            return rest(s, now, network)
        s = cands[0]
        if s.bad: raise s.bad
        if s.to_refusal: raise s.to_refusal
        body_hash(s)
        rest(s, now, network)
        check_key(s, keys)
        raise AssertionError
    except Refuse as e:
        return refused(e)

RECORDED = ("accept", "rule", "normal_form_hex", "from", "to", "instruction", "tx", "email_id", "date", "email_id_object_hex")
def record(c, r, with_reason):
    """Writes what is read into a recorded case."""
    for k in (*RECORDED, "reason"):
        c.pop(k, None) if k not in r else c.update({k: r[k]})
    if with_reason and not r["accept"]: c["reason"] = r["why_oracle"]
def main(path, write=False):
    d = json.load(open(path)); base = os.path.dirname(path); bad = 0
    now, keys = d["clock"]["since_2000"], {**d["keys"], **d.get("keys_several", {})}
    with_reason = any("reason" in c for c in d["cases"])
    for c in d["cases"]:
        mail = open(os.path.join(base, c["file"]), "rb").read()
        r = judge(mail, keys, c.get("now", now), c["network_id"])
        diff = [k for k in RECORDED if r.get(k) != c.get(k)]
        if diff: bad += 1; print("DIFF", c["file"], c["why"], {k: (str(c.get(k))[:80], str(r.get(k))[:80]) for k in diff}, r.get("why_oracle"))
        if diff and write: record(c, r, with_reason)
    for c in d.get("memos", []):
        r = judge(bytes.fromhex(c["memo_hex"]), keys, now, c["network_id"], memo=True)
        if (r["accept"], r["rule"]) != (c["accept"], c["rule"]): bad += 1; print("DIFF memo", c["why"], c["rule"], r["rule"], r.get("why_oracle"))
    print(len(d["cases"]), "cases", len(d.get("memos", [])), "memos", bad, "differences")
    if write: json.dump(d, open(path, "w"), indent=1)
if __name__ == "__main__": main(sys.argv[1], sys.argv[2:] == ["--write"])
