"""HMAC on the board, against the standard library's."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

Micropython = Callable[..., str]


def test_hmac_is_that_of_the_standard(micropython: Micropython) -> None:
    cases = [(b"k" * n, b"m" * m) for n in (0, 1, 63, 64, 65, 200) for m in (0, 1, 55, 64, 1000)]
    script = f"from doll.hmac import sha256\nfor k, m in {cases!r}: print(sha256(k, m).hex())\n"
    wanted = [hmac.new(key, message, hashlib.sha256).hexdigest() for key, message in cases]
    assert micropython(script).split() == wanted
