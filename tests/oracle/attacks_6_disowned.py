"""Receivers that are somebody else, REKEY's mark, lines broken by hand, signed fields that disown the body, dates ahead of t=."""
from casekit import *

def to_header(slug, why, to, rule=None, **kw):
    if rule is None: case(slug, why, spec=kw.pop("spec", "2.2"), to=to, body=SHORT, line="REMIT 10 XAH", **kw)
    else: case(slug, why, rule, to=to, body=SHORT, **kw)
def order(slug, why, line, rule=None, **kw):
    body = kw.pop("body", line.encode() + b"\r\n")
    if rule is None: case(slug, why, spec=kw.pop("spec", "5.1"), body=body, line=line, **kw)
    else: case(slug, why, rule, body=body, **kw)
def to_line(slug, why, address, rule=None, **kw): order(slug, why, "REMIT 10 XAH TO <%s>" % address, rule, **{"spec": "2.2", **kw})

# ================================================================================================ tags
group(2501, "Tags of receivers, and what the cut at + leaves")
TAG = "RFC 5233 section 1"
to_header("tag-none", "A receiver without a tag.", "bob@gmail.com", to_is="bob@gmail.com")
to_header("tag-where-documented", "Gmail documents tags: bob+rent is bob.", "b.o.b+rent@gmail.com", to_is="bob@gmail.com", rfc=TAG)
to_header("tag-empty-where-documented", "A plus and nothing behind it.", "bob+@proton.me", to_is="bob@proton.me", rfc=TAG)
to_line("tag-in-line-where-documented", "The same in the line.", "Bob+a+b@Outlook.com", to_is="bob@outlook.com", rfc=TAG)
to_header("tag-at-yahoo-receiver", "Yahoo's disposable addresses hold a minus; what holds a plus there is a mailbox of its own.", "bob+rent@yahoo.com", "2.2", rfc=TAG)
to_header("tag-at-subdomain-of-gmail", "Only the very domain documents it.", "bob+rent@mail.gmail.com", "2.2", rfc=TAG)
to_line("tag-in-line-elsewhere", "The same in the line.", "bob+rent@example.com", "2.2", rfc=TAG)
to_line("tag-in-line-elsewhere-empty", "A plus alone is a plus.", "bob+@example.com", "2.2", rfc=TAG)
order("tag-in-link-elsewhere", "The same where a program made a link of it.", "REMIT 10 XAH TO <bob+rent@example.com<mailto:bob+rent@example.com>>", "2.2", rfc=TAG)
to_line("cut-leaves-no-dot", "Dots within what the cut leaves are letters like others at outlook.com.", "b.ob+x@outlook.com", to_is="b.ob@outlook.com", rfc=TAG)
to_line("cut-leaves-dot-at-end", "The cut would leave `bob.`, a mailbox that nobody can have: the money would be lost.", "bob.+x@outlook.com", "2.2", rfc="RFC 5322 section 3.2.3")
to_line("cut-leaves-dot-at-end-gmail", "The same at Gmail, though it ignores dots: no exception where nobody needs one.", "bob.+x@gmail.com", "2.2", rfc="RFC 5322 section 3.2.3")
case("cut-leaves-dot-at-end-of-sender", "The same for a sender.", "2.2", frm="Alice <alice.+x@outlook.com>", d="outlook.com", rfc="RFC 5322 section 3.2.3")
to_line("oneself-in-other-letters", "The sender's own account in other letters.", "ALICE@Mail.test", "2.5")
to_line("oneself-with-tag-and-dots", "The sender's own account with dots and a tag, where tags are documented.", "al.ice+x@gmail.com", "2.5", frm="alice@gmail.com", d="gmail.com")

