"""Every parser takes any bytes: random ones, and good ones with some changed."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, Fuzzed

_EXAMPLES = 100


@st.composite
def _inputs(draw: st.DrawFn, fuzzed: Fuzzed) -> bytes:
    if draw(st.integers(0, 3)) == 0:
        return draw(st.binary(max_size=600))
    data = bytearray(draw(st.sampled_from(fuzzed.seeds)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        until = at + draw(st.integers(0, 8))
        data[at:until] = draw(st.binary(max_size=8) | st.sampled_from(_NASTY))
    return bytes(data)


_NASTY = [
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",  # half of a surrogate pair, as UTF-8 forbids it
    b'"',
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"-0",
    b"99999999999999999999",
    b"null",
    b"[" * 2000,
    b'{"a":' * 400,
    "٣".encode(),  # a digit that is none in ASCII
    "한".encode(),
]


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_taken_or_refused(name: str) -> None:
    fuzzed = TARGETS[name]
    count = 0

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(_inputs(fuzzed))
    def run(data: bytes) -> None:
        nonlocal count
        fuzzed.run(data)
        count += 1

    run()
    assert count >= _EXAMPLES * 0.9
    print(f"fuzz {name}: {count} inputs")


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_themselves_and_all_their_beginnings_are_taken(name: str) -> None:
    fuzzed = TARGETS[name]
    for seed in fuzzed.seeds:
        step = max(1, len(seed) // 100)
        for end in [*range(0, len(seed), step), len(seed)]:
            fuzzed.run(seed[:end])


def test_bytes_with_no_structure_at_all_are_taken() -> None:
    random = Random(1)
    for fuzzed in TARGETS.values():
        for size in (0, 1, 4096, 40_000):
            fuzzed.run(random.randbytes(size))
