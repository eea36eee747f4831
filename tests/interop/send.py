"""Sends the mail on standard input with Python's smtplib: python3 send.py smtp|lmtp ADDRESS FROM TO... Options before them:
--starttls AUTHORITY.pem. {date} in the mail becomes the time of day. Prints the reply to DATA; ends with 1 where the mail is refused, and prints the refusal."""

import email.utils
import smtplib
import ssl
import sys

arguments = sys.argv[1:]
authority = None
if arguments[0] == "--starttls":
    authority, arguments = arguments[1], arguments[2:]
protocol, address, sender, *recipients = arguments
mail = sys.stdin.buffer.read().replace(b"{date}", email.utils.formatdate().encode())

if protocol == "lmtp":
    host, port = (address, 0) if address.startswith("/") else address.rsplit(":", 1)
    client = smtplib.LMTP(host, int(port))
else:
    client = smtplib.SMTP(*address.rsplit(":", 1), local_hostname="client.example", timeout=60)
with client:
    client.ehlo_or_helo_if_needed()
    if authority is not None:
        client.starttls(context=ssl.create_default_context(cafile=authority))
        client.ehlo()
    try:
        code, text = client.mail(sender)
        for recipient in recipients:
            if code < 400:
                code, text = client.rcpt(recipient)
        if code < 400:
            code, text = client.data(mail)
        if protocol == "lmtp":
            # One reply for each recipient; smtplib reads the first.
            for _ in recipients[1:]:
                client.getreply()
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, error.smtp_error
    print(code, text.decode(errors="replace"))
sys.exit(0 if 200 <= code < 300 else 1)
