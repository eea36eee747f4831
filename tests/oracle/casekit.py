"""What the files attacks_*.py build cases with: test keys, a DKIM signer, shapes of providers' mail, and `case`.

Standard library only. An expectation is written by hand beside its mail; make_cases.py lets oracle.py, which was
written from the specification alone, confirm it before anything is written.
"""
import base64, hashlib, json, math, os, random, re
import oracle as O

HERE = os.path.dirname(os.path.abspath(__file__))
NOW = 1794830400                       # Mon, 16 Nov 2026 12:00:00 +0000: the clock of every case unless it says another
SENT = 1794823200                      # Mon, 16 Nov 2026 10:00:00 +0000: the Date of every mail unless it says another
SIGNED = SENT + 12                     # t= of most signatures
DATE = "Mon, 16 Nov 2026 10:00:00 +0000"
LINE = "REMIT 10 XAH TO <bob@example.com>"
BODY = LINE.encode() + b"\r\n"
SHORT = b"REMIT 10 XAH\r\n"            # the recipient is in the To header
ALICE, BOB, EVE = "alice@mail.test", "bob@example.com", "eve@evil.test"
CLASSIC = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o"
ISSUER = "rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B"
BAD_CLASSIC = CLASSIC[:-1] + "a"       # wrong checksum

# ------------------------------------------------------------------------------------------------ test keys
KEY_FILE = os.path.join(HERE, "case_keys.json")
KEY_SHAPES = {                          # name: modulus bits, exponent
    "main": (2048, 65537), "other": (2048, 65537), "e3": (2048, 3), "emax": (1024, 2**32 - 5), "ebig": (1024, 2**32 + 15),
    "k512": (512, 65537), "k1023": (1023, 65537), "k1024": (1024, 65537), "k1025": (1025, 65537), "k1031": (1031, 65537),
    "k3072": (3072, 65537), "k4096": (4096, 65537), "k4097": (4097, 65537)}

def is_prime(n, rng):
    for q in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        if n % q == 0: return n == q
    r, d = 0, n - 1
    while d % 2 == 0: r, d = r + 1, d // 2
    for _ in range(24):
        x = pow(rng.randrange(2, n - 1), d, n)
        if x in (1, n - 1): continue
        for _ in range(r - 1):
            x = x * x % n
            if x == n - 1: break
        else: return False
    return True
def prime(bits, e, rng):
    while True:
        p = rng.getrandbits(bits) | 1 | 1 << bits - 1
        if math.gcd(p - 1, e) == 1 and is_prime(p, rng): return p
def make_keys():
    """Seeded, so that the file can be made again. Test keys: whoever uses one for mail gives his mail away."""
    keys = {}
    for name, (bits, e) in KEY_SHAPES.items():
        rng = random.Random("xahau-email test key " + name)
        while True:
            p, q = prime((bits + 1) // 2, e, rng), prime(bits // 2, e, rng)
            if p != q and (p * q).bit_length() == bits: break
        keys[name] = {"p": hex(p), "q": hex(q), "e": e}
    with open(KEY_FILE, "w") as f: json.dump(keys, f, indent=1); f.write("\n")

class Rsa:
    def __init__(self, p, q, e):
        self.p, self.q, self.e, self.n = p, q, e, p * q
        self.size = (self.n.bit_length() + 7) // 8
        self.dp, self.dq, self.qi = pow(e, -1, p - 1), pow(e, -1, q - 1), pow(q, -1, p)
    def root(self, m):
        """m to the power of the private exponent"""
        a, b = pow(m, self.dp, self.p), pow(m, self.dq, self.q)
        return b + (a - b) * self.qi % self.p * self.q
def load_keys():
    return {k: Rsa(int(v["p"], 16), int(v["q"], 16), v["e"]) for k, v in json.load(open(KEY_FILE)).items()} if os.path.exists(KEY_FILE) else {}
K = load_keys()

# ------------------------------------------------------------------------------------------------ DER and records
def e64(b): return base64.b64encode(b).decode()
def tweak(b, at):
    """Sets unused bits of the last character before the padding."""
    i = len(b.rstrip("=")) - 1
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return b[:i] + alphabet[alphabet.index(b[i]) | at] + b[i + 1:]
def tlv(tag, v):
    n = len(v)
    size = (n.bit_length() + 7) // 8
    return bytes([tag]) + (bytes([n]) if n < 128 else bytes([0x80 + size]) + n.to_bytes(size, "big")) + v
def integer(n): return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))
RSA_OID = bytes.fromhex("06092a864886f70d010101")
NULL = b"\5\0"
def pkcs1(k, e=None): return tlv(0x30, integer(k.n) + integer(e or k.e))
def spki(k, alg=RSA_OID + NULL, unused=b"\0", inner=None, tail=b""):
    return tlv(0x30, tlv(0x30, alg) + tlv(3, unused + (pkcs1(k) if inner is None else inner)) + tail)
