"""The doll's own measurement of the heap that a frame takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Micropython = Callable[..., str]


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("m.run(); m.rest()", 0),
        ("m.run(); keep = bytearray(20000); m.rest()", 21),
        ("m.run(); keep = bytearray(8); m.rest()", 1),
        ("keep = bytearray(1000); m.run(); m.rest(); keep = bytearray(1000)", 0),
        ("m.run(); m.rest(); keep = bytearray(1000); m.rest()", 0),
        ("m.run(); keep = bytearray(1000); m.rest(); m.reset()", 0),
        ("keep = bytearray(100000); m.run(); keep = None; gc.collect(); m.rest()", -1),
    ],
    ids=["nothing", "much", "little", "outside", "resting", "reset", "collected"],
)
def test_bytes_per_frame(micropython: Micropython, script: str, result: int) -> None:
    got = micropython(f"""
import gc
from doll.meter import Meter
keep = None
m = Meter()
m.run()
m.rest()
m.reset()
{script}
print(m.per_frame(1000))
""")
    # Rounded up, so that a single object in a minute of frames is seen.
    assert int(got) == result
