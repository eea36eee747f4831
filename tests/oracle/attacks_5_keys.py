"""Key records, RSA and Ed25519 at their edges. The kinds of edge cases are those that the public Wycheproof vectors name
(rsa_signature_2048_sha256_test.json, ed25519_test.json); every signature here is made with this project's own test keys, most of
them with the private key, so that one check alone stands between the forgery and acceptance."""
from casekit import *

MAIN = K["main"]
P = "p=" + e64(spki(MAIN))
R = "RFC 6376 section 3.6.1"
# ================================================================================================ records
group(2101, "Key records")
def rec(slug, why, text, rule=None, **kw):
    kw = {"rfc": R, "rec": text, **kw}
    if rule is None: case("record-" + slug, why, spec=kw.pop("spec", "4.5"), **kw)
    else: case("record-" + slug, why, rule, **kw)
rec("usual", "The usual record.", "v=DKIM1; k=rsa; " + P)
rec("p-alone", "Only p=.", P)
rec("without-blanks", "No blanks between the tags.", "v=DKIM1;k=rsa;" + P)
rec("semicolon-at-end", "A semicolon at the end.", "v=DKIM1; k=rsa; " + P + ";")
rec("unknown-tags", "Unknown tags, notes and the old g=.", "v=DKIM1; g=*; n=a note; zz=1; " + P)
rec("two-semicolons", "An empty tag.", "v=DKIM1;; " + P, "4.5")
rec("two-semicolons-at-end", "An empty tag at the end.", "v=DKIM1; " + P + ";;", "4.5")
rec("p-folded", "Blanks within p=, as from strings pasted together.", "v=DKIM1; p=" + " ".join(e64(spki(MAIN))[i:i + 60] for i in range(0, 400, 60)))
rec("spf-beside", "Two TXT records for the name, an SPF record beside the key: which one is asked for depends on the order of an answer, so the name is unusable. RFC 6376 leaves the result undefined.", ["v=spf1 -all", "v=DKIM1; " + P], "4.5", rfc="RFC 6376 section 3.6.2.2")
rec("two-keys", "Two keys under one name.", ["v=DKIM1; " + P, record(K["other"])], "4.5", rfc="RFC 6376 section 3.6.2.2")
rec("same-key-twice", "Even the same record twice is two records.", ["v=DKIM1; " + P, "v=DKIM1; " + P], "4.5", rfc="RFC 6376 section 3.6.2.2")
rec("no-record", "The name exists, but has no TXT record: the key is not known, and the mail waits.", [], "7.3", rfc="RFC 6376 section 6.1.2", spec="7.3, 7.4")
rec("empty", "An empty record.", [""], "4.5")
rec("text", "Some other text.", "domain verification 4711", "4.5")
rec("html", "A web page that a broken resolver returned.", "<html>404</html>", "4.5")
rec("v-not-first", "v= must be first if it is there.", "k=rsa; v=DKIM1; " + P, "4.5")
rec("v-lower-case", "v=dkim1.", "v=dkim1; " + P, "4.5")
rec("v-dkim2", "Another version.", "v=DKIM2; " + P, "4.5")
rec("v-colon", "`v=DKIM1:` is no version.", "v=DKIM1: k=rsa; " + P, "4.5")
rec("p-missing", "No p=.", "v=DKIM1; k=rsa", "4.5")
rec("p-empty", "An empty p= says that the key was withdrawn.", "v=DKIM1; k=rsa; p=", "4.5", spec="4.5, 7.4")
rec("p-twice", "p= twice.", "v=DKIM1; " + P + "; " + P, "4.5", rfc="RFC 6376 section 3.2")
rec("p-junk-character", "A character outside the alphabet.", P[:40] + "*" + P[40:], "4.5", rfc="RFC 4648 section 3.3")
SHORT_KEY = e64(pkcs1(K["k1024"]))
assert SHORT_KEY.endswith("=")
rec("p-padded", "A key whose base64 ends in padding.", "p=" + SHORT_KEY, k="k1024")
rec("p-without-padding", "Padding left out.", "p=" + SHORT_KEY.rstrip("="), "4.5", k="k1024", rfc="RFC 4648 section 3.2")
rec("p-unused-bits", "Unused bits in p=: one key, two records.", "p=" + tweak(SHORT_KEY, 1), "4.5", k="k1024", rfc="RFC 4648 section 3.5")
rec("p-url-alphabet", "The alphabet of URLs.", P.replace("+", "-").replace("/", "_"), "4.5", rfc="RFC 4648 section 5")
rec("p-cut-at-255", "Only the first string of 255 bytes was stored, a common slip.", ("v=DKIM1; k=rsa; " + P)[:255], "4.5", rfc="RFC 1035 section 3.3.14")
rec("p-pem-lines", "The PEM header was pasted into p=.", "v=DKIM1; p=-----BEGIN PUBLIC KEY-----" + P[2:], "4.5")
rec("backslash-semicolon", "`\\;` of a zone file got into the record.", "v=DKIM1\\; k=rsa\\; " + P, "4.5")
rec("k-rsa-upper-case", "k=RSA: values are compared as written.", "v=DKIM1; k=RSA; " + P, "4.5")
rec("k-unknown", "An unknown kind of key.", "v=DKIM1; k=ecdsa; " + P, "4.5")
rec("k-ed25519-for-rsa", "An RSA key that says ed25519.", "v=DKIM1; k=ed25519; " + P, "4.5", rfc="RFC 8463 section 4")
rec("h-sha256", "h= allows sha256.", "v=DKIM1; h=sha256; " + P)
rec("h-list", "h= is a list.", "v=DKIM1; h=sha1 : sha256; " + P)
rec("h-sha1", "h= allows sha1 only.", "v=DKIM1; h=sha1; " + P, "4.5")
rec("h-similar", "sha2567 is not sha256.", "v=DKIM1; h=sha2567; " + P, "4.5")
rec("s-star", "s=*.", "v=DKIM1; s=*; " + P)
rec("s-email", "s=email.", "v=DKIM1; s=email; " + P)
rec("s-list-with-email", "A list that holds email.", "v=DKIM1; s=tlsrpt:email; " + P, rfc="RFC 8460 section 3")
rec("s-tlsrpt", "A key for reports only.", "v=DKIM1; s=tlsrpt; " + P, "4.5", rfc="RFC 8460 section 3")
rec("t-y", "The domain is only testing.", "v=DKIM1; t=y; " + P, "4.5")
rec("t-y-and-s", "t=y within a list.", "v=DKIM1; t=s:y; " + P, "4.5")
rec("t-unknown", "An unknown flag.", "v=DKIM1; t=zz; " + P)
rec("t-s", "t=s with no i=.", "v=DKIM1; t=s; " + P)
rec("t-s-same-domain", "t=s and i= of the same domain.", "v=DKIM1; t=s; " + P, x="i=alice@MAIL.test; ")
rec("t-s-subdomain", "t=s forbids i= below d=.", "v=DKIM1; t=s; " + P, "4.5", x="i=alice@sub.mail.test; ")
rec("latin1-note", "A byte above 7E in a note.", "v=DKIM1; n=cl\xe9; " + P, "4.5", rfc="RFC 6376 section 3.2")
rec("upper-case-tag", "A tag name in capitals: `P=` is not p=.", "v=DKIM1; P=AAAA; " + P, "4.5", rfc="RFC 6376 section 3.2")
rec("other-key", "The record of another key: the provider changed it under the same name.", record(K["other"]), "4.5", spec="4.5, 7.3")

