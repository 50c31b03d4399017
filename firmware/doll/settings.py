# settings.json: read, checked, and kept. A file that is no JSON, or a value that cannot be, never
# stops the doll: the last good value is used in its place, or the default.

import json
import os

from . import log

FILE = "settings.json"
_GOOD = "settings.good.json"  # a copy of what was last read without a fault
_LIMIT = 8192  # bytes

TALK = ("hold", "tap", "free")
LANGUAGES = ("", "ko", "en")  # empty: the relay decides
_UPDATE = ("newer", "any", "off")
_LOG = ("info", "debug")


def _is_text(value, most=256):
    return isinstance(value, str) and len(value) <= most and not _has_control(value)


def _has_control(text):
    return any(ord(c) < 32 or ord(c) == 127 for c in text)


def _is_int(low, high):
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high


# Whether a Wi-Fi network can have that name: 1 to 32 bytes.
def is_ssid(value):
    return _is_text(value, 32) and 0 < len(value.encode()) <= 32


# Whether a WPA2 network can have that password, or an open one none: 8 to 63 bytes, or the 64
# digits of the key itself.
def is_wifi_password(value):
    if not _is_text(value, 64):
        return False
    n = len(value.encode())
    return not n or 8 <= n <= 63 or (n == 64 and all(c in "0123456789abcdefABCDEF" for c in value))


def _is_wifi(value):
    if not isinstance(value, list) or len(value) > 16:
        return False
    for place in value:
        if not isinstance(place, dict) or not is_ssid(place.get("ssid")):
            return False
        if not _is_text(place.get("password", ""), 64):
            return False
    return True


def _is_name(value):
    return _is_text(value, 32) and all(c.islower() or c.isdigit() or c == "_" for c in value)


# Key: default, check, and what is allowed, in words.
_KEYS = {
    "board": ("esp32s3", lambda v: _is_name(v) and v, "the name of a file in boards/"),
    "wifi": ([], _is_wifi, 'a list of {"ssid": "...", "password": "..."}'),
    "relay": (
        "ws://192.168.1.2:8000/xiaozhi/v1/",
        lambda v: _is_text(v) and v.startswith(("ws://", "wss://")),
        "an address that starts with ws:// or wss://",
    ),
    "token": ("", lambda v: _is_text(v, 512), "a text without line breaks"),
    "device_id": ("", lambda v: _is_text(v, 64), "a text of at most 64 characters"),
    "client_id": ("", lambda v: _is_text(v, 64), "a text of at most 64 characters"),
    "talk": ("hold", lambda v: v in TALK, '"hold", "tap" or "free"'),
    "volume": (70, _is_int(0, 100), "a whole number from 0 to 100"),
    "mic_gain": (3, _is_int(0, 8), "a whole number from 0 to 8"),
    "buffer_ms": (128, _is_int(32, 1000), "a whole number from 32 to 1000"),
    "light": (32, _is_int(4, 255), "a whole number from 4 to 255"),
    "ca": ("public", _is_text, 'the name of a DER file, or "public"'),
    "insecure": (False, lambda v: isinstance(v, bool), "true or false"),
    "sounds": (True, lambda v: isinstance(v, bool), "true or false"),
    "watchdog": (True, lambda v: isinstance(v, bool), "true or false"),
    "update": ("newer", lambda v: v in _UPDATE, '"newer", "any" or "off"'),
    "language": ("", lambda v: v in LANGUAGES, '"ko", "en" or empty'),
    "log": ("info", lambda v: v in _LOG, '"info" or "debug"'),
}


# Whether a setting can have that value.
def is_good(key, value):
    return bool(_KEYS[key][1](value))


# The value that a setting has if nobody says another.
def default(key):
    return _KEYS[key][0]


# Each key of _KEYS is an attribute.
class Settings:
    def __init__(self, values, writable):
        self._values = values  # as in the file: keys that we do not know are kept
        self._writable = writable
        for key in _KEYS:
            setattr(self, key, values[key] if key in values else _KEYS[key][0])

    # Changes one setting, here and in the file. False if it could not be written.
    def change(self, key, value):
        if not _KEYS[key][1](value):
            raise ValueError(key)
        setattr(self, key, value)
        self._values[key] = value
        if not self._writable:  # a file with faults is left for its owner to look at
            return False
        return _write(FILE, self._values) and _write(_GOOD, self._values)

    # Changes several settings at once, as the owner wants it: a file with faults gives way to what
    # is in use. False if it could not be written; then nothing is changed.
    def save(self, changes):
        for key, value in changes.items():
            if not is_good(key, value):
                raise ValueError(key)
        values = dict(self._values)
        values.update(changes)
        if not _write(FILE, values):
            return False
        _write(_GOOD, values)
        self.__init__(values, True)
        return True


# Back to factory settings. What is left is the board, for with the pins of another one the doll
# might do harm. A power cut in between leaves the old settings or none.
def reset(conf):
    values = {"board": conf.board}
    for name in (FILE, _GOOD):
        if not _write(name, values):  # the flash is full: what must go makes room
            try:
                os.remove(name)
            except OSError:
                pass
            _write(name, values)


# Reads the settings; never fails. What is wrong goes to the log.
def load():
    values, fault = _read(FILE)
    good = _read(_GOOD)[0] or {}
    if fault:
        log.error("settings %s: %s; the last good ones are used", FILE, fault)
    if values is None:
        return Settings(_checked(good, {})[0], not fault)
    checked, faults = _checked(values, good)
    if not faults and values != good:
        _write(_GOOD, values)
    return Settings(checked, not faults)


# The values with what cannot be replaced, and how many faults there were. Never shows a value: it
# may be a password.
def _checked(values, good):
    result = {}
    faults = 0
    for key, value in values.items():
        if key not in _KEYS:
            log.warn("settings %s is not known", log.clean(key))
        elif not _KEYS[key][1](value):
            faults += 1
            log.error("settings %s must be %s", key, _KEYS[key][2])
            if key not in good or not _KEYS[key][1](good[key]):
                continue
            value = good[key]
        result[key] = value
    return result, faults


# The dictionary in a file and None, or None and what is wrong with it (nothing, if there is none).
def _read(name):
    try:
        if os.stat(name)[6] > _LIMIT:
            return None, "is too long"
        with open(name) as f:
            values = json.load(f)
    except OSError as e:
        return None, None if e.errno == 2 else str(e)
    except (ValueError, MemoryError, RuntimeError):
        return None, "is not JSON"
    if not isinstance(values, dict):
        return None, "is not a JSON object"
    return values, None


# Writes beside, then renames: a power cut leaves the old file or the new one.
def _write(name, values):
    try:
        with open(name + ".new", "w") as f:
            json.dump(values, f)
        os.rename(name + ".new", name)
    except OSError as e:
        log.warn("settings not saved: %s", e)
        return False
    return True
