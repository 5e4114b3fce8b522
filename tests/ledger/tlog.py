"""An independent reader of transparency logs, written from c2sp.org/tlog-tiles,
tlog-checkpoint, signed-note, tlog-witness and RFC 6962 alone.

  tlog.py tiles DIR KEY.pem ORIGIN       every tile, bundle and signature; prints size and root
  tlog.py consistency OLD PROOF KEY.pem  a consistency proof from tlog-witness' add-checkpoint body
  tlog.py cosign REQUEST OLDSIZE OLDROOT LOGKEY.pem NAME TIME SEED  a witness: prints its cosignature
Ed25519 by openssl. Exits 1 with a sentence when something is wrong.
"""

import base64
import hashlib
import os
import subprocess
import sys
import tempfile


def sha(data):
    return hashlib.sha256(data).digest()


def wrong(what):
    raise SystemExit("wrong: " + what)


def mth(leaves):
    """RFC 6962 2.1 over leaf hashes, from the definition."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha(b"\x01" + mth(leaves[:split]) + mth(leaves[split:]))


def openssl(*arguments, **files):
    with tempfile.TemporaryDirectory() as work:
        paths = {}
        for name, data in files.items():
            paths[name] = os.path.join(work, name)
            with open(paths[name], "wb") as file:
                file.write(data)
        command = ["openssl"] + [paths.get(word[1:], word) if word.startswith("@") else word for word in arguments]
        return subprocess.run(command, capture_output=True, check=False)


def raw_key(pem):
    return openssl("pkey", "-pubin", "-in", pem, "-outform", "DER").stdout[-32:]


def key_id(name, kind, key):
    return sha(name.encode() + b"\n" + bytes([kind]) + key)[:4]


def note_parts(note):
    text, split, lines = note.rpartition(b"\n\n")
    if not split or not note.endswith(b"\n"):
        wrong("not a note")
    signatures = []
    for line in lines.decode().splitlines():
        dash, name, value = line.split(" ")
        if dash != "\u2014":
            wrong("signature line")
        signatures.append((name, base64.b64decode(value, validate=True)))
    return text + b"\n", signatures


def checkpoint(note, pem, origin):
    text, signatures = note_parts(note)
    lines = text.decode().split("\n")
    if lines[0] != origin or len(lines) != 4:
        wrong("checkpoint of another origin")
    mine = [s for name, s in signatures if name == origin and s[:4] == key_id(origin, 1, raw_key(pem))]
    if len(mine) != 1:
        wrong("one signature of the log expected")
    done = openssl("pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-in", "@text", "-sigfile", "@sig",
                   text=text, sig=mine[0][4:])
    if done.returncode != 0:
        wrong("signature")
    return int(lines[1]), base64.b64decode(lines[2], validate=True), text


def number_path(index):
    groups = []
    while True:
        groups.insert(0, "%03d" % (index % 1000))
        index //= 1000
        if index == 0:
            return "/".join(["x" + group for group in groups[:-1]] + groups[-1:])


def widths(count):
    for first in range(0, count, 256):
        yield first // 256, min(256, count - first)


def read(directory, kind, index, width):
    path = os.path.join(directory, "tile", kind, number_path(index))
    if width < 256:
        path += ".p/%d" % width
    with open(path, "rb") as file:
        return file.read()


def tiles(directory, pem, origin):
    with open(os.path.join(directory, "checkpoint"), "rb") as file:
        size, root, _ = checkpoint(file.read(), pem, origin)
    leaves = []
    for index, width in widths(size):
        bundle = read(directory, "entries", index, width)
        count = 0
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            if len(bundle) < 2 + length:
                wrong("entry bundle %d ends early" % index)
            leaves.append(sha(b"\x00" + bundle[2:2 + length]))
            bundle = bundle[2 + length:]
            count += 1
        if count != width:
            wrong("entry bundle %d has %d entries" % (index, count))
    if mth(leaves) != root:
        wrong("the entries have another root")
    files = set()
    level = 0
    row = leaves
    while row:
        for index, width in widths(len(row)):
            if read(directory, str(level), index, width) != b"".join(row[index * 256:index * 256 + width]):
                wrong("tile %d/%d" % (level, index))
        row = [mth(row[i * 256:(i + 1) * 256]) for i in range(len(row) // 256)]
        level += 1
    print(size, root.hex())


def consistent(old_size, old_root, size, root, proof):
    """RFC 6962 2.1.2 by its definition: rebuilds both roots from the proof."""
    if old_size == size:
        return not proof and old_root == root
    proof = list(proof)

    def sub(m, n, complete):  # returns (old root of this subtree, its root)
        if m == n:
            if complete:
                return old_root, old_root
            node = proof.pop()
            return node, node
        k = 1
        while k * 2 < n:
            k *= 2
        right_or_left = proof.pop()
        if m <= k:
            old, new = sub(m, k, complete)
            return old, sha(b"\x01" + new + right_or_left)
        old, new = sub(m - k, n - k, False)
        return sha(b"\x01" + right_or_left + old), sha(b"\x01" + right_or_left + new)

    try:
        old, new = sub(old_size, size, True)
    except IndexError:
        return False
    return not proof and old == old_root and new == root


def request_parts(body):
    head, split, note = body.partition(b"\n\n")
    lines = head.decode().split("\n")
    if not split or not lines[0].startswith("old "):
        wrong("not an add-checkpoint body")
    return int(lines[0][4:]), [base64.b64decode(line, validate=True) for line in lines[1:]], note


def check_consistency(old_file, proof_file, pem):
    with open(old_file, "rb") as file:
        old_note = file.read()
    with open(proof_file, "rb") as file:
        old, proof, note = request_parts(file.read())
    origin = note.split(b"\n")[0].decode()
    old_size, old_root, _ = checkpoint(old_note, pem, origin)
    size, root, _ = checkpoint(note, pem, origin)
    if old != old_size or not consistent(old_size, old_root, size, root, proof):
        wrong("not consistent")
    print(old_size, size)


def cosign(request_file, old_size, old_root, pem, name, time, secret_pem):
    with open(request_file, "rb") as file:
        old, proof, note = request_parts(file.read())
    origin = note.split(b"\n")[0].decode()
    size, root, text = checkpoint(note, pem, origin)
    if old != int(old_size):
        wrong("409: the latest size is " + old_size)
    if old != 0 and not consistent(old, bytes.fromhex(old_root), size, root, proof):
        wrong("422: not consistent")
    if old == 0 and proof:
        wrong("400: a proof from size 0")
    message = b"cosignature/v1\ntime " + time.encode() + b"\n" + text
    signature = openssl("pkeyutl", "-sign", "-inkey", secret_pem, "-rawin", "-in", "@message", message=message).stdout
    key = openssl("pkey", "-in", secret_pem, "-pubout", "-outform", "DER").stdout[-32:]
    blob = key_id(name, 4, key) + int(time).to_bytes(8, "big") + signature
    sys.stdout.buffer.write("\u2014 {} {}\n".format(name, base64.b64encode(blob).decode()).encode())


COMMANDS = {"tiles": tiles, "consistency": check_consistency, "cosign": cosign}
COMMANDS[sys.argv[1]](*sys.argv[2:])
