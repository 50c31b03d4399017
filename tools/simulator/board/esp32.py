# esp32.NVS of the simulated board, kept in a file that outlives a restart once it is committed.

import binascii
import json
import os

_NOT_FOUND = -4354  # ESP_ERR_NVS_NOT_FOUND
_TOO_LONG = -4364  # ESP_ERR_NVS_INVALID_LENGTH

HEAP_DATA = 4
HEAP_EXEC = 1

_all = None


def _name():
    return (os.getenv("SIM_STATE") or ".") + "/nvs.json"


def _load():
    global _all
    if _all is None:
        try:
            with open(_name()) as f:
                _all = json.load(f)
        except OSError:
            _all = {}
    return _all


class NVS:
    def __init__(self, namespace):
        self._items = _load().setdefault(namespace, {})

    def _get(self, key, kind):
        value = self._items.get(key)
        if not isinstance(value, kind):
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        return value

    def get_i32(self, key):
        return self._get(key, int)

    def set_i32(self, key, value):
        if not -0x80000000 <= value <= 0x7FFFFFFF:
            raise OverflowError("overflow converting long int to machine word")
        self._items[key] = value

    def get_blob(self, key, buf):
        value = binascii.unhexlify(self._get(key, str))
        if len(value) > len(buf):
            raise OSError(_TOO_LONG, "ESP_ERR_NVS_INVALID_LENGTH")
        buf[: len(value)] = value
        return len(value)

    def set_blob(self, key, value):
        self._items[key] = binascii.hexlify(value).decode()

    def erase_key(self, key):
        if key not in self._items:
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        del self._items[key]

    # The file is replaced at one stroke, as the real store is safe against a power cut.
    def commit(self):
        with open(_name() + ".new", "w") as f:
            json.dump(_all, f)
        os.rename(_name() + ".new", _name())
