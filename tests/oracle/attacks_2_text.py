"""The line itself, lines that a mail program broke, quoted and forwarded text, robots, mailing lists."""
from casekit import *

def line(slug, why, text, rule=None, **kw):
    """The first line is `text`; an empty line and a word of thanks follow."""
    raw = (text if isinstance(text, bytes) else text.encode("utf-8")) + b"\r\n\r\nThank you!\r\n"
    raw = kw.pop("body", raw)
    if rule is None: case("line-" + slug, why, spec=kw.pop("spec", "5.1"), body=raw, line=kw.pop("line", text), **kw)
    else: case("line-" + slug, why, rule, body=raw, **kw)
TO = " TO <bob@example.com>"

# ================================================================================================ the line
group(501, "The instruction line, byte for byte")
line("plain", "The line as the documentation teaches it.", LINE)
line("lower-case", "Letter case is part of the line.", LINE.replace("REMIT", "remit"), "5.2")
line("lower-case-currency", "The currency's too.", "REMIT 10 xah" + TO, "5.2")
line("leading-blank", "A blank before the line: clients indent quotations and code so.", " " + LINE, "5.2")
line("leading-tab", "A tab before the line.", "\t" + LINE, "5.2", c="relaxed/simple")
line("quote-mark", "A quoted line.", "> " + LINE, "5.2", rfc="RFC 3676 section 4.5")
line("quote-mark-without-blank", "A quoted line, mark and text together.", ">" + LINE, "5.2", rfc="RFC 3676 section 4.5")
line("escaped-by-mbox", "mbox writers put `>` before lines; only before `From `, but such tools exist.", ">>" + LINE, "5.2", rfc="RFC 4155 appendix A")
line("bullet", "A list item.", "* " + LINE, "5.2")
line("bold", "Outlook and Gmail write bold text with stars in the text part.", "*" + LINE + "*", "5.2")
line("full-stop", "A full stop that a phone adds.", LINE + ".", "5.2")
line("text-before", "Words before it on the line.", "Please " + LINE, "5.2")
line("text-after", "Words after it on the line.", LINE + " please", "5.2")
line("inside-quotes", "Typographic or plain quotes around it.", '"' + LINE + '"', "5.2")
line("runs-of-blanks", "Runs of blanks and tabs count as one blank, also where the body is signed as it stands.", "REMIT  10\tXAH   TO <bob@example.com> \t", line=LINE, c="relaxed/simple")
line("no-break-space", "U+00A0 looks like a blank; phones type it.", "REMIT\u00a010 XAH" + TO, "5.2")
line("thin-space", "U+2009 as a blank.", "REMIT\u200910 XAH" + TO, "5.2")
line("full-width-digits", "Full-width digits are digits to a locale-aware parser.", "REMIT \uff11\uff10 XAH" + TO, "5.2")
line("arabic-digits", "Arabic-Indic digits, likewise.", "REMIT \u0661\u0660 XAH" + TO, "5.2")
line("cyrillic-letters", "Cyrillic E, M and T in REMIT.", "R\u0415\u041cI\u0422 10 XAH" + TO, "5.2")
line("greek-chi", "A Greek Chi in XAH.", "REMIT 10 \u03a7AH" + TO, "5.2")
line("zero-width-space", "A zero-width space in the amount: people read 10, bytes say 1 and 0.", "REMIT 1\u200b0 XAH" + TO, "5.2")
line("soft-hyphen", "A soft hyphen.", "RE\u00adMIT 10 XAH" + TO, "5.2")
line("bidi-override", "A right-to-left override that turns 01 into 10 on the screen.", "REMIT \u202e01\u202c XAH" + TO, "5.2", rfc="Unicode Technical Report 36")
line("byte-order-mark", "A byte order mark before the line.", "\ufeff" + LINE, "5.2")
line("overlong-utf8", "An overlong UTF-8 spelling of R.", b"\xc1\x92EMIT 10 XAH TO <bob@example.com>", "5.2", rfc="RFC 3629 section 3")
line("utf7", "A base64 letter of UTF-7: `+AFI-` is R.", b"+AFI-EMIT 10 XAH TO <bob@example.com>", "5.2", rfc="RFC 2152", ct="text/plain; charset=utf-7")
line("utf16", "UTF-16 text has NUL bytes.", "REMIT 10 XAH TO <bob@example.com>".encode("utf-16-le"), "3.4", ct="text/plain; charset=utf-16le", rfc="RFC 5322 section 2.3")
line("ebcdic", "The line in EBCDIC under charset=ibm037: charset is never applied.", LINE.encode("cp037"), "5.2", ct="text/plain; charset=ibm037")
line("iso-2022-escape", "An escape sequence before the line.", b"\x1b(B" + LINE.encode(), "5.2", ct="text/plain; charset=iso-2022-jp", rfc="RFC 1468")
line("backspace", "A backspace that hides a digit on terminals.", "REMIT 1\b10 XAH" + TO, "5.2")
line("charset-is-ignored", "The line is ASCII; whatever charset the header claims, its bytes count.", LINE, ct="text/plain; charset=ibm037", spec="5.1, 5.4")
line("vertical-tab", "U+000B ends a line for some programs, not in mail.", b"hello\x0bREMIT 10 XAH TO <bob@example.com>", "5.2", rfc="RFC 5322 section 2.1")
line("next-line", "U+0085 likewise.", "hello\u0085" + LINE, "5.2", rfc="RFC 5322 section 2.1")
line("line-separator", "U+2028 likewise.", "hello\u2028" + LINE, "5.2", rfc="RFC 5322 section 2.1")
line("greeting-above", "The proposal let the line stand anywhere; with money that is theft by quotation. The first line that is not empty decides.", LINE, "5.2", body=b"Dear relay,\r\n\r\n" + BODY)
line("empty-lines-above", "Empty lines and lines of blanks above it do not count.", LINE, body=b"\r\n \t\r\n\r\n" + BODY, c="relaxed/simple", spec="5.2, 5.4")
line("no-line-end", "The body ends without CRLF.", LINE, body=LINE.encode(), spec="3.3, 5.2")
line("empty-body", "Nothing at all.", "", "5.2", body=b"")
line("signature-above", "A signature block first.", LINE, "5.2", body=b"-- \r\nAlice\r\n\r\n" + BODY)
line("signature-below", "A signature block after it.", LINE, body=BODY + b"\r\n-- \r\nAlice\r\n", spec="5.2")
line("second-order", "Two orders: which one did Alice mean?", LINE, "5.2", body=BODY + b"\r\nREMIT 99 XAH TO <eve@evil.test>\r\n")
line("same-order-twice", "The same order twice is still two.", LINE, "5.2", body=BODY + b"\r\n" + BODY)
line("second-order-is-rekey", "A REKEY below a REMIT.", LINE, "5.2", body=BODY + b"\r\nREKEY " + CLASSIC.encode() + b"\r\n")
line("second-order-far-below", "However far below.", LINE, "5.2", body=BODY + b"\r\n" + b"lorem ipsum\r\n" * 200 + b"REMIT 99 XAH\r\n")
line("second-order-cannot-be-paid", "By its grammar the later line is an instruction, though its amount would be refused.", LINE, "5.2", body=BODY + b"\r\nREMIT 0 XAH TO <eve@evil.test>\r\n")
line("second-order-quoted", "A quoted order below is no instruction by its grammar.", LINE, body=BODY + b"\r\n> REMIT 99 XAH TO <eve@evil.test>\r\n", spec="5.2")
line("second-order-in-prose", "An order within a sentence is none.", LINE, body=BODY + b"\r\nas we said: REMIT 99 XAH TO <eve@evil.test>\r\n", spec="5.2")
line("second-order-lower-case", "A line in other letter case is none.", LINE, body=BODY + b"\r\nremit 99 xah to <eve@evil.test>\r\n", spec="5.2")
line("second-order-next-line", "The second order stands in the very next line.", LINE, "5.2", body=BODY + b"REMIT 99 XAH\r\n")
line("second-order-last-line-without-end", "The second order is the last line, without CRLF.", LINE, "5.2", body=BODY + b"\r\nREMIT 99 XAH")
line("second-order-with-runs-of-blanks", "The second order has runs of blanks in a body that is signed as it stands.", LINE, "5.2", body=BODY + b"\r\nREMIT \t99  XAH \t\r\n", c="relaxed/simple")
line("lines-that-begin-like-orders", "A line that only begins like an order is none.", LINE, body=BODY + b"\r\nREMIT 99 XAHx\r\nREMITTANCE\r\nREKEYED\r\n", spec="5.2")
def later(slug, why, text, rule=None): line("second-order-" + slug, why, LINE, rule, body=BODY + b"\r\n" + text + b"\r\n", spec="5.1, 5.2")
later("to-account-and-letters", "What stands behind an account and + is judged by 2.4, so by its grammar the later line is an instruction.", b"REMIT 99 XAH TO " + CLASSIC.encode() + b"+abc", "5.2")
later("to-account-and-words", "The same up to the end of the line.", b"REMIT 99 XAH TO " + CLASSIC.encode() + b"+7 thanks", "5.2")
later("to-account-words-behind", "Without the + an account ends at the blank: no instruction.", b"REMIT 99 XAH TO " + CLASSIC.encode() + b" thanks")
later("to-umlaut", "Whether an address is one is judged by 2.1: by its grammar the later line is an instruction.", "REMIT 99 XAH TO <b\u00f6b@example.com>".encode(), "5.2")
later("to-latin1", "A line that is no UTF-8 is none.", b"REMIT 99 XAH TO <b\xf6b@example.com>")