# ================================================================================================ accounts
group(2521, "Receivers that were meant as accounts")
X_ADDRESS = "X7gJ5YK8abHf2eTPWPFHAAot8Knck11QGqmQ7a6a3Z8PJvk"
XLS5 = "XRP Ledger standard XLS-5d (X-addresses)"
at = "@access.example"
to_header("account-exact", "An account as the wallet shows it.", CLASSIC + at, to_is=(CLASSIC, None), spec="2.4")
to_header("account-exact-tag", "With its tag.", CLASSIC + "+12345" + at, to_is=(CLASSIC, 12345), spec="2.4")
MEANT = [("lower-case", "A program or a person wrote it in lower case. Hashed, it would be a mailbox that whoever runs the domain can sign for.", CLASSIC.lower()),
    ("upper-case", "In upper case.", CLASSIC.upper()), ("first-letter-upper", "A phone made the first letter a capital.", "R" + CLASSIC[1:]),
    ("tag-after-dot", "The tag behind a dot.", CLASSIC + ".12345"), ("tag-after-hyphen", "The tag behind a hyphen.", CLASSIC + "-12345"),
    ("tag-as-query", "The tag as some wallets' links have it.", CLASSIC + "?dt=12345"), ("tag-after-underscore", "The tag behind an underscore.", CLASSIC + "_12345"),
    ("lower-case-with-tag", "Lower case and a tag.", CLASSIC.lower() + "+12345"), ("letter-too-many", "A letter too many.", CLASSIC + "aaa"),
    ("two-tags", "Two tags.", CLASSIC + "+1+1")]
for slug, why, local in MEANT:
    to_header("account-" + slug, why, local + at, "2.4")
    # An = in a raw line is refused before its receiver is looked at.
    to_line("account-in-line-" + slug, why, local + at, "5.4" if "=" in local else "2.4", like="account-exact")
to_header("x-address", "An X-address holds account and tag in one word.", X_ADDRESS + at, "2.4", rfc=XLS5)
to_header("x-address-lower-case", "In lower case.", X_ADDRESS.lower() + at, "2.4", rfc=XLS5)
to_line("x-address-in-line", "In the line.", X_ADDRESS + at, "2.4", rfc=XLS5, like="account-exact")
order("x-address-without-domain", "Without a domain it is no receiver by the grammar.", "REMIT 10 XAH TO " + X_ADDRESS, "5.2", rfc=XLS5)
to_header("x-address-of-a-test-network", "X-addresses of test networks begin with T.", "T" + X_ADDRESS[1:] + at, "2.4", rfc=XLS5)
to_header("t-and-40-letters", "40 letters or digits behind a T: shorter X-addresses there are none.", "t" + "1a" * 20 + "@example.com", "2.4", rfc=XLS5)
to_header("t-and-39-letters", "39 are a name.", "t" + "a" * 39 + "@example.com", to_is="t" + "a" * 39 + "@example.com", spec="2.4", rfc=XLS5)
order("account-in-link-lower-case", "Where a program made a link of it.", "REMIT 10 XAH TO <%s<mailto:%s>>" % ((CLASSIC.lower() + at,) * 2), "2.4")
to_header("x-and-24-letters", "24 letters or digits behind the first: meant as an account.", "x" + "a1" * 12 + "@example.com", "2.4")
to_header("x-and-23-letters", "23 are a name.", "x" + "a" * 23 + "@example.com", to_is="x" + "a" * 23 + "@example.com", spec="2.4")
to_header("r-and-24-letters-and-more", "Whatever follows them.", "R" + "a" * 24 + "/wallet@example.com", "2.4")
to_header("r-and-23-letters-and-more", "23, then a sign, then as many again: a name.", "r" + "a" * 23 + "-" + "b" * 24 + "@example.com", to_is="r" + "a" * 23 + "-" + "b" * 24 + "@example.com", spec="2.4")
to_header("dot-among-24-letters", "A dot ends the run of letters: a name in several parts.", "r.a.very.long.name.of.somebody.at.example@example.com", to_is="r.a.very.long.name.of.somebody.at.example@example.com", spec="2.4")
to_header("long-name-of-another-letter", "A long name that begins with another letter.", "s" + "a" * 40 + "@example.com", to_is="s" + "a" * 40 + "@example.com", spec="2.4")
case("sender-meant-as-account", "A sender is never read as an account: it is hashed like any other mailbox.", spec="2.4", frm=X_ADDRESS + "@mail.test", from_is=X_ADDRESS.lower() + "@mail.test")

