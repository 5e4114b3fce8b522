"""Runs one act in Python and prints what it printed, or the name of its errno."""
import errno
import os
import signal
import socket
import sys

try:
    exec(sys.argv[1])
except OSError as error:
    print(errno.errorcode[error.errno])