def record(k, pre="v=DKIM1; k=rsa; "): return pre + "p=" + e64(spki(k))

# ------------------------------------------------------------------------------------------------ RSA signatures
SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
def emsa(k, digest_info):
    """EMSA-PKCS1-v1_5 (RFC 8017 section 9.2)"""
    return b"\0\1" + b"\xff" * (k.size - 3 - len(digest_info)) + b"\0" + digest_info
def raw_rsa(k, em): return k.root(int.from_bytes(em, "big")).to_bytes(k.size, "big")
def rsa_sign(k, data): return raw_rsa(k, emsa(k, SHA256 + hashlib.sha256(data).digest()))

# ------------------------------------------------------------------------------------------------ Ed25519
def ed_point(p):
    zi = pow(p[2], O.P - 2, O.P); x, y = p[0] * zi % O.P, p[1] * zi % O.P
    return (y | (x & 1) << 255).to_bytes(32, "little")
class Ed:
    def __init__(self, seed):
        h = hashlib.sha512(hashlib.sha256(seed).digest()).digest()
        self.a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.prefix = h[32:]
        self.pub = ed_point(O.pmul(self.a, O.BASE))
    def sign(self, msg):
        """RFC 8032 section 5.1.6"""
        r = int.from_bytes(hashlib.sha512(self.prefix + msg).digest(), "little") % O.L
        rb = ed_point(O.pmul(r, O.BASE))
        return rb + ((r + challenge(rb, self.pub, msg) * self.a) % O.L).to_bytes(32, "little")
def challenge(rb, pub, msg): return int.from_bytes(hashlib.sha512(rb + pub + msg).digest(), "little") % O.L
ED = Ed(b"xahau-email test key ed25519")
ED_RECORD = "v=DKIM1; k=ed25519; p="
def ed_sign(_, data): return ED.sign(hashlib.sha256(data).digest())

# ------------------------------------------------------------------------------------------------ signer
TAGS = "v=1; a={a}; c={c}; d={d}; s={s};\r\n\tt={t}; {x}h={h};\r\n\tbh={bh};\r\n\tb={b}"
UNTIMED = TAGS.replace("t={t}; ", "")
def fold(b, width=64): return "\r\n\t ".join(b[i:i + width] for i in range(0, len(b), width))
def sig(**kw):
    """Parameters of one signature; whatever is not given comes from the shape."""
    return kw
def add_signature(fields, body, keys, *, tags=TAGS, a="rsa-sha256", c="relaxed/relaxed", d="mail.test", s="s1", t=SIGNED, x="",
                  h="From:To:Subject:Date:Message-ID:MIME-Version:Content-Type", k="main", rec="", signer=None, bmap=fold,
                  bhmap=lambda b: b, canon=None, at=0, hashed=None, name=b"DKIM-Signature", signed_body=None):
    """Signs as RFC 6376 section 3.7 says and puts the field at position `at`. `hashed` is the h= that is really hashed, `canon`
    the c= really used, `rec` the TXT record (None: there is none)."""
    header, _, bodyc = (canon or c).partition("/")
    hrel, brel = header == "relaxed", bodyc == "relaxed"
    key = K.get(k) if isinstance(k, str) else k
    bh = bhmap(e64(hashlib.sha256(O.canon_body(body if signed_body is None else signed_body, brel)).digest()))
    def value(b): return (" " + tags.format(a=a, c=c, d=d, s=s, t=t, x=x, h=h, bh=bh, b=b)).encode("latin1")
    used, data = {}, b""
    for n in (hashed or h).split(":"):
        n = n.strip().lower().encode()
        found = [f for f in fields if f[0].lower() == n]
        i = used[n] = used.get(n, 0) + 1
        if i <= len(found): data += O.canon_header(*found[-i], hrel) + b"\r\n"
    data += O.canon_header(name, value(""), hrel)
    ed = a.startswith("ed25519")
    fields.insert(at, (name, value(bmap(e64((signer or (ed_sign if ed else rsa_sign))(key, data))))))
    if rec == "": rec = ED_RECORD + e64(ED.pub) if ed else record(key)
    if rec is not None:
        keys["%s._domainkey.%s" % (s.lower(), d.lower())] = rec if isinstance(rec, list) else [rec]