# ================================================================================================ REKEY
group(2581, "REKEY and the mark of the last one")
MARK = "1A2B3C4D"
order("rekey-plain", "A REKEY without a mark, the first one of an account.", "REKEY " + CLASSIC, spec="5")
order("rekey-after", "The first 8 digits of the mark. They are no part of the transaction: with and without them it is the same REKEY; only a ledger knows whether they fit.", "REKEY %s AFTER %s" % (CLASSIC, MARK), spec="5, 8.1, 8.6", same="rekey-plain")
order("rekey-after-net", "And the network.", "REKEY %s AFTER %s NET 21338" % (CLASSIC, MARK), spec="5, 5.6", net=21338)
order("rekey-after-untimed", "From a provider that writes no t=.", "REKEY %s AFTER 00000000" % CLASSIC, spec="5, 8.6", tags=UNTIMED, same="rekey-plain")
for slug, why, tail in (("lower-case", "A mark in lower case.", "AFTER 1a2b3c4d"), ("word-lower-case", "The word in lower case.", "after " + MARK), ("seven-digits", "Seven digits.", "AFTER 1A2B3C4"),
        ("nine-digits", "Nine digits.", "AFTER 1A2B3C4DE"), ("no-hex", "A letter that is no digit.", "AFTER 1A2B3C4G"), ("prefix", "A prefix.", "AFTER 0x1A2B3C"), ("no-mark", "No mark.", "AFTER"),
        ("behind-net", "The order of the parts is fixed.", "NET 21337 AFTER " + MARK), ("twice", "Two marks.", "AFTER %s AFTER %s" % (MARK, MARK)), ("text-behind", "A word behind it.", "AFTER %s please" % MARK)):
    order("rekey-after-" + slug, why, "REKEY %s %s" % (CLASSIC, tail), "5.2", like="rekey-after")
order("remit-after", "Only a REKEY names a mark.", "REMIT 10 XAH TO <bob@example.com> AFTER " + MARK, "5.2")
order("rekey-after-net-of-another-ledger", "NET is judged as ever.", "REKEY %s AFTER %s NET 21338" % (CLASSIC, MARK), "5.6")
order("second-order-with-mark", "A REKEY with a mark below an order is a second order.", LINE, "5.2", body=BODY + b"\r\nREKEY %s AFTER %s\r\n" % (CLASSIC.encode(), MARK.encode()))

# ================================================================================================ broken by hand
group(2611, "Lines broken by hand before TO, NET or AFTER")
def below(slug, why, text, rule="5.3", first="REMIT 10 XAH", **kw):
    body = first.encode() + b"\r\n" + (text if isinstance(text, bytes) else text.encode()) + b"\r\n"
    if rule is None: case("below-" + slug, why, spec="5.3", body=body, line=first, to="carol@example.com", **{"to_is": "carol@example.com", **kw})
    else: case("below-" + slug, why, rule, body=body, to="carol@example.com", **kw)
