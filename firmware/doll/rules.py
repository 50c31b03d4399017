# What each setting may be, and is if nobody says another. Loaded only while settings are read or
# changed: the doll has better use for the memory.

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
KEYS = {
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
    return bool(KEYS[key][1](value))


# The value that a setting has if nobody says another.
def default(key):
    return KEYS[key][0]
