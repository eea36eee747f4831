"""A mail server that takes everything: python3 sink.py FOLDER smtp|lmtp tcp|unix. Each mail becomes a file of FOLDER, its
bytes as they came. It stands in for a smarthost and for others' mailboxes."""

import os
import pathlib
import socketserver
import sys
import threading

import service

home = service.folder(sys.argv[1])
protocol, network = sys.argv[2], sys.argv[3]
counter = iter(range(1, 1_000_000))


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 sink.example ready")
        recipients = 0
        while line := self.rfile.readline():
            word = line.strip().upper()
            if word.startswith((b"EHLO", b"LHLO")):
                self.say("250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME")
            elif word.startswith(b"MAIL"):
                recipients = 0
                self.say("250 2.1.0 ok")
            elif word.startswith(b"RCPT"):
                recipients += 1
                self.say("250 2.1.5 ok")
            elif word == b"DATA":
                self.say("354 go")
                self.data(recipients)
            elif word == b"QUIT":
                self.say("221 2.0.0 bye")
                return
            else:
                self.say("250 2.0.0 ok")

    def data(self, recipients):
        mail = b""
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            mail += line[1:] if line.startswith(b".") else line
        number = next(counter)
        hidden = home / f".{number}.part"
        hidden.write_bytes(mail)
        hidden.rename(home / f"{number}.eml")
        for _ in range(recipients if protocol == "lmtp" else 1):
            self.say("250 2.0.0 taken")


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True


class Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


if network == "unix":
    address = str(home / "socket")
    server = Unix(address, Session)
    os.chmod(address, 0o666)
else:
    server = Tcp(("127.0.0.1", 0), Session)
    address = f"127.0.0.1:{server.server_address[1]}"
threading.Thread(target=server.serve_forever, daemon=True).start()
service.stand({"address": address})
