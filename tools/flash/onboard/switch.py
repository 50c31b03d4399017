# mypy: ignore-errors
# Runs on the board: puts the files of incoming/ in their places and removes those that are no
# longer wanted. Each file changes at one stroke, by a rename; what a power cut in between leaves
# is seen and completed by the next installation, which compares all files again.

import hashlib
import json
import os

_IN = "incoming/"
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


def _folders(path):
    at = path.find("/")
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError as e:
            if e.errno != 17:  # EEXIST
                raise
        at = path.find("/", at + 1)


def _exists(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def _clear(folder):
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            _clear(path)
        else:
            os.remove(path)
    os.rmdir(folder)


os.chdir("/")
with open(_IN + "installed.json") as _f:
    _list = json.load(_f)
# First look, then touch: a file that the cable has damaged must not get as far as its place.
for _path in _list["move"]:
    if _sha256(_IN + _path) != _list["files"][_path]:
        raise ValueError("damaged on its way: " + _path)
for _path in _list["move"]:
    _folders(_path)
    os.rename(_IN + _path, _path)
for _path in _list["remove"]:
    if _exists(_path):
        os.remove(_path)
if _list["settings"]:
    os.rename(_IN + "settings.json", "settings.json")
os.rename(_IN + "installed.json", "installed.json")
_clear("incoming")
try:
    import esp32

    # The guard's count of failed starts was that of other files.
    _nvs = esp32.NVS("doll")
    _nvs.erase_key("starts")
    _nvs.commit()
except (ImportError, OSError):  # there is none
    pass
if hasattr(os, "sync"):
    os.sync()
print("switched", len(_list["move"]))
