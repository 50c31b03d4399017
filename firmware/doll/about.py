# What this firmware is: what the relay must know to offer it an update.

import os
import sys

from . import __version__, slots

# sys.implementation._mpy >> 10: MicroPython's reference, "MicroPython .mpy files".
_ARCHITECTURES = (
    "",
    "x86",
    "x64",
    "armv6",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
    "rv64imc",
)


# "6.3" and "xtensawin": the .mpy files that this board can load. Empty texts if none.
def abi():
    n = getattr(sys.implementation, "_mpy", 0)
    if not n:
        return "", ""
    arch = n >> 10 & 0x0F
    name = _ARCHITECTURES[arch] if arch < len(_ARCHITECTURES) else ""
    return "%d.%d" % (n & 0xFF, n >> 8 & 3), name


# A text that no session had before: what is signed with it is good for this one only.
def new_nonce():
    return os.urandom(16).hex()


# For the hello. why is what starts.why() said, once.
def about(board, nonce, safe, why=""):
    mpy, arch = abi()
    pointer = slots.read()
    return {
        "version": __version__,
        "board": board,
        "mpy": mpy,
        "arch": arch,
        "trial": pointer["trial"],
        "failed": pointer["failed"],
        "safe": safe,
        "nonce": nonce,
        "restart": why,
    }
