# settings.json: read, checked, and kept. A file that is no JSON, or a value that cannot be, never
# stops the doll: the last good value is used in its place, or the default.

import json
import os

from . import log

FILE = "settings.json"
_GOOD = "settings.good.json"  # a copy of what was last read without a fault
_LIMIT = 8192  # bytes


# Each key of rules.KEYS is an attribute.
class Settings:
    def __init__(self, values, writable):
        self._values = values  # as in the file: keys that we do not know are kept
        self._writable = writable
        from .rules import KEYS

        for key in KEYS:
            setattr(self, key, values[key] if key in values else KEYS[key][0])

    # Changes one setting, here and in the file. False if it could not be written.
    def change(self, key, value):
        from .rules import is_good

        if not is_good(key, value):
            raise ValueError(key)
        setattr(self, key, value)
        self._values[key] = value
        if not self._writable:  # a file with faults is left for its owner to look at
            return False
        return _write(FILE, self._values) and _write(_GOOD, self._values)

    # Changes several settings at once, as the owner wants it: a file with faults gives way to what
    # is in use. False if it could not be written; then nothing is changed.
    def save(self, changes):
        from .rules import is_good

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
    from .rules import KEYS

    result = {}
    faults = 0
    for key, value in values.items():
        if key not in KEYS:
            log.warn("settings %s is not known", log.clean(key))
        elif not KEYS[key][1](value):
            faults += 1
            log.error("settings %s must be %s", key, KEYS[key][2])
            if key not in good or not KEYS[key][1](good[key]):
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
