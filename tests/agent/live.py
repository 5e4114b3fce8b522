"""A live daemon for a test, and a plan for it."""

import json
import subprocess
import tempfile


class Daemon:
    """live_daemon in a directory of its own, which `with` gives."""

    def __init__(self, program):
        self.program = program

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([self.program, self.directory.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit("the daemon did not come up")
        return self.directory.name

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        status = self.process.wait(30)
        self.directory.cleanup()
        if status != 0 and kind is None:
            raise SystemExit("the daemon ended with %d" % status)


def plans(*paths):
    """One plan: a write to each path, in order."""
    return json.dumps({"format": 1, "plans": [{"steps": [
        {"any": [{"kind": "write", "object": {"file": path}, "uses": 1}]} for path in paths]}]})
