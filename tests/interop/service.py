"""What the scripts of this folder share. Each starts programs of others in a folder of its own, prints one line of JSON
with the addresses when they answer, and ends them when its standard input ends."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

os.environ["PATH"] += ":/usr/sbin:/sbin"

# How long a program may take to answer, seconds. It is waited for by trying, not by the clock.
PATIENCE_SECS = 60


def folder(path):
    """The folder as a path, readable by the users that mail servers run as."""
    path = pathlib.Path(path)
    path.mkdir(exist_ok=True)
    path.chmod(0o755)
    return path


def free_port():
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, test, child=None):
    """Waits until the test is true."""
    end = time.monotonic() + PATIENCE_SECS
    while not test():
        if child is not None and child.poll() is not None:
            sys.exit(f"{what} ended with {child.returncode}")
        if time.monotonic() > end:
            sys.exit(f"{what} did not answer")
        time.sleep(0.05)


def listens(port):
    """Whether a connection to the port is taken."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def start(*command, log):
    """Starts a program; what it prints goes to the log."""
    with open(log, "ab") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def run(*command):
    """Runs a program to its end."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stdout.decode(errors='replace')}")


def certificate(path, name="localhost"):
    """Writes authority.pem, and server.pem with server.key signed by it."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/CN=test authority", "-keyout", path / "authority.key", "-out", path / "authority.pem")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
        "-keyout", path / "server.key", "-out", path / "server.csr")
    (path / "extensions").write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\n")
    run("openssl", "x509", "-req", "-in", path / "server.csr", "-CA", path / "authority.pem", "-CAkey",
        path / "authority.key", "-CAcreateserial", "-days", "2", "-extfile", path / "extensions",
        "-out", path / "server.pem")


def end(child):
    """Ends a program."""
    child.terminate()
    try:
        child.wait(timeout=20)
    except subprocess.TimeoutExpired:
        child.kill()


def stand(ready, *ends):
    """Says where to reach the programs, and calls what ends them when standard input ends."""
    try:
        print(json.dumps(ready), flush=True)
        sys.stdin.read()
    finally:
        for one in ends:
            one()
