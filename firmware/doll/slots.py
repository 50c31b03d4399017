# Where the app lives. Slot zero is doll/ and boards/, put there by cable; an update over the air
# goes into app-a/ or app-b/, which hold the same two folders. The file "slot" says which starts:
#
#     {"slot": "app-a", "version": "0.2.0", "before": "", "trial": true, "failed": ""}
#
# slot and before are "app-a", "app-b", or "" for slot zero. The guard of slot zero reads what an
# app of any later version has written, so the meaning of this file must never change.

import json
import os
import sys

from micropython import const

FILE = "slot"
NAMES = ("app-a", "app-b")
_LIMIT = const(512)  # bytes
_DIR = const(0x4000)


# The pointer; without one, or with a damaged one, that of slot zero.
def read():
    pointer = {"slot": "", "version": "", "before": "", "trial": False, "failed": ""}
    try:
        if os.stat(FILE)[6] > _LIMIT:
            return pointer
        with open(FILE) as f:
            found = json.load(f)
    except (OSError, ValueError):
        return pointer
    if not isinstance(found, dict) or not _is_there(found.get("slot")):
        return pointer
    for key in pointer:
        if isinstance(found.get(key), type(pointer[key])):
            pointer[key] = found[key]
    if not _is_there(pointer["before"]):
        pointer["before"] = ""
    return pointer


# Writes beside, then renames: a power cut leaves the old pointer or the new one. Raises OSError.
def write(pointer):
    with open(FILE + ".new", "w") as f:
        json.dump(pointer, f)
    os.rename(FILE + ".new", FILE)


# The slot that an update may overwrite: neither the one that starts, nor one to go back to.
def spare():
    pointer = read()
    for name in NAMES:
        if name != pointer["slot"] and not (pointer["trial"] and name == pointer["before"]):
            return name
    return None


# Removes the slots that nothing leads to any more. Raises OSError.
def tidy():
    pointer = read()
    for name in NAMES:
        if name != pointer["slot"] and not (pointer["trial"] and name == pointer["before"]):
            remove(name)


# Forgets modules of this package that were loaded for a moment only: a board has no room to keep
# them. Who uses them again loads them again.
def unload(*names):
    package = __name__.rsplit(".", 1)[0]
    for name in names:
        if sys.modules.pop(package + "." + name, None):
            delattr(sys.modules[package], name)


# Removes a folder and all that is in it, if it is there. Raises OSError.
def remove(folder):
    if not is_folder(folder):
        return
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        if entry[1] & _DIR:
            remove(path)
        else:
            os.remove(path)
    os.rmdir(folder)


def is_folder(path):
    try:
        return bool(os.stat(path)[0] & _DIR)
    except OSError:
        return False


def _is_there(slot):
    return slot == "" or (slot in NAMES and is_folder(slot + "/doll"))
