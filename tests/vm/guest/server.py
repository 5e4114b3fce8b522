# A governed process that acts when it is told to, in itself: one line in, one
# line out, "OK" or the error's name.
import errno, os, socket, sys

def append(path):
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644))

def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)

def connect(port):
    with socket.socket() as s:
        s.connect(("127.0.0.1", int(port)))

def flood(path, count):
    done = 0
    try:
        for _ in range(int(count)):
            append(path)
            done += 1
    except PermissionError:
        pass
    return str(done)

def eat(mib):
    kept = [bytearray(1 << 20) for _ in range(int(mib))]
    return str(len(kept))

def opens(count):
    kept = []
    try:
        while len(kept) < int(count):
            kept.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for fd in kept:
            os.close(fd)

acts = {"append": append, "fork": fork, "connect": connect, "flood": flood, "eat": eat, "opens": opens}
print("ready", flush=True)
for line in sys.stdin:
    verb, *words = line.split()
    try:
        print(acts[verb](*words) or "OK", flush=True)
    except OSError as error:
        print(errno.errorcode[error.errno], flush=True)