group(601, "Amounts and networks")
def amt(slug, why, text, rule=None, **kw): line("amount-" + slug, why, "REMIT " + text + TO, rule, **{"spec": "5.5", **kw})
amt("smallest", "One drop.", "0.000001 XAH", amount="0.000001")
amt("zero", "Nothing to pay.", "0 XAH", "5.5")
amt("zero-with-decimals", "Nothing, written longer.", "0.000000 XAH", "5.5")
amt("below-a-drop", "A tenth of a drop: nothing is rounded.", "0.0000001 XAH", "5.5")
amt("seven-decimals", "Decimals are counted as written.", "1.0000000 XAH", "5.5")
amt("leading-zeros", "Zeros before the number change nothing.", "0010.50 XAH", amount="10.5")
amt("largest", "10^17 drops.", "100000000000 XAH", amount="100000000000")
amt("one-drop-too-large", "One drop more.", "100000000000.000001 XAH", "5.5")
amt("sixty-digits", "A number that no machine word holds.", "9" * 60 + " XAH", "5.5")
amt("wraps-to-ten", "2^64 drops and 10 XAH: a sum that overflows must not come out as 10.", "18446744073719.551616 XAH", "5.5")
amt("comma", "A decimal comma.", "10,5 XAH", "5.2")
amt("thousands", "A thousands separator.", "1,000 XAH", "5.2")
amt("thousands-blank", "A blank between thousands: `REMIT 1 000 XAH`.", "1 000 XAH", "5.2")
amt("apostrophe", "A Swiss separator.", "1'000 XAH", "5.2")
amt("exponent", "An exponent.", "1e3 XAH", "5.2")
amt("sign", "A sign.", "-10 XAH", "5.2")
amt("plus", "A plus sign.", "+10 XAH", "5.2")
amt("point-last", "A point without decimals.", "10. XAH", "5.2")
amt("point-first", "A point without a whole part.", ".5 XAH", "5.2")
amt("hexadecimal", "A hexadecimal number.", "0x10 XAH", "5.2")
amt("joined-with-currency", "No blank before the currency.", "10XAH", "5.2")
amt("issued", "An issued amount names its issuer.", "12.50 USD/" + ISSUER, amount=("12.5", "USD", ISSUER))
amt("issued-without-issuer", "A currency other than XAH needs its issuer.", "12.50 USD", "5.2")
amt("issued-xah", "XAH is no issued currency.", "10 XAH/" + ISSUER, "5.5")
amt("issued-15-digits", "15 digits.", "123456789012345 USD/" + ISSUER, amount=("123456789012345", "USD", ISSUER))
amt("issued-16-digits", "16 digits would have to be rounded.", "1234567890123456 USD/" + ISSUER, "5.5")
amt("issued-mistyped-issuer", "A wrong checksum of the issuer.", "1 USD/" + BAD_CLASSIC, "2.4")
amt("issued-lower-case", "A currency code in lower case.", "1 usd/" + ISSUER, "5.2")
amt("issued-four-letters", "A code of four letters.", "1 USDT/" + ISSUER, "5.2")
line("net-of-this-ledger", "NET names this network.", LINE + " NET 21337", spec="5.6")
line("net-of-test-ledger", "NET names the test network.", LINE + " NET 21338", spec="5.6", net=21338)
line("net-of-another-ledger", "A test mail on the main network.", LINE + " NET 21338", "5.6")
line("no-net-on-test-ledger", "Without NET a mail is for 21337 only.", LINE, "5.6", net=21338)
line("net-overflows", "2^32 + 21337.", LINE + " NET 4294988633", "5.6")
line("net-leading-zero", "A number has one spelling, so by its grammar the line is no instruction.", LINE + " NET 021337", "5.2")
line("net-before-to", "The order of the parts is fixed.", "REMIT 10 XAH NET 21337" + TO, "5.2")