below("words", "Words that a person writes.", "Thanks for all!", None)
below("to-after-empty-line", "With an empty line between.", "\r\nTO <bob@example.com>")
below("to-after-blanks", "With empty lines and lines of blanks between.", "\r\n \t\r\n\r\nTO <bob@example.com>", c="relaxed/simple")
below("to-without-brackets", "Without brackets.", "TO bob@example.com")
below("to-account", "An account.", "TO " + CLASSIC)
below("to-lower-case", "In lower case.", "to bob@example.com")
below("to-mixed-case", "In mixed case.", "To <bob@example.com>")
below("to-colon", "As in a header.", "To: bob@example.com")
below("to-colon-no-blank", "The same without a blank.", "TO:<bob@example.com>")
below("to-bracket", "Without the blank before the bracket.", "TO<bob@example.com>")
below("to-no-break-space", "A no-break space, as phones and web pages write, is no blank and no letter.", "TO\u00a0<bob@example.com>")
below("to-comma", "A comma.", "to, as agreed, Bob")
below("to-alone", "The word alone; the address may stand in the line below.", "TO\r\n<bob@example.com>")
below("to-indented", "Blanks before it, in a body that is signed as it stands.", "  \tTO <bob@example.com>", c="relaxed/simple")
below("to-is-named-above", "The line above names its receiver already; two receivers are no clearer.", "TO <carol@example.com>", first=LINE)
below("net", "The network in the next line: without it the mail would spend on the main network.", "\r\nNET 21338", first=LINE)
below("net-lower-case", "In lower case with a colon.", "net: 21338", first=LINE)
below("net-of-rekey", "Of a REKEY.", "NET 21338", first="REKEY " + CLASSIC)
below("after-of-rekey", "The mark in the next line.", "AFTER " + MARK, first="REKEY " + CLASSIC)
below("after-in-prose", "A sentence that begins with the word. Its sender writes it again with another first word; nobody is paid wrongly.", "\r\nAfter lunch I will call you.")
below("before-columns", "Columns are judged too: a next word that is too long refuses before the one below it is looked at.", "w" * 60 + "\r\nTO <bob@example.com>")
case("below-in-a-part", "In the text part of a multipart.", "5.3", shape=GMAIL, to="carol@example.com", body=alternative(b"REMIT 10 XAH\r\n\r\nTO <bob@example.com>\r\n"), like="below-words")
case("below-quoted-printable", "Written as `=54=4F` and decoded.", "5.3", shape=OUTLOOK, body=outlook_body(BODY + b"=4EET 21338\r\n"), like="below-words")
below("another-word-between", "The next line is another one: no program and no person breaks a line so.", "Dear Bob,\r\nTO <bob@example.com>", None)
below("tomorrow", "Words that only begin like it.", "Tomorrow I will pay the rest.", None)
below("to-do", "A hyphen makes another word of it.", "To-do list:", None)
below("network", "As before.", "Network fees are yours.", None)
below("afterwards", "As before.", "Afterwards we meet.", None)
below("to1", "A digit behind it.", "TO1 is the code.", None)
below("numbered", "The first word is a number.", "1. TO be paid tomorrow", None)
below("quoted-to", "A mark before it, as programs quote and people list.", "> To: bob@example.com")
below("line-of-marks", "A line of marks between.", "-- \r\nTO <bob@example.com>")
below("no-break-space-line", "Outlook's empty lines hold a no-break space.", "\u00a0\r\nTO <bob@example.com>")
below("no-break-space-before", "A no-break space before it.", "\u00a0TO <bob@example.com>")
below("bytes-before", "Any bytes but ASCII letters and digits.", b"\xa0\xff\x1b to bob")
below("far-below", "However far below.", "\r\n" * 40 + "net 21338", first=LINE)
below("at-the-end", "The very last word of the mail.", "\r\n\r\nto")

# ================================================================================================ signed fields
group(2651, "Signed fields that disown the body")
S = "From:To:Subject:Date"
def signed(slug, why, fields, rule="4.8", ct="text/plain; charset=utf-8", **kw):
    names = list(dict.fromkeys(n.title() for n, _ in fields))
    h = ":".join([S] + [n for n in names for _ in range(sum(f.title() == n for f, _ in fields))])
    kw = {"extra": fields, "h": h, "ct": ct, **kw}
    if rule is None: case("signed-" + slug, why, spec=kw.pop("spec", "4.8"), **kw)
    else: case("signed-" + slug, why, rule, **kw)
AUTO = "field names of vacation programs and ticket systems; RFC 3834 names Auto-Submitted alone"
case("signed-nothing", "Nothing of the kind.", spec="4.8", h=S)
for n, v in (("X-Autoreply", "yes"), ("X-Autorespond", "a payment"), ("X-Auto-Response-Suppress", "OOF, AutoReply"), ("X-Autogenerated", "Reply")):
    signed(n.lower(), "A robot signed its %s." % n, [(n, v)], rfc=AUTO)
    case("unsigned-" + n.lower(), "Unsigned it can be added by anybody, so it refuses nothing.", spec="4.8", same="signed-nothing", post=on_top("%s: %s" % (n, v)), h=S)
signed("x-autoreply-no", "Any value counts.", [("X-AUTOREPLY", "no")], rfc=AUTO)
case("named-x-autoreply", "A name in h= of a field that the mail does not have.", spec="4.8", same="signed-nothing", h=S + ":X-Autoreply:Sender:Content-Disposition", rfc="RFC 6376 section 5.4.2")
for n in ("X-Precedence", "X-Auto-Reply-From", "X-Autoreply-From", "X-Autoresponder", "X-AutoReply-Sender", "X-Mail-Autoreply", "X-FC-MachineGenerated"):
    signed("robot-" + n.lower(), "Other robots' names.", [(n, "x")], rfc=AUTO)
