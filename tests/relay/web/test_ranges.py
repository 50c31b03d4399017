"""What a player asks for of a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.web.ranges import UnsatisfiableError, one_range


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", None),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=-", None),
        ("bytes=" + "0" * 80 + "-", None),
    ],
)
def test_one_range_is_read_and_anything_else_asks_for_all(
    header: str, wanted: tuple[int, int] | None
) -> None:
    assert one_range(header, 100) == wanted


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=999999-9999999"])
def test_what_begins_behind_the_end_cannot_be_had(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        one_range(header, 100)


_RANGES = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"bytes=\d{0,17}-\d{0,17}(,\d-)?", fullmatch=True),
)


@given(_RANGES, st.integers(0, 10**9))
def test_nothing_outside_the_file_is_ever_read(header: str, size: int) -> None:
    try:
        part = one_range(header, size)
    except UnsatisfiableError:
        return
    assert part is None or 0 <= part[0] < part[1] <= size