# ------------------------------------------------------------------------------------------------ shapes of mail
GMAIL_H = "to:cc:subject:message-id:date:from:mime-version:from:to:cc:subject:date:message-id:reply-to:content-type"
GMAIL = dict(frm="Alice Example <alice.example@gmail.com>", d="gmail.com", s="20251104", t=SIGNED,
    tags="v=1; a={a}; c={c};\r\n        d={d}; s={s}; t={t}; x=%d; {x}\r\n        h={h};\r\n        bh={bh};\r\n        b={b}" % (SIGNED + 604800),
    x="darn=relay.example;", h=GMAIL_H, order=["MIME-Version", "From", "Date", "Message-ID", "Subject", "To", "Cc", "Content-Type"],
    mid="<CAJ2gJ=alice.1@mail.gmail.com>", ct='multipart/alternative; boundary="0000000000001f3a9b0643d1e2c7"',
    from_is="aliceexample@gmail.com")
OUTLOOK = dict(frm="Alice Example <alice@outlook.com>", d="outlook.com", s="selector1",
    tags="v=1; a={a}; c={c};\r\n d={d}; s={s};\r\n {x}h={h};\r\n bh={bh};\r\n b={b}",
    h="From:Date:Subject:Message-ID:Content-Type:MIME-Version:X-MS-Exchange-SenderADCheck",
    order=["From", "To", "Cc", "Subject", "Date", "Message-ID", "Content-Type", "MIME-Version"],
    mid="<DB7PR01MB4299A1@DB7PR01MB4299.eurprd01.prod.exchangelabs.com>",
    ct='multipart/alternative;\r\n\tboundary="_000_DB7PR01MB4299A1DB7PR01MB4299eurp_"', from_is="alice@outlook.com")
YAHOO = dict(frm="Alice Example <alice@yahoo.com>", d="yahoo.com", s="s2048", h="Date:From:Subject:References:From:Subject:Reply-To",
    tags="v=1; a={a}; c={c}; d={d}; s={s}; t={t}; {x}bh={bh}; h={h}; b={b}", bmap=lambda b: b,
    order=["Date", "From", "To", "Cc", "Message-ID", "Subject", "MIME-Version", "Content-Type"], mid="<1234.5678@mail.yahoo.com>",
    ct='multipart/alternative; \r\n\tboundary="----=_Part_4711_1794823200.1794823200000"', from_is="alice@yahoo.com")
ICLOUD = dict(frm="Alice Example <alice@icloud.com>", d="icloud.com", s="1a1hai", h="From:Content-Type:Mime-Version:Subject:Message-Id:Date:To:x-icloud-hme",
    tags="v=1; a={a}; c={c}; d={d}; s={s}; t={t};\r\n\t{x}bh={bh};\r\n\th={h};\r\n\tb={b}",
    order=["From", "Content-Type", "MIME-Version", "Subject", "Message-ID", "Date", "To"], mid="<5F0C2B1A-0000-4711@icloud.com>", ct="text/plain; charset=us-ascii",
    from_is="alice@icloud.com")
PROTON = dict(frm="Alice <alice@proton.me>", d="proton.me", s="protonmail", extra=[("Feedback-ID", "4711:user:proton")],
    h="Date:To:From:Subject:Message-ID:Feedback-ID:From:To:Cc:Date:Subject:Reply-To:Feedback-ID:Message-ID:BIMI-Selector",
    tags="v=1; a={a}; c={c}; d={d};\r\n\ts={s}; t={t}; x=%d;\r\n\t{x}bh={bh};\r\n\th={h};\r\n\tb={b}" % (SIGNED + 259200),
    order=["Date", "To", "From", "Subject", "Message-ID", "MIME-Version", "Content-Type"], mid="<kP0ZlK8=@proton.me>", ct="text/plain; charset=utf-8", from_is="alice@proton.me")
