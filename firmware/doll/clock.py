# The clock, which a certificate is judged by. A board starts in the year 2000.

import socket
import time

import machine
from micropython import const

from . import log

_YEAR = const(2025)
_TIMEOUT_S = const(2)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


# Sets it if it was never set: by NTP, else by what the relay's host says on port 80, where a
# wss:// relay has its redirect. Blocks for some seconds at most. If both fail, the certificate is
# refused, which says so, and the next try comes here again.
#
# Neither source proves who it is. Whoever lies can make an expired certificate look valid, and
# needs that one's private key too.
def set_once(host):
    if time.gmtime()[0] >= _YEAR:
        return
    try:
        import ntptime

        ntptime.settime()
        return
    except OSError as e:
        log.warn("clock not set by NTP: %s", e)
    try:
        machine.RTC().datetime(parse(_ask(host, 80)))
        log.info("clock set by the relay's host")
    except (OSError, ValueError) as e:
        log.warn("clock not set: %s", e)


# The value of the Date field of an HTTP answer. OSError or ValueError if there is none.
def _ask(host, port):
    s = socket.socket()
    try:
        s.settimeout(_TIMEOUT_S)
        s.connect(socket.getaddrinfo(host, port)[0][-1])
        s.write(b"HEAD / HTTP/1.0\r\nHost: %s\r\n\r\n" % host.encode())
        for _ in range(32):
            line = s.readline()
            if not line or line == b"\r\n":
                break
            if line[:5].lower() == b"date:":
                return line[5:].strip()
    finally:
        s.close()
    raise ValueError("the relay's host does not tell the date")


# "Mon, 23 Nov 2026 16:33:00 GMT" (RFC 9110, 5.6.7) as machine.RTC().datetime() takes it.
def parse(text):
    words = text.decode().split()
    if len(words) != 6 or words[5] != "GMT" or words[2] not in _MONTHS:
        raise ValueError("no date")
    hour, minute, second = (int(part) for part in words[4].split(":"))
    year, day = int(words[3]), int(words[1])
    if not (_YEAR <= year < 2100 and 0 < day < 32 and hour < 24 and minute < 60 and second < 61):
        raise ValueError("no date")
    return year, _MONTHS.index(words[2]) + 1, day, 0, hour, minute, second, 0