signed("x-auto", "Names that only begin like them.", [("X-Auto", "a"), ("X-Autogenerated-By", "b"), ("Auto-Reply", "c"), ("Precedences", "d")], None)
R6 = "RFC 5322 section 3.6.2"
signed("sender-same", "Sender names the mailbox of From.", [("Sender", "alice@mail.test")], None, rfc=R6)
signed("sender-same-with-name", "With a name and in other letters.", [("Sender", '"Alice, by phone" <ALICE@Mail.TEST>')], None, rfc=R6)
signed("sender-same-mailbox", "In another spelling of the same mailbox.", [("Sender", "a.lice+x@gmail.com")], None, frm="Alice <alice@gmail.com>", d="gmail.com", from_is="alice@gmail.com", rfc=R6)
signed("sender-other", "Somebody else sent it, who says so: a robot, a secretary, a list.", [("Sender", "Helpdesk <robot@mail.test>")], rfc=R6)
signed("sender-other-domain", "The same mailbox name elsewhere.", [("Sender", "alice@mail.example")], rfc=R6)
signed("sender-dots-elsewhere", "Dots count outside Gmail.", [("Sender", "a.lice@mail.test")], rfc=R6)
signed("sender-tag-elsewhere", "A tag where tags are not documented is somebody else.", [("Sender", "alice+x@mail.test")], rfc=R6)
signed("sender-two-mailboxes", "Two mailboxes are not one.", [("Sender", "alice@mail.test, robot@mail.test")], rfc=R6)
signed("sender-empty", "None.", [("Sender", "")], rfc=R6)
signed("sender-group", "A group.", [("Sender", "Friends: alice@mail.test;")], rfc=R6)
signed("sender-twice", "Two signed, the upper one somebody else.", [("Sender", "robot@mail.test"), ("Sender", "alice@mail.test")], rfc=R6)
case("unsigned-sender", "An unsigned Sender says nothing.", spec="4.8", same="signed-nothing", h=S, post=on_top("Sender: robot@mail.test"), rfc=R6)
case("sender-twice-one-signed", "Two, of which the lower one is signed and fits.", spec="4.8", h=S + ":Sender", extra=[("Sender", "robot@mail.test"), ("Sender", "alice@mail.test")], rfc="RFC 6376 section 5.4.2")
signed("reply-to-other", "Reply-To says where answers go, not whose the words are.", [("Reply-To", "robot@mail.test")], None, rfc=R6)

group(2701, "Signed Content-Type and Content-Disposition")
C_ = "RFC 2045 section 5.1"
def typed(slug, why, v, rule="4.8", **kw):
    kw = {"ct": v, "h": S + ":Content-Type", "rfc": C_, **kw}
    if rule is None: case("type-" + slug, why, spec="4.8", **kw)
    else: case("type-" + slug, why, rule, **kw)
typed("text-plain", "What a text is.", "text/plain", None)
typed("text-plain-parameters", "With parameters, in capitals, folded.", "TEXT/Plain;\r\n\tcharset=\"utf-8\"; format=flowed; DelSp=yes;", None)
typed("multipart-mixed", "A multipart type, whatever the body is: it is read from its own first lines.", "multipart/mixed; boundary=x", None)
typed("multipart-signed", "A signed mail.", 'multipart/signed; micalg="pgp-sha256"; protocol="application/pgp-signature"; boundary="x"', None)
typed("multipart-unknown", "Any subtype.", "Multipart/X-Strange; boundary=x", None)
typed("similar-names", "Parameters that only end like a file name.", 'text/plain; x-name=a; filenames=b; xfilename="name=c"', None)
for slug, v in (("html", "text/html; charset=utf-8"), ("csv", "text/csv"), ("calendar", "text/calendar; method=REPLY"), ("enriched", "text/enriched"), ("plainer", "text/plainer"), ("octet-stream", "application/octet-stream"), ("message", "message/rfc822"),
        ("delivery-status", "message/delivery-status"), ("image", "image/png"), ("digest", "multipart/digest; boundary=x"), ("digest-upper-case", "MULTIPART/DIGEST"), ("report", "multipart/report; report-type=delivery-status; boundary=x")):
    typed(slug, "`%s` is not the sender's text." % v, v, like="type-text-plain")
