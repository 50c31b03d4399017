# How long each viper routine takes, and the same source as bytecode. The argument is a JSON file,
# a list of {"file", "module", "function", "arguments"}, where an argument is a number or
# {"type": typecode, "hex": contents}. Prints what a call takes, a list in the same order.

import gc
import json
import sys
import time
from array import array

import uctypes

_BATCHES = 5
_BATCH_US = 20_000


# What viper's casts are in bytecode: ways to look at the same memory.
def _as(kind, size):
    def cast(buf):
        layout = {"a": (uctypes.ARRAY | 0, kind | (len(buf) // size))}
        return uctypes.struct(uctypes.addressof(buf), layout).a

    return cast


# The module of a file without its viper decorators.
def _plain(file, module):
    with open(file) as f:
        source = f.read()
    scope = {"__name__": module, "ptr8": lambda buf: buf}
    scope["ptr16"] = _as(uctypes.UINT16, 2)
    scope["ptr32"] = _as(uctypes.UINT32, 4)
    exec(source.replace("@micropython.viper\n", ""), scope)
    return scope


def _arguments(given):
    made = []
    for value in given:
        if isinstance(value, dict):
            data = bytes.fromhex(value["hex"])
            value = bytearray(data) if value["type"] == "B" else array(value["type"], data)
        made.append(value)
    return made


# Microseconds for a call: the best of a few batches, which is the one that nothing else disturbed.
def _time(function, arguments):
    best = None
    calls = 1
    while True:
        start = time.ticks_us()
        for _ in range(calls):
            function(*arguments)
        us = time.ticks_diff(time.ticks_us(), start)
        if us >= _BATCH_US:
            break
        calls *= 2
    for _ in range(_BATCHES):
        gc.collect()
        start = time.ticks_us()
        for _ in range(calls):
            function(*arguments)
        us = time.ticks_diff(time.ticks_us(), start) / calls
        best = us if best is None or us < best else best
    return best


def _measure(routine):
    module = __import__(routine["module"], None, None, (routine["function"],))
    native = getattr(module, routine["function"])
    plain = _plain(routine["file"], routine["module"])[routine["function"]]
    one = _arguments(routine["arguments"])
    other = _arguments(routine["arguments"])
    same = native(*one) == plain(*other) and one == other
    return {"viper_us": _time(native, one), "bytecode_us": _time(plain, other), "same": same}


with open(sys.argv[1]) as f:
    routines = json.load(f)
print(json.dumps([_measure(routine) for routine in routines]))
