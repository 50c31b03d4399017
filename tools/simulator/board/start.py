# Starts a firmware as a board does: boot.py, then main.py, from the folder given as argument.
#
# The exit code is 0 when the board was switched off or main.py came to its end, 1 when it failed
# (the traceback is on stderr), 3 after machine.reset(), 4 after a watchdog; an event says so too.

import os
import sys

import sim
import machine

_REASONS = {
    0: "off",
    machine.EXIT_RESET: "reset",
    machine.EXIT_WATCHDOG: "watchdog",
}


def _exists(name):
    try:
        os.stat(name)
    except OSError:
        return False
    return True


_code = 0
_reason = "end"
sim.tell("start", cause=machine.reset_cause())
try:
    for _file in ("boot.py", "main.py"):
        if _exists(sys.argv[1] + "/" + _file):
            execfile(sys.argv[1] + "/" + _file)
except SystemExit as e:
    _code = e.args[0] if e.args and isinstance(e.args[0], int) else 0
    _reason = _REASONS.get(_code, "exit")
except BaseException as e:
    sys.print_exception(e, sys.stderr)
    _code = 1
    _reason = "crash"
sim.tell("exit", reason=_reason, code=_code)
sys.exit(_code)
