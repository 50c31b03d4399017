# mypy: ignore-errors
# Runs on the board: tells in one JSON object what it is and what is on it. It changes nothing.

import hashlib
import json
import os
import sys

import machine

_OURS = ("doll", "boards", "incoming")
_buffer = bytearray(512)


def _sha256(path):
    h = hashlib.sha256()
    view = memoryview(_buffer)
    with open(path, "rb") as f:
        while True:
            n = f.readinto(_buffer)
            if not n:
                return h.digest().hex()
            h.update(view[:n])


def _walk(folder, files):
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            _walk(path, files)
        else:
            files[path] = _sha256(path)


def _text(name):
    try:
        if os.stat(name)[6] > 16384:
            return None
        with open(name) as f:
            return f.read()
    except (OSError, ValueError):
        return None


os.chdir("/")
_files = {}
for _name in os.listdir():
    if _name in _OURS:
        _walk(_name, _files)
    elif _name in ("boot.py", "main.py", "slot"):
        _files[_name] = _sha256(_name)
_about = os.uname()
_disk = os.statvfs("/")
json.dump(
    {
        "release": _about.release,
        "machine": _about.machine,
        "id": ":".join("%02x" % b for b in machine.unique_id()[:6]),
        "mpy": getattr(sys.implementation, "_mpy", 0),
        "free": _disk[0] * _disk[3],
        "block": _disk[0],
        "files": _files,
        "installed": _text("installed.json"),
        "settings": _text("settings.json"),
        "settings_good": _text("settings.good.json"),
    },
    sys.stdout,
)
print()
