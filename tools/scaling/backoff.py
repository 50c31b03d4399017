"""The firmware's own back-off (firmware/doll/backoff.py), loaded into this Python.

It needs two things that CPython has not: `micropython.const`, which changes nothing, and chance
that can be repeated, in place of the chip's.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

from tools.flash.build import FIRMWARE


class Backoff(Protocol):
    """How long a doll waits before its next try."""

    def next(self, most: int = ...) -> int:
        """Milliseconds; at most so many for who is in a hurry."""
        ...


class Firmware:
    """What the doll does between tries, with dice of its own."""

    def __init__(self, seed: int) -> None:
        self._module = _loaded(FIRMWARE / "doll" / "backoff.py")
        self._module.os = SimpleNamespace(urandom=Random(seed).randbytes)  # noqa: S311
        self.soon_ms: int = self._module.SOON_MS
        self.connect_s = _constant("_CONNECT_MS") / 1000  #: for one try

    def backoff(self) -> Backoff:
        """A doll's, as it begins."""
        made: Backoff = self._module.Backoff()
        return made

    def after_failure(self, backoff: Backoff, spent_s: float) -> float:
        """Seconds to wait after a try that nobody answered: `Relay.run` of the firmware."""
        ms = backoff.next(self.soon_ms)
        return max(ms - 1000 * spent_s, ms // 8) / 1000


def _loaded(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("doll_backoff", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get("micropython")
    sys.modules["micropython"] = _Micropython("micropython")
    try:
        spec.loader.exec_module(module)
    finally:
        if before is None:
            del sys.modules["micropython"]
        else:
            sys.modules["micropython"] = before
    return module


class _Micropython(ModuleType):
    @staticmethod
    def const(value: int) -> int:
        return value


def _constant(name: str) -> int:
    source = (FIRMWARE / "doll" / "relay.py").read_text(encoding="utf-8")
    found = re.search(rf"^{name} = const\((\d[\d_]*)\)", source, re.MULTILINE)
    if found is None:
        raise LookupError(f"firmware/doll/relay.py has no {name}")
    return int(found[1])
