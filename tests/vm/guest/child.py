"""A session hands a part of its rights to a child; docs/format/session.md."""

import json
import os
import socket

FIX, OTHER = "/srv/p/repo/fix", "/srv/p/repo/other"


def connect():
    door = socket.socket(socket.AF_UNIX)
    door.connect("/run/proofgate/session.sock")
    lines = door.makefile("r")

    def ask(method, **params):
        door.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        answer = json.loads(lines.readline())
        return answer["result"] if "result" in answer else answer["error"]["data"]

    return ask


def write(path):
    try:
        with open(path, "w") as file:
            file.write("by a child\n")
        return "OK"
    except PermissionError:
        return "EPERM"


def plan(path):
    return json.dumps({"format": 1, "plans": [{"steps": [{"any": [{"kind": "write", "object": {"file": path}, "uses": 2}]}]}]})


def say(*words):
    print(*words, flush=True)


RIGHTS = [{"rule": "p.fix", "object": FIX}]


def child(parent, before):
    ask = before  # a connection from before the move is the child's afterwards
    opened = ask("session.delegate", rights=RIGHTS, max_cost=20, max_uses=2)
    say("child", opened["parent"] == parent, ask("session.show")["session"] == opened["session"])
    say("deeper", ask("session.delegate", rights=RIGHTS, max_cost=1, max_uses=1)["decision"])
    say("judged", ask("session.complete", plans=plan(FIX))["code"])
    say("step", ask("session.next")["state"], write(FIX), write(OTHER))


def narrow():
    ask = connect()
    ask("session.delegate", rights=RIGHTS, max_cost=20, max_uses=2)
    say("not its own", ask("session.complete", plans=plan(OTHER))["code"])


ask = connect()
parent = ask("session.show")["session"]
say("wider", ask("session.delegate", rights=[{"rule": "p.fix", "object": "/srv/p"}], max_cost=1, max_uses=1)["decision"])
for work in (lambda: narrow(), lambda: child(parent, connect())):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    os.waitpid(pid, 0)
say("parent", ask("session.show")["session"] == parent, "its receipt", write(FIX))
say("ended", ask("session.abort")["state"], write(FIX))
