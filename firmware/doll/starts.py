# What a start tells the next ones, in NVS, namespace "doll". "starts", how many were not healthy
# yet, is shared by the guard of slot zero and the app in a slot; "fetch", "rooms" and "why" belong
# to the app alone.

import machine
from micropython import const

from . import log

TRIES = const(3)
_FETCHES = const(3)
_ROOM = const(1)


# How many there were, this one included.
def count():
    return _get("starts")


# Whether this start is one in safe mode.
def is_safe():
    return count() > TRIES


# The next start is the first again.
def clear():
    if count():
        write(0)


def write(n):
    _set("starts", n)


# The next start shall only fetch an update, with all of the memory for that. False if that was
# tried three times since the doll was plugged in.
def ask_to_fetch():
    n = 1 - _fetches()
    if n > _FETCHES:
        return False
    _set("fetch", n)
    return True


# Whether this start is one that shall. It says so once.
def shall_fetch():
    n = _fetches()
    if n <= 0:
        return False
    _set("fetch", -n)  # it was tried so often
    return True


# An update may be fetched again as often as in the beginning.
def forget_fetches():
    if _fetches():
        _set("fetch", 0)


# How often the doll has started anew for want of memory since it was plugged in.
def rooms():
    return _get("rooms")


# The next start makes room, and can say so.
def ask_for_room():
    _set("rooms", rooms() + 1)
    _set("why", _ROOM)


# Why this start came: "power", it was plugged in; "memory"; or nothing that is known. Said once.
def why():
    asked = _get("why")
    if asked:
        _set("why", 0)
    if machine.reset_cause() == machine.PWRON_RESET:
        return "power"
    return "memory" if asked == _ROOM else ""


# The doll was plugged in: the waits for room begin anew.
def forget_rooms():
    if rooms():
        _set("rooms", 0)


def _fetches():
    return _get("fetch")


def _get(key):
    try:
        return _nvs().get_i32(key)
    except OSError:
        return 0


def _set(key, n):
    try:
        nvs = _nvs()
        nvs.set_i32(key, n)
        nvs.commit()
    except OSError as e:
        log.warn("guard cannot count: %s", e)


def _nvs():
    import esp32

    return esp32.NVS("doll")
