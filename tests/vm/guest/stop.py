"""Many receipts, and a stop while the file system of the ledger stands still."""

import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import time

FREEZE, THAW = 0xC0045877, 0xC0045878
OPENED, OTHER = "/srv/t/stop/0", "/srv/t/stop/1"


def ask(lines):
    """Sends requests in windows, and returns the answers."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect("/run/proofgate/control.sock")
    answers = connection.makefile("r")
    out = []
    for at in range(0, len(lines), 32):
        window = lines[at : at + 32]
        connection.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in window))
        out += [json.loads(answers.readline()) for _ in window]
    return out


def request(method, **params):
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def issue(count):
    answers = ask([request("receipt.issue", domain="t", rule="t.write", object="/srv/t/stop/%d" % i, uses=1000)
                   for i in range(count)])
    wrong = [a for a in answers if "result" not in a]
    if wrong:
        print("#", wrong[0])
    return 1 if wrong else 0


def governed():
    """Writes until it is refused, then tries what it has another receipt for."""
    with open(OTHER, "w") as other:  # the allowed twin
        other.write("x")
    opened = os.open(OPENED, os.O_WRONLY)
    os.write(opened, b"x")
    print(os.getpid(), flush=True)
    try:
        while True:
            os.pwrite(opened, b"x", 0)
    except PermissionError:
        pass
    try:
        os.open(OTHER, os.O_WRONLY)
    except PermissionError:
        os._exit(7)
    os._exit(8)


def stop():
    process = subprocess.Popen(["proofgate", "run", "--domain", "t", "--", "python3", __file__, "governed"],
                               stdout=subprocess.PIPE, text=True)
    pid = process.stdout.readline()
    if not pid:
        print("# the process does not write")
        return 1
    ended = select.poll()
    ended.register(os.pidfd_open(int(pid)), select.POLLIN)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect("/run/proofgate/control.sock")
    ledger = os.open("/var/lib/proofgate", os.O_RDONLY)
    fcntl.ioctl(ledger, FREEZE, 0)
    try:
        began = time.clock_gettime(time.CLOCK_BOOTTIME)
        connection.sendall(json.dumps(request("domain.stop", domain="t", why="test")).encode() + b"\n")
        refused = bool(ended.poll(20000))  # `proofgate run` itself waits for the daemon, and so for the disk
        took = time.clock_gettime(time.CLOCK_BOOTTIME) - began
        connection.setblocking(False)
        try:
            answered = bool(connection.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            answered = False
    finally:
        fcntl.ioctl(ledger, THAW, 0)
    status = process.wait(60)
    connection.setblocking(True)
    answer = json.loads(connection.makefile("r").readline())
    print("# from asking to the end of the refused process: %.1f ms; the store itself: %s ns; status %d, answered early: %s, %s"
          % (took * 1000, answer.get("result", {}).get("took_ns"), status, answered, answer.get("result", answer)))
    return 0 if refused and status == 7 and not answered and "result" in answer else 1


if sys.argv[1] == "issue":
    sys.exit(issue(int(sys.argv[2])))
sys.exit(stop() if sys.argv[1] == "stop" else governed())
