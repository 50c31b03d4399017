"""Reads the native functions out of an .mpy file.

The format is that of MicroPython's `py/persistentcode.c`, version 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_VERSION = 6
_HAS_ARCH_FLAGS = 0x40
_BYTECODE, _NATIVE, VIPER, _ASSEMBLER = 2, 3, 4, 5

# The kinds of constant objects that a file may hold.
_SINGLETONS = range(5)  # the table of functions, None, False, True, ...
_STR, _BYTES = 5, 6
_NUMBERS = range(7, 10)  # int, float, complex: written as text
_TUPLE = 10


@dataclass(slots=True)
class Function:
    """One compiled function, or the module itself; `children` are those defined within it."""

    kind: int
    code: bytes
    children: list[Function] = field(default_factory=list)


def read_mpy(data: bytes) -> Function:
    """The module in `data`. Raises ValueError if this is no .mpy file of a version that we know."""
    if data[:2] != bytes((ord("M"), _VERSION)):
        raise ValueError(f"this is no .mpy file of version {_VERSION}")
    reader = _Reader(data, 4)
    if data[2] & _HAS_ARCH_FLAGS:
        reader.number()
    names, objects = reader.number(), reader.number()
    for _ in range(names):
        reader.name()
    for _ in range(objects):
        reader.constant()
    return reader.function()


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def bytes(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise ValueError("the .mpy file is cut short")
        self._at += size
        return taken

    def number(self) -> int:
        """Seven bits in each byte, the highest first; the top bit says that more follow."""
        value = 0
        while True:
            (byte,) = self.bytes(1)
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value

    def name(self) -> None:
        size = self.number()
        if not size & 1:  # an odd one is one of MicroPython's own names
            self.bytes((size >> 1) + 1)

    def constant(self) -> None:
        (kind,) = self.bytes(1)
        if kind in _SINGLETONS:
            return
        size = self.number()
        if kind == _TUPLE:
            for _ in range(size):
                self.constant()
        elif kind in _NUMBERS:
            self.bytes(size)
        elif kind in (_STR, _BYTES):
            self.bytes(size + 1)
        else:
            raise ValueError(f"a constant of the unknown kind {kind}")

    def function(self) -> Function:
        head = self.number()
        found = Function((head & 3) + _BYTECODE, self.bytes(head >> 3))
        if found.kind != _BYTECODE:
            self.number()  # where its prelude begins, or flags
        if found.kind == _ASSEMBLER:
            self.number()
            self.number()
        if head & 4:
            found.children = [self.function() for _ in range(self.number())]
        return found