for slug, v in (("name", "text/plain; name=order.txt"), ("name-quoted", 'text/plain; charset=utf-8; Name="order.txt"'), ("name-star", "text/plain; name*=utf-8''order.txt"), ("name-pieces", "text/plain; name*0=order; name*1=.txt"), ("filename", "text/plain; filename=order.txt"), ("multipart-name", "multipart/mixed; boundary=x; name=a")):
    typed("with-" + slug, "A file name makes a file of it: `%s`." % v, v, like="type-text-plain", rfc="RFC 2231 sections 3 and 4")
for slug, why, v in (("empty", "Empty.", ""), ("no-subtype", "`text` alone.", "text"), ("comment", "A comment.", "text/plain (text/html)"), ("quote-open", "A quoted value without its end.", 'text/plain; charset="utf-8'), ("parameter-twice", "A parameter twice.", "text/plain; charset=a; charset=b"),
        ("parameter-without-value", "A parameter without a value.", "text/plain; charset"), ("two-types", "Two types.", "text/plain, text/html")):
    typed(slug, why + " What cannot be read cannot say that it is text.", v, like="type-text-plain")
case("type-absent", "No Content-Type: text by RFC 2045.", spec="4.8", ct=None, h=S + ":Content-Type", rfc="RFC 2045 section 5.2")
case("type-html-unsigned", "Unsigned it can be written by anybody who holds the mail.", spec="4.8", ct="text/html", h=S)
case("type-twice-html-above", "Two signed, the upper one HTML.", "4.8", fields=lambda f: [(b"Content-Type", b" text/html")] + f, h=S + ":Content-Type:Content-Type", rfc=C_)
case("type-twice-html-below", "Two signed, the lower one HTML.", "4.8", extra=[("Content-Type", "text/html")], h=S + ":Content-Type:Content-Type", rfc=C_)
D2 = "RFC 2183 section 2"
for slug, why, v in (("inline", "What a text is.", "inline"), ("inline-upper-case", "In capitals, with a semicolon.", "INLINE;"), ("inline-size", "Another parameter.", "inline; size=3")):
    signed("disposition-" + slug, why, [("Content-Disposition", v)], None, rfc=D2)
for slug, why, v in (("attachment", "A file.", "attachment"), ("attachment-named", "A file with a name.", "attachment; filename=order.txt"), ("inline-named", "A file name makes a file of it.", "inline; filename=order.txt"), ("inline-named-star", "In the RFC 2231 form.", "inline; filename*=utf-8''order.txt"),
        ("form-data", "An unknown one counts as attachment.", "form-data"), ("empty", "Empty.", ""), ("comment", "A comment.", "inline (attachment)")):
    signed("disposition-" + slug, why, [("Content-Disposition", v)], like="signed-disposition-inline", rfc=D2)
case("disposition-unsigned", "Unsigned it says nothing.", spec="4.8", h=S, post=on_top("Content-Disposition: attachment"), rfc=D2)

