# The supervisor: feeds the watchdog as long as every task has been seen alive, and says when this
# start has proved healthy. Sans-I/O but for the watchdog; the caller brings the time.

import time

from micropython import const

from . import log

HEAR = const(0)
SPEAK = const(1)
LINK = const(2)
NAMES = ("hear", "speak", "link")

_HEALTHY_MS = const(60_000)
_WDT_AFTER_MS = const(30_000)  # until then mpremote gets in without a watchdog behind it
_WDT_MS = const(60_000)  # a look-up of a name can block for half of that
_LOOSE_MS = const(600_000)

# How long a task may not be seen. That of the link waits up to 30 s between its tries, and 20 s
# for each network of the settings.
_PATIENCE_MS = (10_000, 10_000, 400_000)

_wdt = None


class Supervisor:
    # watchdog is whether there shall be one; a version on_trial is healthy only with a relay.
    def __init__(self, watchdog, on_trial, now):
        self.seen = bytearray(3)  # each task sets its byte whenever it comes by
        self._watchdog = watchdog
        self._on_trial = on_trial
        self._began = now
        self._at = [now, now, now]
        self._late = -1  # the task that was not seen
        self.is_healthy = False

    # Looks at the tasks. Returns True once, when this start has proved healthy. Call it every
    # second or so.
    def tick(self, now, linked):
        late = -1
        for i in range(3):
            if self.seen[i]:
                self.seen[i] = 0
                self._at[i] = now
            elif time.ticks_diff(now, self._at[i]) > _PATIENCE_MS[i]:
                late = i
        if late != self._late:
            self._late = late
            if late >= 0:
                log.error("watchdog: the task %s does not run", NAMES[late])
        age = time.ticks_diff(now, self._began)
        if self._watchdog and late < 0 and (_wdt or age >= _WDT_AFTER_MS):
            _feed()
        if self.is_healthy or late >= 0 or age < _HEALTHY_MS or (self._on_trial and not linked):
            return False
        self.is_healthy = True
        return True


def _feed():
    global _wdt
    if _wdt is None:
        from machine import WDT

        _wdt = WDT(timeout=_WDT_MS)
        log.info("watchdog ms=%d", _WDT_MS)
    _wdt.feed()


# Somebody at the cable has stopped the doll. A watchdog cannot be stopped, only given more time.
def loosen():
    if _wdt:
        from machine import WDT

        try:
            WDT(timeout=_LOOSE_MS)
        except (OSError, ValueError):
            pass