# ================================================================================================ DER of RSA keys
group(2201, "RSA keys: one spelling")
DER = "ITU-T X.690 section 10.1"
def der(slug, why, key, rule="4.5", **kw): rec("der-" + slug, why, "v=DKIM1; k=rsa; p=" + e64(key), rule, **{"rfc": DER, **kw})
der("spki", "SubjectPublicKeyInfo, as RFC 6376 asks.", spki(MAIN), None, rfc="RFC 5280 section 4.1.2.7")
der("pkcs1", "A bare RSAPublicKey, as some signers publish.", pkcs1(MAIN), None, rfc="RFC 8017 appendix A.1.1")
der("trailing-byte", "A byte behind the SPKI.", spki(MAIN) + b"\0")
der("trailing-byte-pkcs1", "A byte behind the RSAPublicKey.", pkcs1(MAIN) + b"\0")
der("trailing-within-spki", "An element too much within the SPKI.", spki(MAIN, tail=NULL))
der("trailing-within-bit-string", "A byte behind the key within the bit string.", spki(MAIN, inner=pkcs1(MAIN) + b"\0"))
der("third-integer", "A third integer in RSAPublicKey.", tlv(0x30, integer(MAIN.n) + integer(MAIN.e) + integer(1)))
der("no-null", "rsaEncryption without its NULL.", spki(MAIN, alg=RSA_OID), rfc="RFC 3279 section 2.3.1")
der("parameters-twice", "Two NULLs.", spki(MAIN, alg=RSA_OID + NULL + NULL), rfc="RFC 3279 section 2.3.1")
der("pss-identifier", "The key says RSASSA-PSS.", spki(MAIN, alg=bytes.fromhex("06092a864886f70d01010a") + NULL), rfc="RFC 4055 section 1.2")
der("ec-identifier", "The key says ecPublicKey.", spki(MAIN, alg=bytes.fromhex("06072a8648ce3d0201") + NULL), rfc="RFC 5480 section 2.1.1")
der("unused-bits", "A bit string with one unused bit.", spki(MAIN, unused=b"\1"))
der("length-with-zero", "A length with a leading zero byte.", b"\x30\x83\0" + pkcs1(MAIN)[2:])
der("long-form-for-short", "The exponent's length in the long form.", tlv(0x30, integer(MAIN.n) + b"\2\x81\3\1\0\1"))
der("indefinite-length", "An indefinite length.", b"\x30\x80" + integer(MAIN.n) + integer(MAIN.e) + b"\0\0")
der("modulus-with-two-zeros", "A modulus with a zero byte too much: one key, two records.", tlv(0x30, tlv(2, b"\0\0" + MAIN.n.to_bytes(256, "big")) + integer(MAIN.e)), rfc="ITU-T X.690 section 8.3.2")
der("modulus-negative", "A modulus without the zero byte that makes it positive.", tlv(0x30, tlv(2, MAIN.n.to_bytes(256, "big")) + integer(MAIN.e)), rfc="ITU-T X.690 section 8.3.3")
der("exponent-with-zero", "An exponent with a zero byte too much.", tlv(0x30, integer(MAIN.n) + b"\2\4\0\1\0\1"), rfc="ITU-T X.690 section 8.3.2")
der("cut", "The last byte is missing.", spki(MAIN)[:-1])
der("private-key", "The private key was published instead (RSAPrivateKey begins with version 0).", tlv(0x30, integer(0) + integer(MAIN.n) + integer(MAIN.e)), rfc="RFC 8017 appendix A.1.2")
der("certificate", "A certificate's outer shape instead of a key.", tlv(0x30, tlv(0x30, spki(MAIN))), rfc="RFC 5280 section 4.1")
der("ed25519-key", "An Ed25519 SPKI under k=rsa.", bytes.fromhex("302a300506032b6570032100") + ED.pub, rfc="RFC 8410 section 4")
def ground(key, wanted):
    """The first Message-ID under which `wanted(key, data)` holds; nothing here is random."""
    for i in range(5000):
        hit = []
        compose({**PLAIN}, "Alice <alice@mail.test>", "Relay <relay@relay.example>", None, DATE, "a payment", "text/plain; charset=utf-8", "<%d@mail.test>" % i, "1.0", [], [], BODY, [{}], None, None,
                {"k": key, "at": 0, "signer": lambda k, d: hit.append(wanted(k, d)) or b"\0"})
        if hit[0]: return "<%d@mail.test>" % i
    raise SystemExit("no luck")
