"""Gives freed memory back to the system, where the C library keeps it (glibc)."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable


def trim() -> None:
    """Return what was freed; some milliseconds. Does nothing where there is no such call.

    Loading a model, and recognising a long utterance, allocates and frees tens of megabytes in
    blocks that glibc holds on to for the next time.
    """
    _trim()(0)


@functools.cache
def _trim() -> Callable[[int], int]:
    if sys.platform != "linux":
        return _nothing
    # musl, another C library of Linux, has no such function.
    found: Callable[[int], int] = getattr(ctypes.CDLL(None), "malloc_trim", _nothing)
    return found


def _nothing(_: int) -> int:
    return 0
