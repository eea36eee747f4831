"""Answers with dkimpy's verdicts: reads mails and keys from standard input, writes one line a mail.

A request is: time (8 bytes), mail, number of records (4 bytes), and for each record its DNS name and its text; mail, name
and text each with its length (4 bytes) before it; all numbers big-endian. The answer is `1` where a signature verifies,
else `0`. Used by amendment/tests/differential.
"""
import struct
import sys

import dkim


class Clock:
    """Stands in for the module `time` in dkimpy."""
    now = 0

    def time(self):
        return self.now


dkim.time = Clock()


def take(count):
    data = sys.stdin.buffer.read(count)
    if len(data) != count:
        sys.exit(0)
    return data


def number(count):
    return int.from_bytes(take(count), "big")


def verifies(mail, keys):
    def txt(name, timeout=5):
        name = name.decode("latin1") if isinstance(name, bytes) else name
        # As its own look-up does: the first record.
        return keys.get(name.rstrip(".").lower())

    try:
        fields = dkim.DKIM(mail).headers
    except Exception:
        return False
    found = [name for name, _ in fields if name.lower() == b"dkim-signature"]
    for index in range(len(found)):
        try:
            if dkim.DKIM(mail).verify(index, dnsfunc=txt):
                return True
        except Exception:
            pass  # dkimpy raises whatever its parsers raise; all of it is a refusal.
    return False


while True:
    dkim.time.now = number(8)
    message = take(number(4))
    records = {}
    for _ in range(number(4)):
        name = take(number(4)).decode("latin1").lower()
        records.setdefault(name, take(number(4)))
    sys.stdout.write("1\n" if verifies(message, records) else "0\n")
    sys.stdout.flush()