ROOT_KEY = next(k for name, k in sorted(K.items()) if k.p % 4 == k.q % 4 == 3 and 1024 <= k.n.bit_length() <= 4096)
SIZE = "RFC 8301 section 3.2"
for bits, rule in (("1024", None), ("1025", None), ("1031", None), ("3072", None), ("4096", None), ("512", "4.5"), ("1023", "4.5"), ("4097", "4.5")):
    why = "A modulus of %s bits, counted from its first one bit" % bits
    case("rsa-%s-bits" % bits, why + (": outside 1024 to 4096." if rule else "."), rule, spec="4.5", k="k" + bits, rfc=SIZE)
case("rsa-exponent-3", "e=3 is allowed, because the padding is compared whole.", spec="4.5", k="e3", rfc="RFC 8017 section 3.1")
case("rsa-exponent-below-2-32", "The largest exponents.", spec="4.5", k="emax")
case("rsa-exponent-above-2-32", "An exponent of 33 bits: verification would be slow at will.", "4.5", k="ebig")
case("rsa-exponent-1", "e=1: the signature is the encoded message itself, and anybody can write it.", "4.5", rec="p=" + e64(spki(MAIN, inner=tlv(0x30, integer(MAIN.n) + integer(1)))), signer=lambda k, d: emsa(k, SHA256 + hashlib.sha256(d).digest()), rfc="RFC 8017 section 3.1")
def square_root(k, data):
    """A root of the encoded message under e=2, or None: one message of four has one (both primes are 3 modulo 4 here)."""
    m = int.from_bytes(emsa(k, SHA256 + hashlib.sha256(data).digest()), "big")
    a, b = pow(m, (k.p + 1) // 4, k.p), pow(m, (k.q + 1) // 4, k.q)
    s = b + (a - b) * k.qi % k.p * k.q
    return s.to_bytes(k.size, "big") if s * s % k.n == m else None
case("rsa-exponent-2", "e=2 is even. The signature is a true square root, so only the rule on exponents stands against it.", "4.5", k=ROOT_KEY, mid=ground(ROOT_KEY, lambda k, d: square_root(k, d) is not None),
     rec="p=" + e64(spki(ROOT_KEY, inner=tlv(0x30, integer(ROOT_KEY.n) + integer(2)))), signer=square_root, rfc="RFC 8017 section 3.1")
case("rsa-modulus-even", "An even modulus: one bit of the record was changed.", "4.5", rec="p=" + e64(spki(MAIN, inner=tlv(0x30, integer(MAIN.n - 1) + integer(MAIN.e)))), rfc="RFC 8017 section 3.1")
case("rsa-exponent-65536", "An even exponent beside the usual one.", "4.5", rec="p=" + e64(spki(MAIN, inner=tlv(0x30, integer(MAIN.n) + integer(65536)))), rfc="RFC 8017 section 3.1")
case("rsa-exponent-0", "e=0.", "4.5", rec="p=" + e64(spki(MAIN, inner=tlv(0x30, integer(MAIN.n) + b"\2\1\0"))), rfc="RFC 8017 section 3.1")
case("rsa-modulus-0", "A modulus of zero.", "4.5", rec="p=" + e64(tlv(0x30, b"\2\1\0" + integer(65537))), rfc="RFC 8017 section 3.1")

# ================================================================================================ RSA signatures
group(2301, "RSA signatures: the encoded message byte for byte")
W = "RFC 8017 section 8.2.2; kinds of Wycheproof rsa_signature_2048_sha256_test.json"
case("rsa-usual", "The signature as RFC 8017 makes it.", spec="4.5", rfc=W)
def rsa(slug, why, signer, **kw): case("rsa-" + slug, why, "4.5", signer=signer, **{"rfc": W, **kw})
def padded(slug, why, em, **kw):
    """`em` makes the encoded message from the key and the SHA-256; it is signed with the private key."""
    rsa(slug, why, lambda k, d: raw_rsa(k, em(k, hashlib.sha256(d).digest())), **kw)
OID256 = bytes.fromhex("0609608648016503040201")
padded("no-null", "DigestInfo without its NULL, which some verifiers take.", lambda k, h: emsa(k, tlv(0x30, tlv(0x30, OID256) + tlv(4, h))))
padded("null-with-content", "A NULL of one byte.", lambda k, h: emsa(k, tlv(0x30, tlv(0x30, OID256 + b"\5\1\0") + tlv(4, h))))
padded("null-is-garbage", "Garbage where the NULL belongs: room for a forgery under e=3 (CVE-2006-4339).", lambda k, h: emsa(k, tlv(0x30, tlv(0x30, OID256 + tlv(4, b"\xaa" * 100)) + tlv(4, h))))
padded("parameters-twice", "Two NULLs.", lambda k, h: emsa(k, tlv(0x30, tlv(0x30, OID256 + NULL + NULL) + tlv(4, h))))
padded("long-form-length", "DigestInfo's length in the long form (BERserk, CVE-2014-1568).", lambda k, h: emsa(k, b"\x30\x81" + SHA256[1:] + h))
padded("length-with-zero", "A length with a leading zero.", lambda k, h: emsa(k, b"\x30\x82\0" + SHA256[1:] + h))
padded("indefinite-length", "An indefinite length.", lambda k, h: emsa(k, b"\x30\x80" + SHA256[2:] + h + b"\0\0"))
padded("inner-long-form-length", "The digest's length in the long form.", lambda k, h: emsa(k, tlv(0x30, SHA256[2:17] + b"\4\x81\x20" + h)))
padded("trailing-in-digest-info", "An element behind the digest.", lambda k, h: emsa(k, tlv(0x30, SHA256[2:] + h + NULL)))
padded("wrong-oid", "The identifier of SHA-512 over a SHA-256.", lambda k, h: emsa(k, SHA256.replace(OID256, OID256[:-1] + b"\3") + h))
padded("sha224-oid", "The identifier of SHA-224.", lambda k, h: emsa(k, SHA256.replace(OID256, OID256[:-1] + b"\4") + h))
padded("digest-cut", "A digest of 31 bytes.", lambda k, h: emsa(k, tlv(0x30, SHA256[2:17] + tlv(4, h[:31]))))
padded("digest-zero", "A digest of zeros.", lambda k, h: emsa(k, SHA256 + bytes(32)))
padded("no-digest-info", "The digest alone (NoHash).", lambda k, h: emsa(k, h))
padded("block-type-0", "Block type 00.", lambda k, h: b"\0\0" + emsa(k, SHA256 + h)[2:])
padded("block-type-2", "Block type 02, that of encryption.", lambda k, h: b"\0\2" + emsa(k, SHA256 + h)[2:])
padded("first-byte-1", "A first byte that is not zero.", lambda k, h: b"\1" + emsa(k, SHA256 + h)[1:])
padded("separator-missing", "FF where the zero before DigestInfo stands.", lambda k, h: emsa(k, SHA256 + h).replace(b"\0" + SHA256, b"\xff" + SHA256))
padded("one-padding-byte-zero", "A zero among the padding bytes.", lambda k, h: emsa(k, SHA256 + h)[:100] + b"\0" + emsa(k, SHA256 + h)[101:])
padded("one-padding-byte-fe", "FE among the padding bytes.", lambda k, h: emsa(k, SHA256 + h)[:100] + b"\xfe" + emsa(k, SHA256 + h)[101:])
padded("padding-of-zeros", "Padding of zeros.", lambda k, h: emsa(k, SHA256 + h).replace(b"\xff", b"\0", 202))
padded("padding-of-garbage", "Padding of garbage (python-rsa, CVE-2016-1494).", lambda k, h: b"\0\1" + b"\x5a" * 202 + b"\0" + SHA256 + h)
padded("short-padding-garbage-behind", "Eight padding bytes, DigestInfo, then garbage: Bleichenbacher's forgery of 2006.", lambda k, h: (b"\0\1" + b"\xff" * 8 + b"\0" + SHA256 + h).ljust(k.size, b"\xaa"))
padded("no-padding", "No padding bytes at all.", lambda k, h: (b"\0\1\0" + SHA256 + h).ljust(k.size, b"\xaa"))
padded("message-at-the-left", "DigestInfo at the left, padding behind it.", lambda k, h: b"\0\1" + SHA256 + h + b"\0" + b"\xff" * 202)
def other_hash(prefix, name): return lambda k, d: raw_rsa(k, emsa(k, bytes.fromhex(prefix) + hashlib.new(name, d).digest()))
rsa("over-sha1", "A true SHA-1 signature.", other_hash("3021300906052b0e03021a05000414", "sha1"), rfc="RFC 8301 section 3.1")
rsa("over-sha512", "A true SHA-512 signature.", other_hash("3051300d060960864801650304020305000440", "sha512"))
def pss(k, d):
    """EMSA-PSS (RFC 8017 section 9.1.1), SHA-256, salt of 32 zero bytes"""
    h = hashlib.sha256(bytes(8) + hashlib.sha256(d).digest() + bytes(32)).digest()
    db = bytes(k.size - 66) + b"\1" + bytes(32)
    mask = b"".join(hashlib.sha256(h + i.to_bytes(4, "big")).digest() for i in range(k.size // 32 + 1))[:len(db)]
    db = bytes(a ^ b for a, b in zip(db, mask))
    return raw_rsa(k, bytes([db[0] & 0x7f]) + db[1:] + h + b"\xbc")
rsa("pss", "A true RSASSA-PSS signature.", pss)
rsa("of-another-key", "The signature of another key.", lambda k, d: rsa_sign(K["other"], d))
rsa("reversed", "The signature in little-endian order, as some interfaces give it.", lambda k, d: rsa_sign(k, d)[::-1])
rsa("zero", "Zero.", lambda k, d: bytes(k.size))
rsa("one", "One.", lambda k, d: (1).to_bytes(k.size, "big"))
rsa("modulus", "The modulus itself (CVE-2017-11185).", lambda k, d: k.n.to_bytes(k.size, "big"))
rsa("modulus-minus-one", "The modulus less one.", lambda k, d: (k.n - 1).to_bytes(k.size, "big"))
rsa("negated", "The modulus less the signature.", lambda k, d: (k.n - int.from_bytes(rsa_sign(k, d), "big")).to_bytes(k.size, "big"))
rsa("zero-byte-before", "A zero byte before the signature: the same number.", lambda k, d: b"\0" + rsa_sign(k, d))
rsa("zero-byte-behind", "A zero byte behind it.", lambda k, d: rsa_sign(k, d) + b"\0")
rsa("byte-cut", "The last byte is missing.", lambda k, d: rsa_sign(k, d)[:-1])
rsa("one-byte", "A signature of one byte.", lambda k, d: b"\1")
rsa("bit-flipped", "One bit of the signature flipped.", lambda k, d: rsa_sign(k, d)[:-1] + bytes([rsa_sign(k, d)[-1] ^ 1]))
def number(k, d): return int.from_bytes(rsa_sign(k, d), "big")
def grind(slug, why, rule, wanted, change=lambda k, s: s, k=""):
    """A mail whose signature, as a number, is as wanted."""
    case("rsa-" + slug, why, rule, spec="4.5", k=k, mid=ground(K[k], lambda k, d: wanted(k, number(k, d))), signer=lambda k, d: change(k, rsa_sign(k, d)), rfc=W)
grind("leading-zero-byte", "A signature that happens to begin with a zero byte, at its full length.", None, lambda k, s: s >> 8 * (k.size - 1) == 0, k="k1024")
grind("leading-zero-byte-cut", "The same without the zero byte, as an integer would be written.", "4.5", lambda k, s: s >> 8 * (k.size - 1) == 0, lambda k, s: s[1:], k="k1024")
grind("plus-modulus", "The signature plus the modulus, at the same length: equal under the modulus, another text.", "4.5", lambda k, s: s + k.n < 1 << 8 * k.size, lambda k, s: (int.from_bytes(s, "big") + k.n).to_bytes(k.size, "big"), k="k1025")
def cube_root_above(n):
    """the smallest c with c^3 >= n"""
    low, high = 0, 1 << (n.bit_length() // 3 + 2)
    while low < high:
        mid = (low + high) // 2
        if mid ** 3 >= n: high = mid
        else: low = mid + 1
    return low
def forged_prefix(k, d):
    """e=3, no private key: a cube whose first bytes are a short padding and DigestInfo, whatever follows"""
    head = b"\0\1" + b"\xff" * 8 + b"\0" + SHA256 + hashlib.sha256(d).digest()
    c = cube_root_above(int.from_bytes(head.ljust(k.size, b"\0"), "big"))
    assert (c ** 3).to_bytes(k.size, "big").startswith(head)
    return c.to_bytes(k.size, "big")
rsa("e3-forged-garbage-behind", "e=3, forged without the private key: the cube begins as an encoded message and ends in garbage (Bleichenbacher 2006).", forged_prefix, k="e3", rfc="CVE-2006-4339; RFC 8017 section 8.2.2", like="rsa-exponent-3")
def forged_suffix(k, d):
    """e=3, no private key: a cube that ends as an encoded message, with garbage without zero bytes as padding"""
    tail = b"\0" + SHA256 + hashlib.sha256(d).digest()
    bits = 8 * len(tail); want = int.from_bytes(tail, "big")
    assert want % 2, "an even tail has no cube root"
    low = 1                                    # cube root of the tail modulo 2^bits, bit by bit
    for i in range(1, bits):
        if (low ** 3 ^ want) >> i & 1: low |= 1 << i
    top = cube_root_above(int.from_bytes(b"\0\1" + b"\x5a" * (k.size - 2), "big")) >> bits
    for i in range(1, 100000):
        c = top + i << bits | low
        em = (c ** 3).to_bytes(k.size, "big")
        if em[:2] == b"\0\1" and 0 not in em[2:-len(tail)]: return c.to_bytes(k.size, "big")
rsa("e3-forged-garbage-padding", "e=3, forged without the private key: the cube ends as an encoded message, and its padding is garbage (CVE-2016-1494).", forged_suffix, k="e3", mid=ground(K["e3"], lambda k, d: hashlib.sha256(d).digest()[-1] & 1), rfc="CVE-2016-1494; RFC 8017 section 8.2.2", like="rsa-exponent-3")

# ================================================================================================ Ed25519
group(2401, "Ed25519: cofactorless, canonical, no small order")
E = "RFC 8032 section 5.1.7; kinds of Wycheproof ed25519_test.json"
ORDER, FIELD = O.L, O.P
EDA = dict(a="ed25519-sha256", s="ed", bmap=lambda b: b)
def ed(slug, why, rule=None, **kw):
    kw = {**EDA, "rfc": E, **kw}
    case("ed25519-" + slug, why, rule, spec="4.5", **kw)
def altered(change): return lambda k, d: change(ed_sign(k, d))
def plus(n): return altered(lambda s: s[:32] + (int.from_bytes(s[32:], "little") + n).to_bytes(32, "little"))
ed("usual", "Ed25519 over the SHA-256 of the signed data.", rfc="RFC 8463 section 3")
ed("simple", "The same, simple/simple.", c="simple/simple", rfc="RFC 8463 section 3")
ed("s-plus-order", "S plus the group order: the same signature to verifiers that do not look.", "4.5", signer=plus(ORDER))
ed("s-plus-2-orders", "S plus twice the order.", "4.5", signer=plus(2 * ORDER))
ed("s-plus-4-orders", "S plus four times the order.", "4.5", signer=plus(4 * ORDER))
ed("s-plus-8-orders", "S plus eight times the order.", "4.5", signer=plus(8 * ORDER))
ed("s-bit-255", "The highest bit of S set.", "4.5", signer=altered(lambda s: s[:63] + bytes([s[63] | 0x80])))
ed("s-zero", "S zero.", "4.5", signer=altered(lambda s: s[:32] + bytes(32)))
ed("s-is-order", "S equal to the order.", "4.5", signer=altered(lambda s: s[:32] + ORDER.to_bytes(32, "little")))
ed("s-negated", "The order less S.", "4.5", signer=altered(lambda s: s[:32] + (ORDER - int.from_bytes(s[32:], "little")).to_bytes(32, "little")))
ed("all-zero", "64 zero bytes.", "4.5", signer=lambda k, d: bytes(64))
ed("all-ff", "64 bytes FF.", "4.5", signer=lambda k, d: b"\xff" * 64)
ed("r-sign-flipped", "The sign bit of R flipped.", "4.5", signer=altered(lambda s: s[:31] + bytes([s[31] ^ 0x80]) + s[32:]))
ed("halves-swapped", "S before R.", "4.5", signer=altered(lambda s: s[32:] + s[:32]))
ed("empty", "No byte at all under a key that is there.", "4.5", signer=lambda k, d: b"\0")
ed("63-bytes", "63 bytes.", "4.5", signer=altered(lambda s: s[:63]))
ed("65-bytes", "65 bytes.", "4.5", signer=altered(lambda s: s + b"\0"))
ed("asn1-wrapped", "The signature in an ASN.1 octet string.", "4.5", signer=altered(lambda s: tlv(4, s)))
ed("over-data", "The signature over the data instead of its SHA-256.", "4.5", signer=lambda k, d: ED.sign(d), rfc="RFC 8463 section 3")
def prehashed(k, d):
    """Ed25519ph (RFC 8032 section 5.1): another domain"""
    dom = b"SigEd25519 no Ed25519 collisions\1\0"; ph = hashlib.sha512(hashlib.sha256(d).digest()).digest()
    r = int.from_bytes(hashlib.sha512(dom + ED.prefix + ph).digest(), "little") % ORDER
    rb = ed_point(O.pmul(r, O.BASE))
    return rb + ((r + int.from_bytes(hashlib.sha512(dom + rb + ED.pub + ph).digest(), "little") * ED.a) % ORDER).to_bytes(32, "little")
ed("prehashed", "Ed25519ph.", "4.5", signer=prehashed, rfc="RFC 8032 section 5.1")
ed("of-another-key", "The signature of another key.", "4.5", signer=lambda k, d: Ed(b"another").sign(hashlib.sha256(d).digest()))
ed("record-without-k", "A record without k= is one of RSA.", "4.5", rec="v=DKIM1; p=" + e64(ED.pub), rfc="RFC 6376 section 3.6.1")
ed("under-rsa-record", "An Ed25519 signature under an RSA key.", "4.5", rec=record(MAIN))
case("rsa-under-ed25519-record", "An RSA signature under an Ed25519 key.", "4.5", rec=ED_RECORD + e64(ED.pub), rfc="RFC 8463 section 4")
ed("key-of-31-bytes", "A key of 31 bytes.", "4.5", rec=ED_RECORD + e64(ED.pub[:31]), rfc="RFC 8463 section 4")
ed("key-of-33-bytes", "A key of 33 bytes.", "4.5", rec=ED_RECORD + e64(ED.pub + b"\0"), rfc="RFC 8463 section 4")
ed("key-as-spki", "The key as SPKI (Exim's test sedw): RFC 8463 asks for the 32 bytes.", "4.5", rec=ED_RECORD + e64(bytes.fromhex("302a300506032b6570032100") + ED.pub), rfc="RFC 8463 section 4.2")
ed("key-not-on-curve", "A y without an x.", "4.5", rec=ED_RECORD + e64(next(y.to_bytes(32, "little") for y in range(2, 99) if O.recover(y.to_bytes(32, "little")) is None)), rfc="RFC 8032 section 5.1.3")

def made(a, pub, r=1234567890123456789, torsion=None, wanted=None):
    """Signs by hand under scalar `a`, with a torsion point added to R, until the challenge is as wanted."""
    def signer(_, d):
        msg, n = hashlib.sha256(d).digest(), r
        while True:
            point = O.pmul(n, O.BASE)
            rb = ed_point(O.padd(point, torsion) if torsion else point)
            c = challenge(rb, pub, msg)
            if wanted is None or wanted(c): return rb + ((n + c * a) % ORDER).to_bytes(32, "little")
            n += 1
    return signer
A = 987654321987654321987654321
AP = O.pmul(A, O.BASE); AB = ed_point(AP)
IDENTITY = (1).to_bytes(32, "little")
def torsion_point():
    """A point of order 8."""
    for y in range(2, 200):
        q = O.recover(y.to_bytes(32, "little"))
        if q and not O.peq(O.pmul(4, O.pmul(ORDER, q)), (0, 1, 1, 0)): return O.pmul(ORDER, q)
T8 = torsion_point(); T4, T2 = O.pmul(2, T8), O.pmul(4, T8)
def under(slug, why, pub, rule, signer, **kw): ed(slug, why, rule, rec=ED_RECORD + e64(pub), signer=signer, **kw)
SMALL = "RFC 8032 section 5.1.7; Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs (2020)"
under("by-hand", "A signature under a key of this file's own arithmetic.", AB, None, made(A, AB))
under("a-identity", "The identity as key: R and S can be chosen so that they fit every mail.", IDENTITY, "4.5", made(0, IDENTITY), rfc=SMALL)
under("a-order-2", "A key of order 2.", ed_point(T2), "4.5", made(0, ed_point(T2), wanted=lambda c: c % 2 == 0), rfc=SMALL)
under("a-order-4", "A key of order 4.", ed_point(T4), "4.5", made(0, ed_point(T4), wanted=lambda c: c % 4 == 0), rfc=SMALL)
under("a-order-8", "A key of order 8.", ed_point(T8), "4.5", made(0, ed_point(T8), wanted=lambda c: c % 8 == 0), rfc=SMALL)
NC = (FIELD + 1).to_bytes(32, "little")
under("a-not-canonical", "The identity with y written as p + 1.", NC, "4.5", made(0, NC), rfc=SMALL)
MZ = IDENTITY[:31] + b"\x80"
under("a-minus-zero", "x = 0 with its sign bit set.", MZ, "4.5", made(0, MZ), rfc="RFC 8032 section 5.1.3")
under("r-identity", "R is the identity, of small order, and the equation holds.", AB, "4.5", made(A, AB, r=0), rfc=SMALL)
def r_not_canonical(_, d):
    rb = NC
    return rb + (challenge(rb, AB, hashlib.sha256(d).digest()) * A % ORDER).to_bytes(32, "little")
under("r-not-canonical", "R is the identity with y written as p + 1, and the equation holds.", AB, "4.5", r_not_canonical, rfc=SMALL)
under("r-with-torsion", "R with a point of order 8 added: only the equation multiplied by 8 holds. Nodes that use different equations would part here.", AB, "4.5", made(A, AB, torsion=T8), rfc=SMALL)
MIXED_KEY = ed_point(O.padd(AP, T8))
under("a-mixed-order-equation-fails", "A key with a point of order 8 added, and a challenge that is no multiple of 8: only the equation multiplied by 8 holds.", MIXED_KEY, "4.5", made(A, MIXED_KEY, wanted=lambda c: c % 8), rfc=SMALL)
under("a-mixed-order-equation-holds", "The same key with a challenge that is a multiple of 8: the plain equation holds, and a mixed order is no small order. Surprising, but it is the rule, and its owner gains nothing from it.", MIXED_KEY, None, made(A, MIXED_KEY, wanted=lambda c: c % 8 == 0), rfc=SMALL)
