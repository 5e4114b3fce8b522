"""report.py start|end RESULTS: matches what was tried with what the ledger says,
as TAP, and for the matrix one line "#row" for each attempt."""
import json
import socket
import sys

# The words of agent/record.cc, by hook.
HOOKS = {
    "run a program": "bprm_check_security",
    "map as executable": "mmap_file",
    "make memory executable": "file_mprotect",
    "open for writing": "file_open",
    "write": "file_permission",
    "map as shared and writable": "mmap_file",
    "truncate": "inode_setattr",
    "create a file": "inode_create",
    "create a directory": "inode_mkdir",
    "create a node": "inode_mknod",
    "create a symbolic link": "inode_symlink",
    "link": "inode_link",
    "delete": "inode_unlink",
    "delete a directory": "inode_rmdir",
    "rename": "inode_rename",
    "change attributes": "inode_setattr",
    "change extended attributes": "inode_setxattr",
    "connect": "socket_connect",
    "send to": "socket_sendmsg",
    "send": "socket_sendmsg",
    "connect to a local socket": "unix_stream_connect",
    "send to a local socket": "unix_may_send",
    "create a socket": "socket_create",
    "use bpf()": "bpf",
    "reach into another process": "ptrace_access_check",
    "signal": "task_kill",
    "change mounts": "sb_mount",
    "use a capability": "capable",
    "start a process or thread": "task_alloc",
    "bind an address": "socket_bind",
    "listen": "socket_listen",
    "accept a connection": "socket_accept",
    "open for reading": "file_open",
    "read": "file_permission",
    "use ioctl()": "file_ioctl",
    "use fcntl()": "file_fcntl",
    "lock a file": "file_lock",
    "receive a descriptor": "file_receive",
    "make an io_uring or userfaultfd": "inode_init_security_anon",
    "use System V IPC": "ipc_permission",
    "use a keyring": "key_permission",
    "make a user namespace": "userns_create",
    "change the root directory": "path_chroot",
    "open a performance event": "perf_event_open",
    "have the kernel load code": "kernel_module_request",
    "change quotas": "quotactl",
    "set the clock": "settime",
    "change another task's scheduling or limits": "task_setnice and its like",
    "set a socket option": "socket_setsockopt",
    "change the kernel's log": "syslog",
}
MARK = "/root/results/from"
number = 0


def call(method, **params):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect("/run/proofgate/control.sock")
    sock.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        got = sock.recv(1 << 20)
        if not got:
            break
        answer += got
    answer = json.loads(answer)
    if "result" not in answer:
        sys.exit(f"report: {method}: {answer}")
    return answer["result"]


def tap(good, what, why):
    global number
    number += 1
    print("ok" if good else "not ok", number, "-", what)
    if not good:
        for line in why:
            print("# WRONG " + line)


def denials():
    """DENY entries since the start."""
    at, found = int(open(MARK, encoding="ascii").read()), []
    while True:
        entries = call("ledger.entries", **{"from": at, "count": 4000})["entries"]
        if not entries:
            return found
        at += len(entries)
        found += [entry["body"] for entry in entries if entry["kind"] == "DENY"]


def faults(tries, gap):
    for t in tries:
        said = t["errno"] or "success"
        if t["effect"] < 0:
            yield f'{t["phase"]}: the place could not be made'
        elif t["phase"] == t["twin"]:
            if not t["effect"]:
                yield f'twin ({t["phase"]}): no effect, {said}'
            elif not t["ok"]:
                yield f'twin ({t["phase"]}): an effect, but {said}'
        elif gap:
            if not t["effect"]:
                yield f'{t["phase"]}: the gap is closed ({said}): take the mark off'
        elif t["effect"]:
            yield f'{t["phase"]}: HOLE: the effect happened, {said}'
        elif t["ok"]:
            yield f'{t["phase"]}: QUIET: success without effect'


def report(path):
    lines = [json.loads(line) for line in open(path, encoding="utf-8")]
    refused = denials()
    rows = {}
    for line in lines:
        if "row" in line:
            rows.setdefault(line["row"], []).append(line)
    for row, tries in rows.items():
        first = tries[0]
        cell = {}
        for t in tries:
            if t["phase"] == t["twin"]:
                continue
            # One attempt at a time: what was refused meanwhile was this.
            for body in refused:
                if not t["began"] <= int(body["act_boot_ns"]) <= t["ended"]:
                    continue
                codes = cell.setdefault(HOOKS.get(body["op"], body["op"]), [])
                if body["code"] not in codes:
                    codes.append(body["code"])
        what = "; ".join(f'{hook} {", ".join(codes)}' for hook, codes in cell.items()) or first["hook"] or "kernel"
        wrong = list(faults(tries, first["gap"]))
        tap(not wrong, f'{first["class"]} {first["name"]}', wrong + [what])
        under = ", ".join(t["phase"] for t in tries if t["phase"] != t["twin"])
        if wrong:
            continue  # the matrix tells what held
        print("\t".join(["#row", str(first["class"]), first["name"].replace("|", "/"), first["test"], under, first["twin"], what, first["gap"]]))
    late = [line for line in lines if "late" in line]
    tap(late and not any(line["count"] for line in late), "nothing arrived late", [str(late)])
    print(f"1..{number}")


call("flush")
if sys.argv[1] == "start":
    with open(MARK, "w", encoding="ascii") as mark:
        mark.write(str(call("ledger.entries", **{"from": 1 << 40, "count": 1})["size"]))
else:
    report(sys.argv[2])