# ================================================================================================ broken lines
group(701, "Lines that a mail program broke, and flowed text")
def wrapped(slug, why, body, rule=None, **kw):
    if rule is None: case("wrap-" + slug, why, spec="5.3", body=body, **kw)
    else: case("wrap-" + slug, why, rule, body=body, **kw)
LONG = "REMIT 10 EUR/" + ISSUER + TO
wrapped("60-columns", "The line, a blank and the next word are 60 columns: a program that breaks lines would have kept the word.", BODY + b"w" * 26 + b" more\r\n")
wrapped("61-columns", "One more: the break may be the program's.", BODY + b"w" * 27 + b" more\r\n", "5.3", rfc="RFC 3676 section 4.2")
wrapped("61-columns-of-umlauts", "Columns are bytes: 14 letters of two bytes.", BODY + "\u00fc".encode() * 14 + b"\r\n", "5.3")
wrapped("60-columns-of-umlauts", "13 letters of two bytes.", BODY + "\u00fc".encode() * 13 + b"\r\n")
wrapped("long-line-alone", "A line of 75 columns with an empty line after it is whole.", LONG.encode() + b"\r\n\r\nthanks\r\n", line=LONG, amount=("10", "EUR", ISSUER))
wrapped("long-line-and-text", "The same with text in the next line.", LONG.encode() + b"\r\nthanks\r\n", "5.3")
FIRST = "REMIT 123456789.12345 EUR/" + ISSUER
wrapped("before-to-whole", "A long line in one piece.", (FIRST + TO).encode() + b"\r\n", line=FIRST + TO, amount=("123456789.12345", "EUR", ISSUER), to="carol@example.com")
wrapped("before-to", "A program broke the line before TO. The first half is an instruction by itself and would pay whom the To header names.", FIRST.encode() + b"\r\nTO <bob@example.com>\r\n", "5.3", to="carol@example.com", rfc="RFC 3676 section 4.2")
wrapped("before-to-short", "TO would have fitted into 60 columns, so no program broke here: the writer did, and meant Bob. The line above would pay whom the To header names.", b"REMIT 10 XAH\r\nTO <bob@example.com>\r\n", "5.3", to="carol@example.com")
wrapped("after-to", "Broken after TO: the first half is no instruction.", FIRST.encode() + b" TO\r\n<bob@example.com>\r\n", "5.2", to="carol@example.com")
wrapped("before-net", "A break before NET in a long line: without NET the mail would be valid on the main network.", LONG.encode() + b"\r\nNET 21338\r\n", "5.3")
wrapped("before-net-short", "NET would have fitted into 60 columns: the writer began a line there, and without it the mail would spend on the main network.", BODY + b"NET 21338\r\n", "5.3")
wrapped("in-amount", "Broken within the words of the instruction: no half is one.", b"REMIT 10\r\nXAH TO <bob@example.com>\r\n", "5.2")
wrapped("in-address", "Broken within the address.", b"REMIT 10 XAH TO <bob@\r\nexample.com>\r\n", "5.2")
wrapped("flowed-whole", "format=flowed with the whole line on one line.", BODY + b"\r\n-- \r\nAlice\r\n", ct="text/plain; charset=utf-8; format=flowed")
wrapped("flowed-amount", "A flowed reader would join `REMIT 1 ` and `0000 XAH`; lines are never joined here, and a relaxed body has lost the blank anyway.", b"REMIT 1 \r\n0000 XAH TO <bob@example.com>\r\n", "5.2", ct="text/plain; format=flowed", rfc="RFC 3676 section 4.1")
wrapped("flowed-delsp", "With DelSp=yes a reader would join `REM ` and `IT`.", b"REM \r\nIT 10 XAH TO <bob@example.com>\r\n", "5.2", ct="text/plain; format=flowed; delsp=yes", rfc="RFC 3676 section 4.1")
wrapped("flowed-space-stuffed", "Space-stuffing, as flowed text does for lines that begin with `>` or a blank.", b" " + BODY, "5.2", ct="text/plain; format=flowed", rfc="RFC 3676 section 4.4")
wrapped("flowed-then-word", "A flowed break after the instruction: a reader shows `thanks` on the same line, but the instruction ended with its own.", LINE.encode() + b" \r\nthanks\r\n", ct="text/plain; format=flowed", rfc="RFC 3676 section 4.1")
wrapped("flowed-then-long-word", "The same with a word that reaches beyond 60 columns.", LINE.encode() + b" \r\nhttps://example.com/a/long/link\r\n", "5.3", ct="text/plain; format=flowed", rfc="RFC 3676 section 4.1")
wrapped("next-line-quoted", "The next line is a quotation that fits.", BODY + b"> hello\r\n")
wrapped("next-line-of-blanks", "A line of blanks is an empty line.", BODY + b" \t\r\n" + b"w" * 70 + b"\r\n", c="relaxed/simple")

