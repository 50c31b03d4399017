# socket of the simulated board: the built-in one. SIM_SETUP_PORTS=8080,5353 moves the board's ports
# 80 and 53, which on this machine are not everybody's to open.

import os
import sys

_path = sys.path[:]
sys.path[:] = []  # an empty path makes import find the built-in
from socket import *

_look_up = getaddrinfo
sys.path[:] = _path
del _path

_moved = os.getenv("SIM_SETUP_PORTS") or ""
_ports = dict(zip((80, 53), (int(n) for n in _moved.split(",")))) if _moved else {}


def getaddrinfo(host, port, *rest):
    return _look_up(host, _ports.get(port, port), *rest)
