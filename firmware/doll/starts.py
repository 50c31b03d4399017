# The counter of starts that were not healthy yet, in NVS. The guard of slot zero and the app in a
# slot share it: "starts" in the namespace "doll".

from micropython import const

from . import log

TRIES = const(3)


# How many there were, this one included.
def count():
    try:
        return _nvs().get_i32("starts")
    except OSError:
        return 0


# Whether this start is one in safe mode.
def is_safe():
    return count() > TRIES


# The next start is the first again.
def clear():
    if count():
        write(0)


def write(n):
    try:
        nvs = _nvs()
        nvs.set_i32("starts", n)
        nvs.commit()
    except OSError as e:
        log.warn("guard cannot count: %s", e)


def _nvs():
    import esp32

    return esp32.NVS("doll")