# ================================================================================================ quoted and forwarded text
def qp(text):
    """quoted-printable (RFC 2045 section 6.7) as Outlook writes it"""
    out = []
    for l in text.split("\r\n"):
        row = ""
        for b in l.encode("utf-8"):
            piece = chr(b) if 32 <= b < 127 and b != 61 else "=%02X" % b
            if len(row) + len(piece) > 75: out.append(row + "="); row = ""
            row += piece
        out.append(row)
    return "\r\n".join(out).encode()
def outlook_reply(top, quoted, labels):
    block = "\r\n".join(l + " " + v for l, v in zip(labels, ("Eve <eve@evil.test>", "2026-11-16 09:58", "Alice Example <alice@outlook.com>", "a payment")))
    text = top + "\r\n\r\n________________________________\r\n" + block + "\r\n\r\n" + quoted + "\r\n"
    return alternative(qp(text), OUTLOOK_BOUNDARY, b'Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: quoted-printable',
                       b"<html><body>see the text part</body></html>", b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable')
group(801, "Replies and forwards of Outlook, which quotes without a mark")
OUTLOOK_LABELS = [("english", ("From:", "Sent:", "To:", "Subject:"), "Yes, please."), ("german", ("Von:", "Gesendet:", "An:", "Betreff:"), "Ja, gerne."),
    ("french", ("De :", "Envoy\u00e9 :", "\u00c0 :", "Objet :"), "Oui, merci."), ("spanish", ("De:", "Enviado:", "Para:", "Asunto:"), "S\u00ed, gracias."),
    ("turkish", ("G\u00f6nderen:", "G\u00f6nderildi:", "Kime:", "Konu:"), "Evet."), ("japanese", ("\u5dee\u51fa\u4eba:", "\u9001\u4fe1\u65e5\u6642:", "\u5b9b\u5148:", "\u4ef6\u540d:"), "\u306f\u3044\u3002"),
    ("russian", ("\u041e\u0442:", "\u041e\u0442\u043f\u0440\u0430\u0432\u043b\u0435\u043d\u043e:", "\u041a\u043e\u043c\u0443:", "\u0422\u0435\u043c\u0430:"), "\u0414\u0430.")]
for lang, labels, yes in OUTLOOK_LABELS:
    case("outlook-%s-order-on-top" % lang, "An order above the block that Outlook puts before quoted text.", spec="5.2", shape=OUTLOOK, body=outlook_reply(LINE, yes, labels))
    case("outlook-%s-order-only-quoted" % lang, "Eve wrote the order into her own mail; Alice only answered. Outlook's quotation carries no mark, so only the first line can be trusted.", "5.2", shape=OUTLOOK, body=outlook_reply(yes, "REMIT 99 XAH TO <eve@evil.test>", labels))
    case("outlook-%s-order-on-top-and-quoted" % lang, "An order of Alice's above, one of Eve's in the unmarked quotation: ambiguous.", "5.2", shape=OUTLOOK, body=outlook_reply(LINE, "REMIT 99 XAH TO <eve@evil.test>", labels))
case("outlook-empty-reply", "Alice sent the answer without a word of her own; the block comes first.", "5.2", shape=OUTLOOK, body=outlook_reply("", LINE, OUTLOOK_LABELS[0][1]))
case("outlook-forward", "A forwarded order: the block comes first.", "5.2", shape=OUTLOOK, body=outlook_reply("", "FYI\r\n" + LINE, OUTLOOK_LABELS[0][1]))
case("outlook-external-banner", "A company's gateway wrote its warning above the text before signing.", "5.2", shape=OUTLOOK, body=outlook_body(b"CAUTION: This email originated from outside the organization.\r\n\r\n" + BODY))
case("outlook-autolinked-address", "Outlook turned the address into a link, and the text part shows both.", spec="5.1", shape=OUTLOOK, body=outlook_body(b"REMIT 10 XAH TO <bob@example.com<mailto:bob@example.com>>\r\n"), line="REMIT 10 XAH TO <bob@example.com<mailto:bob@example.com>>")
case("outlook-phone-signature", "`Get Outlook for iOS` below.", spec="5.2", shape=OUTLOOK, body=outlook_body(BODY + b"\r\nGet Outlook for iOS<https://aka.ms/o0ukef>\r\n"))
case("outlook-disclaimer-below", "A company's disclaimer below, with long lines after an empty one.", spec="5.2, 5.3", shape=OUTLOOK, body=outlook_body(BODY + b"\r\n" + b"This email and any attachments are confidential and intended solely for the=\r\n addressee.\r\n"))

group(831, "Replies and forwards of Gmail and Apple Mail")
def gmail_reply(top, attribution, quoted): return alternative((top + "\r\n\r\n" + attribution + "\r\n\r\n" + "".join("> %s\r\n" % l for l in quoted)).encode("utf-8"))
GMAIL_WROTE = [("english", "On Mon, Nov 16, 2026 at 10:58\u202fAM Eve <eve@evil.test> wrote:"), ("german", "Am Mo., 16. Nov. 2026 um 10:58 Uhr schrieb Eve <eve@evil.test>:"),
    ("french", "Le lun. 16 nov. 2026 \u00e0 10:58, Eve <eve@evil.test> a \u00e9crit :"), ("turkish", "Eve <eve@evil.test>, 16 Kas 2026 Pzt, 10:58 tarihinde \u015funu yazd\u0131:"),
    ("japanese", "2026\u5e7411\u670816\u65e5(\u6708) 10:58 Eve <eve@evil.test>:")]
for lang, wrote in GMAIL_WROTE:
    case("gmail-%s-order-on-top" % lang, "An order above a quoted order. Gmail marks quotations, so the quoted line is no instruction by its grammar.", spec="5.2", shape=GMAIL, body=gmail_reply(LINE, wrote, ["REMIT 99 XAH TO <eve@evil.test>"]))
    case("gmail-%s-order-only-quoted" % lang, "The order is in Eve's quoted mail only; the first line is Alice's answer.", "5.2", shape=GMAIL, body=gmail_reply("ok", wrote, ["REMIT 99 XAH TO <eve@evil.test>"]))
case("gmail-empty-reply", "No word of Alice's: the attribution is the first line.", "5.2", shape=GMAIL, body=alternative((GMAIL_WROTE[0][1] + "\r\n\r\n> " + LINE + "\r\n").encode("utf-8")))
case("gmail-forward", "A forwarded order stands below Gmail's separator, unmarked.", "5.2", shape=GMAIL, body=alternative(b"---------- Forwarded message ---------\r\nFrom: Eve <eve@evil.test>\r\nDate: Mon, Nov 16, 2026 at 9:00\r\nSubject: a payment\r\nTo: <alice.example@gmail.com>\r\n\r\n\r\n" + BODY))
case("gmail-forward-with-order-on-top", "An order above a forwarded, unmarked order: ambiguous.", "5.2", shape=GMAIL, body=alternative(BODY + b"\r\n---------- Forwarded message ---------\r\nFrom: Eve <eve@evil.test>\r\n\r\nREMIT 99 XAH TO <eve@evil.test>\r\n"))
case("gmail-confidential-notice", "A forwarded notice that only mentions an order.", spec="5.2", shape=GMAIL, body=alternative(BODY + b"\r\n---------- Forwarded message ---------\r\nFrom: Eve <eve@evil.test>\r\n\r\nPlease send REMIT 99 XAH TO <eve@evil.test> today\r\n"))
APPLE = dict(shape=ICLOUD)
case("apple-order-on-top", "Apple Mail: the order, then a marked quotation.", spec="5.2", body=BODY + b"\r\n> On 16 Nov 2026, at 09:58, Eve <eve@evil.test> wrote:\r\n> \r\n> REMIT 99 XAH TO <eve@evil.test>\r\n", **APPLE)
case("apple-order-only-quoted", "Bottom-posted answer: the quotation comes first.", "5.2", body=b"> On 16 Nov 2026, at 09:58, Eve <eve@evil.test> wrote:\r\n> \r\n> " + BODY + b"\r\nok\r\n", **APPLE)
case("apple-answer-below-quote", "Alice's own order below the quotation: the first line is not hers, and a rule that skips quotations would have to know every language's.", "5.2", body=b"> On 16 Nov 2026, at 09:58, Eve <eve@evil.test> wrote:\r\n> hello\r\n\r\n" + BODY, **APPLE)
case("apple-forward-english", "A forwarded message.", "5.2", body=b"\r\n\r\n> Begin forwarded message:\r\n> \r\n> From: Eve <eve@evil.test>\r\n> Subject: a payment\r\n> Date: 16 November 2026 at 09:58:00 CET\r\n> To: alice@icloud.com\r\n> \r\n> " + BODY, **APPLE)
case("apple-forward-german-unmarked", "A forwarded message, quoted without marks (a setting of Apple Mail).", "5.2", body="Anfang der weitergeleiteten Nachricht:\r\n\r\nVon: Eve <eve@evil.test>\r\nBetreff: Zahlung\r\nDatum: 16. November 2026 um 09:58:00 MEZ\r\nAn: alice@icloud.com\r\n\r\n".encode() + BODY, ct="text/plain; charset=utf-8", **APPLE)
case("icloud-page-japanese-one-line", "iCloud's page put answer, attribution and quotation into one line.", "5.2", body=(LINE + " 2026\u5e7411\u670816\u65e5 21:04\u3001eve@evil.test\u304b\u3089\u306e\u30e1\u30fc\u30eb\uff1a REMIT 99 XAH\r\n").encode(), ct="text/plain; charset=utf-8", **APPLE)
case("phone-signature-below", "`Sent from my iPhone`.", spec="5.2", body=BODY + b"\r\nSent from my iPhone\r\n", **APPLE)
case("phone-signature-next-line", "The same without an empty line between: it fits.", spec="5.2, 5.3", body=BODY + b"Von meinem iPhone gesendet\r\n", **APPLE)
case("thunderbird-answer-below", "Thunderbird writes below the quotation.", "5.2", body=b"On 11/16/26 09:58, Eve wrote:\r\n> " + BODY + b"yes\r\n", ct="text/plain; charset=UTF-8; format=flowed")
case("yahoo-reply", "Yahoo's page quotes with an indented, localised attribution and no mark.", "5.2", shape=YAHOO, body=yahoo_body(b" ok\r\n\r\n    On Monday, November 16, 2026 at 09:58:00 AM GMT+1, Eve <eve@evil.test> wrote:  \r\n \r\n " + BODY), like="yahoo-reply-order-on-top")
case("yahoo-reply-order-on-top", "The order above Yahoo's quotation; quoted lines begin with a blank, so they are no instructions.", spec="5.2", shape=YAHOO, body=yahoo_body(BODY + b"\r\n    On Monday, November 16, 2026 at 09:58:00 AM GMT+1, Eve <eve@evil.test> wrote:  \r\n \r\n REMIT 99 XAH TO <eve@evil.test>\r\n"))

# ================================================================================================ robots and lists
group(901, "Robots: vacation answers, tickets, bounces, unsubscribe")
H = "From:To:Subject:Date:Message-ID"
case("person", "What a person sends, with nothing of a robot signed.", spec="4.8", h=H + ":Auto-Submitted:Precedence:List-Id", rfc="RFC 6376 section 5.4.2")
case("vacation-echo", "A vacation robot that repeats what it answers, below its own words.", "5.2", body=b"I am away until Monday.\r\n\r\nYou wrote:\r\n" + BODY)
case("vacation-echo-signed-header", "The same with Auto-Submitted signed.", "4.8", extra=[("Auto-Submitted", "auto-replied")], h=H + ":Auto-Submitted", rfc="RFC 3834 section 5", body=BODY)
case("auto-generated", "A robot's notice.", "4.8", extra=[("Auto-Submitted", "auto-generated")], h=H + ":Auto-Submitted", rfc="RFC 3834 section 5")
case("auto-submitted-with-parameter", "A parameter after the keyword.", "4.8", extra=[("Auto-Submitted", "auto-replied; owner-email=\"alice@mail.test\"")], h=H + ":Auto-Submitted", rfc="RFC 3834 section 5")
case("auto-submitted-no", "`no` is what a person's program may say, in any letter case.", spec="4.8", extra=[("Auto-Submitted", "No")], h=H + ":Auto-Submitted", rfc="RFC 3834 section 5")
case("auto-submitted-no-with-comment", "The whole value is compared: a comment is more than `no`.", "4.8", extra=[("Auto-Submitted", "no (really)")], h=H + ":Auto-Submitted", rfc="RFC 3834 section 5")
case("auto-submitted-empty", "An empty value is not `no`.", "4.8", extra=[("Auto-Submitted", "")], h=H + ":Auto-Submitted", rfc="RFC 3834 section 5")
case("auto-submitted-two-one-no", "Two of them signed, one says auto-replied.", "4.8", extra=[("Auto-Submitted", "auto-replied"), ("Auto-Submitted", "no")], h=H + ":Auto-Submitted:Auto-Submitted", rfc="RFC 3834 section 5")
case("auto-submitted-unsigned", "An unsigned header proves nothing and can be added or taken away by anybody: it neither refuses nor helps. A robot of a provider that does not sign it can be made to speak where its answer begins with foreign words; section 14 says so.",
     spec="4.8, 14", extra=[("Auto-Submitted", "auto-replied")], h=H, rfc="RFC 3834 section 5")
case("ticket-echo", "A ticket system's marker line comes first.", "5.2", body=b"##- Please type your reply above this line -##\r\n\r\n" + BODY)
case("ticket-echo-of-subject", "A ticket system repeats the Subject as its first words.", "5.2", body=b"Re: " + BODY)
case("delivery-report", "A bounce holds the order in its third part; the first part is the mailer's text, and its signed type says that it is a report.", "4.8", rfc="RFC 3464 section 2", ct='multipart/report; report-type=delivery-status; boundary="r1"',
     body=b"--r1\r\nContent-Type: text/plain\r\n\r\nThis is the mail system at host mail.test.\r\n\r\n--r1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.test\r\n\r\n--r1\r\nContent-Type: message/rfc822\r\n\r\nFrom: eve@evil.test\r\n\r\n" + BODY + b"\r\n--r1--\r\n")
case("read-receipt", "A read receipt whose text part repeats the order after its own words.", "4.8", rfc="RFC 8098 section 3", ct='multipart/report; report-type=disposition-notification; boundary="r1"',
     body=b"--r1\r\nContent-Type: text/plain\r\n\r\nThe message was displayed.\r\n" + BODY + b"--r1\r\nContent-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;alice@mail.test\r\n\r\n--r1--\r\n")
case("calendar-answer", "An accepted invitation begins with the calendar part.", "5.4", rfc="RFC 6047 section 2.4", body=b"--c1\r\nContent-Type: text/calendar; method=REPLY\r\n\r\nREMIT 10 XAH TO <bob@example.com>\r\n--c1--\r\n")
case("unsubscribe-by-subject", "A newsletter's List-Unsubscribe chose the Subject; one click sent the mail. The body is empty.", "5.2", rfc="RFC 2369 section 3.2; RFC 6068 section 2", subject=LINE, body=b"")
case("unsubscribe-body-of-client", "A client writes its own body for a one-click unsubscribe.", "5.2", rfc="RFC 2369 section 3.2", subject=LINE, body=b"This message was automatically generated by Gmail.\r\n")
case("unsubscribe-by-body", "A client that takes over the newsletter's `body=` makes Alice's provider sign an order. Nothing in the mail tells it from hers; section 14 names this. Accepted, so that nobody believes otherwise.",
     spec="5.2, 14", rfc="RFC 6068 section 2", subject="unsubscribe", body=BODY)
case("feedback-id-signed", "Proton and Zoho put Feedback-ID into personal mail and sign it.", spec="4.8", shape=PROTON)
case("x-auto-response-suppress-signed", "It asks robots to keep silent, which robots ask, not people.", "4.8", extra=[("X-Auto-Response-Suppress", "All")], h=H + ":X-Auto-Response-Suppress")
group(951, "Mailing lists and forwarders")
case("list-header-unsigned", "A list added its headers after the author's signature and changed nothing else: the words are still Alice's.", spec="4.8, 3.1", post=on_top("List-Id: <talk.lists.test>", "List-Unsubscribe: <mailto:leave@lists.test>", "Precedence: list"), h=H)
case("author-signs-list-names", "The author's provider oversigned List-Id although the mail had none: names alone refuse nothing.", spec="4.8", h=H + ":List-Id:List-Unsubscribe:Precedence:Resent-From:Mailing-List", rfc="RFC 6376 section 5.4.2")
case("list-header-added-to-oversigned", "The same mail through a list: the added List-Id is signed now, and is not what was hashed.", "4.8", h=H + ":List-Id", post=on_top("List-Id: <talk.lists.test>"))
for header, value, rfc in (("List-Id", "<talk.lists.test>", "RFC 2919"), ("List-Unsubscribe", "<mailto:leave@lists.test>", "RFC 2369"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click", "RFC 8058"), ("list-post", "<mailto:talk@lists.test>", "RFC 2369"),
                           ("Mailing-List", "list talk@lists.test", None), ("Precedence", "bulk", "RFC 2076 section 3.9"), ("Precedence", "first-class", "RFC 2076 section 3.9"), ("Resent-From", "eve@evil.test", "RFC 5322 section 3.6.6"),
                           ("Resent-Date", DATE, "RFC 5322 section 3.6.6"), ("X-Original-From", "Eve <eve@evil.test>", None), ("X-Original-To", "talk@lists.test", None)):
    slug = ("signed-%s-%s" % (header, value.split()[0] if header == "Precedence" else "")).lower().strip("-")
    case(slug, "A list or group signed its own %s: the words are those of some member, not of From." % header, "4.8", rfc=rfc, extra=[(header, value)], h=H + ":" + header)
case("google-group-resigned", "A Google group rewrote From to itself, kept the author in X-Original-From and signed both.", "4.8", frm="'Eve' via Talk <talk@groups.test>", d="groups.test", extra=[("X-Original-From", "Eve <eve@evil.test>"), ("List-Id", "<talk.groups.test>")], h=H + ":X-Original-From:List-Id")
case("similar-names-are-no-list", "X-List-Id and Listing are not List-*.", spec="4.8", extra=[("X-List-Id", "a"), ("Listing", "b")], h=H + ":X-List-Id:Listing")
case("list-rewrote-from-unsigned-headers", "A list that rewrites From, signs it and leaves its headers unsigned speaks for its own account, never for the author's: the list's mailbox is the payer. Anyone who runs such a list keeps no money there (section 14).",
     spec="4.8, 14", frm="Eve via Talk <talk@lists.test>", d="lists.test", from_is="talk@lists.test", extra=[("List-Id", "<talk.lists.test>")], h=H)
case("list-footer", "A list added its footer to the body.", "3.3", rfc="RFC 6377 section 3.3", post=lambda m: m + b"_______________\r\ntalk mailing list\r\n")
case("list-subject-tag", "A list added its tag to the Subject.", "4.5", rfc="RFC 6377 section 3.3", post=rep("Subject: ", "Subject: [talk] "))
case("list-from-rewritten-old-signature", "A list rewrote From and left the author's signature.", "4.2", post=rep("From: Alice <alice@mail.test>", "From: Alice via Talk <talk@lists.test>"), rfc="RFC 7960")
case("list-own-signature-below", "The list signed for itself; Alice's own signature below still proves.", spec="4.7", sigs=[sig(d="lists.test", k="other"), {}])
case("only-list-signature", "Only the list's signature is left.", "4.2", sigs=[sig(d="lists.test", k="other")], rfc="RFC 7960")
case("forwarder-recoded-body", "A forwarder turned 8bit into quoted-printable.", "3.3", body=BODY + "\r\nGr\u00fc\u00dfe\r\n".encode(), post=rep("Gr\u00fc\u00dfe".encode(), b"Gr=C3=BC=C3=9Fe"), rfc="RFC 6376 section 5.3")
case("forwarder-hop-lines", "A forwarder added Received, Authentication-Results and ARC lines: dropped.", spec="3.1", post=on_top("ARC-Seal: i=1; a=rsa-sha256; cv=none; d=fwd.test; s=a; b=AAAA", "Authentication-Results: fwd.test;\r\n\tdkim=pass", "Received: from mail.test by fwd.test;\r\n\tMon, 16 Nov 2026 10:00:05 +0000"))
case("arc-signature-only", "An ARC-Message-Signature is no DKIM-Signature.", "4.7", sigs=[sig(name=b"ARC-Message-Signature")], rfc="RFC 8617 section 4.1.2")
case("google-signature-only", "X-Google-DKIM-Signature is a note of Google to itself.", "4.7", sigs=[sig(name=b"X-Google-DKIM-Signature", d="1e100.net")])
case("no-signature", "A mail without any signature.", "4.7", sigs=[], rfc="RFC 6376 section 6.1")
