# snap.py DIR: one line for each directory in DIR: its name, and a digest of
# everything below it that an act could change.
import hashlib, os, sys

def describe(path):
    info = os.lstat(path)
    yield repr((path, info.st_ino, info.st_nlink, info.st_size, info.st_mode, info.st_uid, info.st_gid,
                info.st_mtime_ns, info.st_ctime_ns)).encode()
    if os.path.islink(path):
        yield os.readlink(path).encode()
    elif os.path.isfile(path):
        yield open(path, "rb").read()
    if not os.path.islink(path):
        for name in sorted(os.listxattr(path)):
            yield name.encode() + os.getxattr(path, name)
    if os.path.isdir(path) and not os.path.islink(path):
        for name in sorted(os.listdir(path)):
            yield from describe(os.path.join(path, name))

for entry in sorted(os.listdir(sys.argv[1])):
    path = os.path.join(sys.argv[1], entry)
    digest = hashlib.sha256(b"\0".join(describe(path))).hexdigest()
    print(entry, digest)
