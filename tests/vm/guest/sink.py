# Listens everywhere the connect tests aim at and appends one line for each
# connection or datagram to /srv/sink/log.
import os, resource, selectors, socket

resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
log = open("/srv/sink/log", "a", buffering=1)
peers = []
selector = selectors.DefaultSelector()

def listen(name, family, kind, address):
    s = socket.socket(family, kind)
    if family != socket.AF_UNIX:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_STREAM and family != socket.AF_UNIX:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
    if family == socket.AF_UNIX and address[0] != "\0" and os.path.exists(address):
        os.unlink(address)
    s.bind(address)
    if kind == socket.SOCK_STREAM:
        s.listen(1024)
    selector.register(s, selectors.EVENT_READ, name)

for port in (7001, 7002):
    listen(f"tcp4-{port}", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port))
    listen(f"tcp6-{port}", socket.AF_INET6, socket.SOCK_STREAM, ("::1", port))
    listen(f"udp4-{port}", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port))
    listen(f"udp6-{port}", socket.AF_INET6, socket.SOCK_DGRAM, ("::1", port))
listen("unix", socket.AF_UNIX, socket.SOCK_STREAM, "/srv/sink/stream")
listen("unix-other", socket.AF_UNIX, socket.SOCK_STREAM, "/srv/sink/other")
listen("unix-dgram", socket.AF_UNIX, socket.SOCK_DGRAM, "/srv/sink/dgram")
listen("abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\0sink")
open("/srv/sink/ready", "w").close()
while True:
    for key, _ in selector.select():
        if key.fileobj.type == socket.SOCK_STREAM:
            peers.append(key.fileobj.accept()[0])  # kept: a closed one would be an error there
        else:
            key.fileobj.recv(4096)
        log.write(key.data + "\n")
