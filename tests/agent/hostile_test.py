#!/usr/bin/env python3
"""A hostile client at each door harms only itself: hostile_test.py SOURCE LIVE_DAEMON

What it does runs in a process of its own, which is a cgroup of its own to the
daemon, beside honest clients, who must be answered throughout."""

import array
import json
import multiprocessing
import os
import socket
import sys

source, program = sys.argv[1:]
sys.path.insert(0, os.path.join(source, "agent", "clients"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import proofgate  # noqa: E402
from live import Daemon  # noqa: E402

DOORS = ("session.sock", "approve.sock", "control.sock")
NARROW = DOORS[:2]
ASK = b'{"jsonrpc":"2.0","id":%d,"method":"%s","params":{}}\n'
METHOD = {"session.sock": b"rights", "approve.sock": b"session.show", "control.sock": b"status"}
MOST_FDS = 192 + 64  # kMaxPeers, and what the daemon has beside
MIB = 1 << 20


def expect(holds, what):
    if not holds:
        raise SystemExit(what)


def connect(path):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.connect(path)
    made.settimeout(20)
    return made


def send_until_refused(made, data):
    """How many bytes it took before it hung up."""
    sent = 0
    try:
        while sent < len(data):
            sent += made.send(data[sent:sent + MIB])
    except OSError:
        pass
    return sent


def read_lines(made, count):
    got = b""
    while got.count(b"\n") < count:
        more = made.recv(1 << 16)
        expect(more, "it hung up after %d answers" % got.count(b"\n"))
        got += more
    return [json.loads(line) for line in got.splitlines()]


# Each: what a hostile process does at one door, while `go_on` says that others are served.


def half_messages(path, go_on):
    open_ = [connect(path) for _ in range(8)]
    for one in open_:
        one.sendall(ASK[:25])
    go_on()


def slow_opens(path, go_on):
    kept = []
    for i in range(3000):
        kept.append(connect(path))
        try:
            kept[-1].send(b"{")
        except OSError:
            pass  # it has hung up already
        if len(kept) > 500:
            kept.pop(0)
        if i % 1000 == 999:
            go_on()


def vast_frames(path, go_on):
    for data in (b"[" * (64 * MIB), b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (64 * MIB) + b'"}\n'):
        made = connect(path)
        sent = send_until_refused(made, data)
        expect(sent < 8 * MIB, "it took %d bytes of one message" % sent)
        go_on()


def attached_descriptors(path, go_on):
    made = connect(path)
    method = METHOD[os.path.basename(path)]
    for i in range(200):
        pipe = os.pipe()
        made.sendmsg([ASK % (i, method)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", pipe))])
        for fd in pipe:
            os.close(fd)
        expect(read_lines(made, 1)[0]["id"] == i, "no answer beside descriptors")
    go_on()


def unread_answers(path, go_on):
    """Asks and asks and does not read; then everything is answered, in order."""
    made = connect(path)
    method = METHOD[os.path.basename(path)]
    made.setblocking(False)
    data = b"".join(ASK % (i, method) for i in range(20000))
    sent = 0
    try:
        while sent < len(data):
            sent += made.send(data[sent:])
    except BlockingIOError:
        pass
    go_on()
    made.settimeout(20)
    whole = data[:sent].count(b"\n")
    expect(whole > 100, "only %d questions went in" % whole)
    answers = read_lines(made, whole)
    expect([answer["id"] for answer in answers[:whole]] == list(range(whole)), "answers are missing or out of order")


def garbage(path, go_on):
    made = connect(path)
    lines = [b"\xff\xfe\x00", b"[" * 5000, b'{"jsonrpc":"2.0","id":1.5,"method":"status"}', b'{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}',
             b'{"jsonrpc":"2.0","id":1,"method":"session.show","params":[]}', b"", b"null", b'{"jsonrpc":"2.0","id":1,"method":"\\u0000"}']
    made.sendall(b"\n".join(lines) + b"\n")
    expect(all("error" in answer for answer in read_lines(made, len(lines))), "garbage was taken")
    go_on()


HOSTILE = [half_messages, slow_opens, vast_frames, attached_descriptors, unread_answers, garbage]


def run_hostile(act, path, pipe):
    def go_on():
        pipe.send("look")
        pipe.recv()

    act(path, go_on)
    pipe.send("done")


class Honest:
    """One client at each door that was there before, and new ones each time."""

    def __init__(self, directory, pid):
        self.directory, self.pid = directory, pid
        self.old = [make(os.path.join(directory, door)) for make, door in
                    ((proofgate.Governed, DOORS[0]), (proofgate.Approvers, DOORS[1]), (proofgate.Operators, DOORS[2]))]
        for one in self.old:
            one._socket.settimeout(20)

    def are_served(self, act, door):
        what = "%s at %s" % (act.__name__, door)
        fds = len(os.listdir("/proc/%d/fd" % self.pid))
        expect(fds < MOST_FDS, "%s: the daemon holds %d descriptors" % (what, fds))
        for one in (self.old[0], proofgate.Governed(os.path.join(self.directory, DOORS[0]))):
            expect(one.rights()["domain"] == "d", what)
        expect(self.old[2].session_list()["sessions"] == [], what)
        with proofgate.Operators(os.path.join(self.directory, DOORS[2])) as fresh:
            expect(fresh.session_list()["sessions"] == [], what)

    def memory(self):
        with open("/proc/%d/status" % self.pid) as status:
            return int(next(line for line in status if line.startswith("VmRSS:")).split()[1]) << 10


daemon = Daemon(program)
with daemon as directory:
    honest = Honest(directory, daemon.process.pid)
    before = honest.memory()
    for act in HOSTILE:
        # Who can open operators' doors by the thousand is uid 0 outside any domain.
        for door in NARROW if act is slow_opens else DOORS:
            ours, theirs = multiprocessing.Pipe()
            process = multiprocessing.Process(target=run_hostile, args=(act, os.path.join(directory, door), theirs))
            process.start()
            while True:
                expect(ours.poll(60), "%s at %s: it hangs" % (act.__name__, door))
                if ours.recv() == "done":
                    break
                honest.are_served(act, door)
                ours.send("on")
            process.join()
            expect(process.exitcode == 0, "%s at %s" % (act.__name__, door))
    honest.are_served(HOSTILE[-1], "the end")
    grown = honest.memory() - before
    expect(grown < 96 * MIB, "the daemon grew by %d MiB" % (grown // MIB))
    print("%d hostile acts; the daemon grew by %d MiB" % (len(HOSTILE), grown // MIB))
