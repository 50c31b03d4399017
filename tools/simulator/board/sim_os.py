# The os module of a simulated board that is asked who it is: the built-in one, with the uname() of
# an ESP32. SIM_MACHINE and SIM_RELEASE say what it answers.

import os as _os
from os import *

from collections import namedtuple

_uname = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))


def uname():
    release = _os.getenv("SIM_RELEASE") or "1.29.0"
    return _uname(
        "esp32",
        "esp32",
        release,
        "v%s on 2026-08-29" % release,
        _os.getenv("SIM_MACHINE") or "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3",
    )
