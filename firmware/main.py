# Starts the doll, from the slot that the guard names. No update over the air changes this file,
# boot.py or slot zero, so whatever an update does, this much works. Ctrl-C leaves the REPL.

import sys
import time

import machine


# Counts this start; returns the folder to start from, "" for slot zero, None for safe mode, which
# starts from slot zero too.
def _choose():
    from doll import guard

    folder = guard.enter()
    for name in [n for n in sys.modules if n == "doll" or n.startswith("doll.")]:
        del sys.modules[name]  # the app brings its own, and the memory is wanted
    return folder


_folder = _choose()
if _folder:
    sys.path.insert(0, _folder)
try:
    from doll import start

    start.run()
except Exception as e:
    print("[doll] E crash", repr(e).replace("\n", " "))
    sys.print_exception(e)
    time.sleep(3 if _folder is not None else 60)  # in safe mode time for a cable to get in
    machine.reset()
except KeyboardInterrupt:
    from doll import starts

    starts.clear()  # somebody is at the cable: these starts do not count
    raise
