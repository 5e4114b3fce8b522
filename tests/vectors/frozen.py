#!/usr/bin/env python3
"""Holds the frozen corpus: frozen.py VECTORS

Every id that this build decides by has a corpus; each decision of each corpus is
made again to the byte, in whatever order, locale and time zone; a changed byte is
found; and no commit has changed a corpus after the one that added it."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RULE = "a decision that changed needs another semantics_id and a corpus of its own: docs/format/replay.md"


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def expect(holds, what):
    if not holds:
        sys.exit(what)


def main():
    program = sys.argv[1]
    ids = run(program, "ids", check=True).stdout.split()
    files = sorted(name for name in os.listdir(HERE) if name.endswith(".jsonl") and not name.startswith("ledger-"))
    paths = [os.path.join(HERE, name) for name in files]
    for semantics in ids:
        expect(semantics + ".jsonl" in files, "%s has no corpus: tests/vectors/record.py VECTORS %s" % (semantics, semantics))

    done = run(program, "check", *paths)
    expect(done.returncode == 0, "%s\n%s" % (done.stderr, RULE))
    expect(len(done.stdout.splitlines()) == len(files), done.stdout)
    print(done.stdout, end="")
    for seed in ("1",):
        done = run(program, "shuffle", seed, *paths)
        expect(done.returncode == 0, "in another order (%s):\n%s" % (seed, done.stderr))

    # A locale whose decimal point is a comma and whose small I has no dot, and the
    # farthest time zone.
    with tempfile.TemporaryDirectory() as work:
        run("localedef", "-i", "tr_TR", "-f", "UTF-8", os.path.join(work, "tr_TR.UTF-8"), check=True)
        there = {**os.environ, "LOCPATH": work, "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"}
        point = run(program, "locale", env=there, check=True).stdout
        expect(point == ",\n", "the locale is not in effect: %r" % point)
        done = run(program, "shuffle", "2", *paths, env=there)
        expect(done.returncode == 0, "in another locale:\n%s" % done.stderr)

        # One byte of one answer.
        for name in files:
            with open(os.path.join(HERE, name)) as file:
                lines = file.read().splitlines()
            middle = len(lines) // 2
            at = lines[middle].rindex('"output":') + 12
            spoilt = "x" if lines[middle][at] != "x" else "y"
            lines[middle] = lines[middle][:at] + spoilt + lines[middle][at + 1:]
            copy = os.path.join(work, name)
            with open(copy, "w") as file:
                file.write("\n".join(lines) + "\n")
            done = run(program, "check", copy)
            expect(done.returncode == 1 and "%s:%d: " % (name, middle + 1) in done.stderr, "%s: a changed byte went unseen" % name)
        copy = os.path.join(work, "gate-0.jsonl")
        os.rename(os.path.join(work, "gate-1.jsonl"), copy)
        done = run(program, "check", copy)
        expect(done.returncode == 1 and "no code here decides by it" in done.stderr, "an id without code went unseen")

    if run("git", "-C", HERE, "rev-parse", "--is-inside-work-tree").stdout.strip() != "true":
        print("no history here: that no corpus was changed is not shown")
        return
    changed = run("git", "-C", HERE, "log", "--diff-filter=MDTR", "--no-renames", "--format=%h %s", "--", "*.jsonl", check=True).stdout
    expect(not changed, "a frozen corpus was changed:\n%s%s" % (changed, RULE))


if __name__ == "__main__":
    main()
