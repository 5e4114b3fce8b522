"""hooks_test.py TABLE SOURCE [BTF]: every hook is classified, once and truly.

SOURCE is pep.bpf.c: each of its LSM programs is "enforced" or "guard" in TABLE,
and nothing else is. BTF is the running kernel's: each of its bpf_lsm_ functions
is in TABLE.
"""

import re
import struct
import sys


def table(path):
    rows = {}
    for line in open(path, encoding="ascii"):
        if line.startswith("#"):
            continue
        hook, how, why = line.rstrip("\n").split("\t")
        assert hook not in rows, f"{hook}: twice in the table"
        assert how in ("enforced", "guard", "irrelevant"), f"{hook}: {how}?"
        assert why, f"{hook}: no reason"
        rows[hook] = how
    return rows


def btf_functions(path):
    """Names of the functions in BTF (Documentation/bpf/btf.rst)."""
    data = open(path, "rb").read()
    magic, _, _, header, type_at, type_bytes, name_at, _ = struct.unpack_from("<HBBIIIII", data)
    assert magic == 0xEB9F
    names = header + name_at
    tail = {1: 4, 3: 12, 14: 4, 17: 4}  # int, array, var, decl_tag
    each = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}  # struct … enum64, by vlen
    at, end = header + type_at, header + type_at + type_bytes
    while at < end:
        name, info, _ = struct.unpack_from("<III", data, at)
        kind, vlen = info >> 24 & 0x1F, info & 0xFFFF
        at += 12 + tail.get(kind, 0) + each.get(kind, 0) * vlen
        if kind == 12:  # func
            start = names + name
            yield data[start:data.index(b"\0", start)].decode()


def main():
    rows = table(sys.argv[1])
    programs = set(re.findall(r'SEC\("\??lsm(?:\.s)?/([a-z_0-9]+)"\)', open(sys.argv[2]).read()))
    acting = {hook for hook, how in rows.items() if how != "irrelevant"}
    wrong = [f"{hook}: has a program, but the table says irrelevant or nothing" for hook in programs - acting]
    wrong += [f"{hook}: has no program, but the table says {rows[hook]}" for hook in acting - programs]
    if len(sys.argv) > 3:
        hooks = {name[8:] for name in btf_functions(sys.argv[3]) if name.startswith("bpf_lsm_")}
        assert len(hooks) > 200, f"{len(hooks)} hooks in BTF"
        wrong += [f"{hook}: a hook of this kernel that is not in the table" for hook in hooks - rows.keys()]
    print("\n".join(sorted(wrong)) or f"{len(rows)} hooks, {len(programs)} programs")
    sys.exit(1 if wrong else 0)


main()
