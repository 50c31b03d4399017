# The boot guard: counts the starts that came to nothing. A new version that fails three times is
# taken back; a doll that fails three times starts in safe mode, from what the cable put there.
#
# main.py uses the guard of slot zero, which no update changes; the app that it starts uses its
# own. Between the two there are only the file of slots.py and the counter in NVS.
#
# Wherever both are changed the counter is set first: a power cut in between gives a version more
# tries than it needs, and never fewer.

import machine
from micropython import const

from . import log, slots, starts

_TRIAL_MS = const(120_000)  # a new version must have reached the relay by then
_MOST = const(100)


# For main.py, before all else: counts this start, and returns the folder to start from, "" for
# slot zero, or None for safe mode.
def enter():
    n = min(starts.count() + 1, _MOST)
    starts.write(n)
    pointer = slots.read()
    if pointer["trial"] and n > starts.TRIES:
        log.warn("update taken back version=%s", log.clean(pointer["version"]))
        n = 1
        starts.write(n)
        pointer["slot"] = pointer["before"]
        pointer["failed"] = pointer["version"]
        pointer["version"] = ""
        pointer["trial"] = False
        _write(pointer)
    if n > starts.TRIES:
        log.error("safe starts=%d: hold the button for a second to try again", n)
        return None
    if pointer["trial"]:
        log.info("update trial=%d version=%s", n, log.clean(pointer["version"]))
        # Not left to the new version, which may hang where it should be watching the time.
        machine.Timer(0, mode=machine.Timer.ONE_SHOT, period=_TRIAL_MS, callback=_late)
    return pointer["slot"]


# This start is a good one: it counts no more, a version that was on trial stays, and the one
# before it goes. The relay is told if it was on trial.
def prove(relay):
    starts.clear()
    pointer = slots.read()
    log.info("healthy")
    if pointer["trial"]:
        pointer["trial"] = False
        pointer["failed"] = ""
        _write(pointer)
        relay.send({"type": "update", "state": "healthy"})
    try:
        slots.tidy()
    except OSError as e:
        log.warn("slots cannot be removed: %s", e)


def _late(timer):
    if slots.read()["trial"]:
        log.warn("update late: the new version has not reached the relay")
        machine.reset()


def _write(pointer):
    try:
        slots.write(pointer)
    except OSError as e:  # the flash is full or broken: the next start comes here again
        log.warn("guard cannot write: %s", e)
