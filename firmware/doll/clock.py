# The clock, which a certificate is judged by. A board starts in the year 2000.

import time

from micropython import const

from . import log

_YEAR = const(2025)


# Sets it by NTP if it was never set. Blocks for a second at most; if it fails, the certificate is
# refused, which says so, and the next try comes here again.
def set_once():
    if time.gmtime()[0] >= _YEAR:
        return
    import ntptime

    try:
        ntptime.settime()
    except OSError as e:
        log.warn("clock not set: %s", e)