PLAIN = dict(order=["From", "To", "Cc", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"])

def alternative(text, boundary="0000000000001f3a9b0643d1e2c7", head=b'Content-Type: text/plain; charset="UTF-8"', html=b"<div dir=\"ltr\">see the text part</div>",
                htmlhead=b'Content-Type: text/html; charset="UTF-8"', pre=b""):
    """multipart/alternative as web mail writes it: text, then HTML"""
    bd = boundary.encode()
    return (pre + b"--" + bd + b"\r\n" + head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + text + b"\r\n--" + bd + b"\r\n" + htmlhead + b"\r\n\r\n" + html +
            b"\r\n\r\n--" + bd + b"--\r\n")
OUTLOOK_BOUNDARY = "_000_DB7PR01MB4299A1DB7PR01MB4299eurp_"
def outlook_body(text):
    return alternative(text, OUTLOOK_BOUNDARY, b'Content-Type: text/plain; charset="iso-8859-1"\nContent-Transfer-Encoding: quoted-printable',
                       b"<html><body>see the text part</body></html>", b'Content-Type: text/html; charset="iso-8859-1"\r\nContent-Transfer-Encoding: quoted-printable')
YAHOO_BOUNDARY = "----=_Part_4711_1794823200.1794823200000"
def yahoo_body(text):
    return alternative(text, YAHOO_BOUNDARY, b"Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 7bit", b"<html><body>see the text part</body></html>",
                       b"Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit")
OUTLOOK["body"], YAHOO["body"], GMAIL["body"] = outlook_body(BODY), yahoo_body(BODY), alternative(BODY)

# ------------------------------------------------------------------------------------------------ cases
CASES, GROUPS, BY_SLUG = [], [], {}
def group(first, title):
    """Starts a group of numbers, so that a case added to it moves no other."""
    assert not GROUPS or first > CASES[-1]["number"], "group %d overlaps" % first
    GROUPS.append((first, title))
    group.next, group.good = first, None
def rep(a, b):
    a, b = (v if isinstance(v, bytes) else v.encode() for v in (a, b))
    def change(m):
        assert a in m, a
        return m.replace(a, b, 1)
    return change
def on_top(*lines):
    """Puts header lines above everything, as a relay or an attacker can."""
    add = b"".join((l if isinstance(l, bytes) else l.encode()) + b"\r\n" for l in lines)
    return lambda m: add + m
def at_header_end(line):
    line = line if isinstance(line, bytes) else line.encode()
    return lambda m: m.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n", 1)
def both(*changes):
    def change(m):
        for c in changes: m = c(m)
        return m
    return change

def compose(shape, frm, to, cc, date, subject, ct, mid, mime, extra, top, body, sigs, fields, post, sign):
    enc = lambda v: v if isinstance(v, bytes) else v.encode("utf-8")
    values = {"From": frm, "To": to, "Cc": cc, "Date": date, "Subject": subject, "Content-Type": ct, "Message-ID": mid, "MIME-Version": mime}
    made = [(enc(n), b" " + enc(values[n])) for n in shape["order"] if values[n] is not None] + [(enc(n), b" " + enc(v)) for n, v in extra]
    if fields: made = fields(made)
    keys = {}
    for one in reversed(sigs): add_signature(made, body, keys, **{**sign, **one})
    made = [(enc(n), b" " + enc(v)) for n, v in top] + made
    mail = b"".join(n + b":" + v + b"\r\n" for n, v in made) + b"\r\n" + body
    return (post(mail) if post else mail), keys

SIGN = "tags a c d s t x h k rec signer bmap bhmap canon at hashed name signed_body".split()
def case(slug, why, rule=None, *, spec=None, rfc=None, like=None, same=None, shape=None, at=NOW, net=21337, keys=None,
         from_is=None, to_is=BOB, amount="10", line=LINE, date_is=SENT, sigs=None, sig_at=0, **kw):
    """One case. `rule` None: the mail qualifies, as from_is, to_is, amount, line and date_is; "7.3": unknown; else the rule that
    refuses. `like`: the harmless sibling (by default the last good case of the group). `same`: the case that is the same payment."""
    assert slug not in BY_SLUG, slug
    base = {**PLAIN, **(shape or {})}
    got = {**base, **kw}
    sign = {n: got[n] for n in SIGN if n in got and n != "at"}
    sign["at"] = sig_at
    body = got.get("body", BODY)
    if isinstance(body, str): body = body.encode("utf-8")
    mail, found = compose(base, got.get("frm", "Alice <alice@mail.test>"), got.get("to", "Relay <relay@relay.example>"), got.get("cc"), got.get("date", DATE),
        got.get("subject", "a payment"), got.get("ct", "text/plain; charset=utf-8"), got.get("mid", "<%04d@mail.test>" % group.next), got.get("mime", "1.0"),
        [*base.get("extra", []), *kw.get("extra", [])], got.get("top", []), body, sigs if sigs is not None else [{}], got.get("fields"), got.get("post"), sign)
    if rule not in (None,) and like is None: like = group.good
    assert spec or rule, slug
    if rule and spec and rule not in spec.split(", "): spec = rule + ", " + spec
    known = {"order", "frm", "to", "cc", "date", "subject", "ct", "mid", "mime", "extra", "top", "body", "fields", "post", "from_is"} | set(SIGN)
    assert not set(kw) - known, set(kw) - known
    c = dict(number=group.next, slug=slug, why=" ".join(why.split()), rule=rule, spec=spec or rule, rfc=rfc, like=like, same=same, at=at, net=net, mail=mail,
             keys={**found, **(keys or {})}, from_is=from_is or base.get("from_is", ALICE), to_is=to_is, amount=amount, line=line, date_is=date_is)
    CASES.append(c); BY_SLUG[slug] = c
    group.next += 1
    if rule is None and same is None: group.good = slug
    return c
