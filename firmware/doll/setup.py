# The first setup: when the doll opens a network of its own instead of joining one, and what that
# network is called. access_point.py does it.
#
# Name and password belong to the doll and not to its settings: they survive a factory reset, so
# that they can be written on the doll.

import os

import esp32
import machine
from micropython import const

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 of which none is taken for another
_LENGTH = const(10)  # 50 bits: WPA2 can be tried at home, at leisure


# Whether to open it now: nobody has told the doll of any Wi-Fi, or somebody has asked for it.
def wanted(conf):
    return _was_asked() or not conf.wifi


# The next start opens it.
def ask():
    nvs = esp32.NVS("doll")
    nvs.set_i32("setup", 1)
    nvs.commit()


def _was_asked():
    nvs = esp32.NVS("doll")
    try:
        nvs.get_i32("setup")
    except OSError:
        return False
    nvs.erase_key("setup")
    nvs.commit()
    return True


# Opens it until it is done. The doll must start anew then.
def run(conf):
    import asyncio

    from .access_point import AccessPoint

    asyncio.run(AccessPoint(conf).run())


# The name of the doll's own network.
def ssid():
    return "doll-" + bytes(machine.unique_id()[-2:]).hex()


# Its password, made once.
def password():
    nvs = esp32.NVS("doll")
    key = bytearray(_LENGTH)
    try:
        if nvs.get_blob("setup_key", key) == _LENGTH:
            return key.decode()
    except OSError:
        pass
    import network

    # The chip's random numbers are random only while its radio is on.
    network.WLAN(network.WLAN.IF_STA).active(True)
    key = "".join(_LETTERS[b & 31] for b in os.urandom(_LENGTH))
    nvs.set_blob("setup_key", key.encode())
    nvs.commit()
    return key