# ================================================================================================ raw bodies, digests
group(2761, "An = that nobody decoded, and digests")
Q = "RFC 2045 section 6.7"
QP = ("Content-Transfer-Encoding", "quoted-printable")
EQUALS = "REMIT 10 XAH TO <bob=40example.com@evil.test>"
order("equals-none", "A raw line without it, in a body whose header says quoted-printable.", LINE, spec="5.4", extra=[QP], rfc=Q)
order("equals-in-address", "Decoded, another domain; as it stands, a mailbox of evil.test. The encoding is in a header that nobody has to sign, so the line is refused.", EQUALS, "5.4", extra=[QP], rfc=Q)
order("equals-in-address-plain", "An honest address with the sign is refused too in a raw body: without the header nobody can tell them apart.", "REMIT 10 XAH TO <bob=rent@example.com>", "5.4", rfc=Q)
order("equals-no-at", "`=40` in the place of the @: no address, which stands before 5.4.", "REMIT 10 XAH TO <bob=40example.com>", "2.1", spec="2.1, 5.4, 10", rfc=Q)
order("equals-no-instruction", "A first line that is no instruction stays what it is.", "REMIT=2010 XAH TO <bob@example.com>", "5.2", rfc=Q)
order("equals-soft-break", "A soft break in the line: the line is no instruction.", LINE, "5.2", body=b"REMIT 10 XAH TO=\r\n <bob@example.com>\r\n", extra=[QP], rfc=Q)
order("equals-and-second-order", "Rule 5.4 stands before 5.2.", EQUALS, "5.4", body=(EQUALS + "\r\n\r\n" + LINE + "\r\n").encode(), rfc=Q)
order("equals-below", "In other lines it is text.", LINE, spec="5.4", body=BODY + b"\r\na =3D b\r\n", extra=[QP], rfc=Q)
order("equals-in-a-part", "In a part the encoding is signed, so the sign is a letter of the address.", "REMIT 10 XAH TO <bob=rent@example.com>", spec="5.4", shape=GMAIL, body=alternative(b"REMIT 10 XAH TO <bob=rent@example.com>\r\n"), to_is="bob=rent@example.com", rfc=Q)
order("equals-in-a-coded-part", "And is written `=3D` where that encoding is quoted-printable.", "REMIT 10 XAH TO <bob=rent@example.com>", spec="5.4", shape=OUTLOOK, body=outlook_body(b"REMIT 10 XAH TO <bob=3Drent@example.com>\r\n"), to_is="bob=rent@example.com", rfc=Q)
to_header("equals-in-to", "A header is never encoded so.", "bob=rent@example.com", to_is="bob=rent@example.com", spec="5.4", rfc=Q)
def within(kind, leaf=b"\r\n" + BODY): return b"--o\r\nContent-Type: " + kind + b"; boundary=i\r\n\r\n--i\r\n" + leaf + b"--i--\r\n--o--\r\n"
R5 = "RFC 2046 section 5.1.5"
MIXED = 'multipart/mixed; boundary="o"'
case("digest-none", "multipart/parallel is like mixed.", spec="5.4", ct=MIXED, body=within(b"multipart/parallel"), rfc=R5)
case("digest-untyped-child", "In a digest an untyped child is somebody's mail.", "5.4", ct=MIXED, body=within(b"multipart/digest"), rfc=R5)
case("digest-typed-child", "And nothing says who wrote a text among mails.", "5.4", ct=MIXED, body=within(b"Multipart/Digest", b"Content-Type: text/plain\r\n\r\n" + BODY), rfc=R5)
case("digest-deep", "Two multiparts down.", "5.4", ct=MIXED, body=b"--p\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n" + within(b"multipart/digest") + b"--p--\r\n", rfc=R5)

# ================================================================================================ time
group(2781, "A Date ahead of its signature")
case("ahead-not", "Signed in the second of its Date.", spec="4.6", t=SENT)
case("ahead-by-300", "The Date is 300 seconds ahead of t=: clocks differ.", spec="4.6", t=SENT - 300)
case("ahead-by-301", "One second more: its sender dated it ahead, to outlive what the owner does.", "4.6", t=SENT - 301)
case("ahead-by-days", "Four days ahead, by a thief who has the mailbox for a minute, and handed in when they have passed.", "4.6", t=SENT - 345600)
case("ahead-untimed", "Without t= nobody can tell; only the ledger's clock bounds it.", spec="4.6", tags=UNTIMED, at=SENT - 300)
case("ahead-not-by-days", "Signed days after its Date: a mail that waited at its provider.", spec="4.6", t=SENT + 200000, at=SENT + 200000)
case("ahead-at-window", "Date and t= five days ago, to the second.", spec="4.6", t=SENT, at=SENT + 432000)
case("ahead-before-words", "Rule 4.6 stands before 4.8 and 5.2.", "4.6", t=SENT - 301, h="From:Date:List-Id", extra=[("List-Id", "<talk.lists.test>")], body=b"hello\r\n")
case("ahead-first-of-two", "The first signature proves and is too old for the Date; a second one does not cure it.", "4.6", sigs=[sig(t=SENT - 301), {}], rfc="RFC 6376 section 6.1")
case("ahead-first-broken", "The first does not prove, so the second is judged.", spec="4.6, 4.7", sigs=[sig(t=SENT - 301, bmap=lambda b: fold("A" * 12 + b[12:])), {}], same="ahead-not", rfc="RFC 6376 section 6.1")
