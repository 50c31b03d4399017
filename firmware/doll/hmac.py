# HMAC-SHA256 (RFC 2104), which MicroPython has no module for.

import hashlib

from micropython import const

_BLOCK = const(64)


# The code of a message, 32 bytes. Both are bytes.
def sha256(key, message):
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key))
    inner.update(message)
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key))
    outer.update(inner.digest())
    return outer.digest()


# Whether two codes are the same, in a time that does not tell where they differ.
def equal(a, b):
    if len(a) != len(b):
        return False
    different = 0
    for i in range(len(a)):
        different |= a[i] ^ b[i]
    return different == 0
