# settings.json: read, checked, and kept. A file that is no JSON, or a value that cannot be, never
# stops the doll: the last good value is used in its place, or the default.

import json
import os

from . import log

FILE = "settings.json"
_GOOD = "settings.good.json"  # a copy of what was last read without a fault
_LIMIT = 8192  # bytes

_TALK = ("hold", "tap", "free")
_LOG = ("info", "debug")


def _is_text(value, most=256):
    return isinstance(value, str) and len(value) <= most and not _has_control(value)


def _has_control(text):
    return any(ord(c) < 32 or ord(c) == 127 for c in text)


def _is_int(low, high):
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high


def _is_wifi(value):
    if not isinstance(value, list) or len(value) > 16:
        return False
    for place in value:
        if not isinstance(place, dict) or not _is_text(place.get("ssid"), 32) or not place["ssid"]:
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
    "talk": ("hold", lambda v: v in _TALK, '"hold", "tap" or "free"'),
    "volume": (70, _is_int(0, 100), "a whole number from 0 to 100"),
    "mic_gain": (3, _is_int(0, 8), "a whole number from 0 to 8"),
    "buffer_ms": (128, _is_int(32, 1000), "a whole number from 32 to 1000"),
    "light": (32, _is_int(4, 255), "a whole number from 4 to 255"),
    "ca": ("", _is_text, "the name of a DER file, or empty"),
    "insecure": (False, lambda v: isinstance(v, bool), "true or false"),
    "log": ("info", lambda v: v in _LOG, '"info" or "debug"'),
}


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
