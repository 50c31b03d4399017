# The button: what the finger means. Sans-I/O but for the pin; the caller brings the time.

import time

from micropython import const

NONE = const(0)
PRESS = const(1)  # at once, so that a doll can listen from the first moment
TAP = const(2)  # let go before it was a hold
HOLD = const(3)  # still down after 300 ms
LONG = const(4)  # still down after 1 s
RELEASE = const(5)  # let go after a hold

NAMES = ("none", "press", "tap", "hold", "long", "release")

_HOLD_MS = const(300)
_LONG_MS = const(1000)
_BOUNCE_MS = const(30)  # a change counts at once, and then none for as long as contacts bounce


class Button:
    # pin() is 0 while the button is down.
    def __init__(self, pin, now):
        self._pin = pin
        self._down = False
        self._since = now  # the last change
        self._seen = NONE

    # Whether it was down when it was last looked at.
    def is_down(self):
        return self._down

    # Looks at the pin and returns what happened, one event per call. Call it every 20 ms or so.
    def poll(self, now):
        age = time.ticks_diff(now, self._since)
        down = not self._pin()
        if down != self._down and age >= _BOUNCE_MS:
            self._down = down
            self._since = now
            if down:
                self._seen = PRESS
                return PRESS
            return TAP if self._seen == PRESS else RELEASE
        if not self._down or not down:
            return NONE
        if self._seen == PRESS and age >= _HOLD_MS:
            self._seen = HOLD
            return HOLD
        if self._seen == HOLD and age >= _LONG_MS:
            self._seen = LONG
            return LONG
        return NONE
