# socket of the simulated board: the built-in one, with the board's own network on this machine's
# loopback. SIM_SETUP_PORTS=8080,5353 says which ports stand in for 80 and 53; without it they are
# any that are free, so that nobody finds them.

import os
import sys

_path = sys.path[:]
sys.path[:] = []  # an empty path makes import find the built-in
from socket import *

_look_up = getaddrinfo
sys.path[:] = _path
del _path

from network import AP_ADDRESS

_ports = {}
if os.getenv("SIM_SETUP_PORTS"):
    _ports.update(zip((80, 53), (int(n) for n in os.getenv("SIM_SETUP_PORTS").split(","))))


def getaddrinfo(host, port, *rest):
    if host == AP_ADDRESS:
        return _look_up("127.0.0.1", _ports.get(port, 0), *rest)
    return _look_up(host, port, *rest)
