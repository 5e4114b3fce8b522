# load.py PATH PROCESSES: each process tries to append one byte to PATH every
# quarter of a second until /tmp/enough is there; prints how many succeeded.
import os, sys, time

path, processes = sys.argv[1], int(sys.argv[2])
ends = []
for _ in range(processes):
    read, write = os.pipe()
    if os.fork() == 0:
        done = 0
        while not os.path.exists("/tmp/enough"):
            try:
                fd = os.open(path, os.O_WRONLY | os.O_APPEND)
                os.write(fd, b"x")
                os.close(fd)
                done += 1
            except PermissionError:
                pass
            time.sleep(0.25)
        os.write(write, b"%d" % done)
        os._exit(0)
    os.close(write)
    ends.append(read)
print(sum(int(os.read(read, 16)) for read in ends))
