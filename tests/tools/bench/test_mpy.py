from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bench.xtensa.mpy import VIPER, read_mpy
from tools.bench.xtensa.viper import mpy_cross

SOURCE = """
import micropython
TEXT = ("x", b"y", 3, 12345678901234567890, 1.5, None, ("nested", True))

def plain(a):
    return lambda: a + len("a text of its own")

class Between:
    def method(self):
        return [n for n in range(3)]

@micropython.viper
def native(a: int) -> int:
    return a + 1
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    source: Path = tmp_path_factory.mktemp("source") / "module.py"
    source.write_text(SOURCE)
    return mpy_cross(source)


def test_functions_are_found_in_the_order_of_the_source(compiled: bytes) -> None:
    plain, between, native = read_mpy(compiled).children
    assert native.kind == VIPER
    assert plain.kind == between.kind != VIPER
    assert len(plain.children) == 1
    assert len(between.children[0].children) == 1


def test_another_format_is_named(compiled: bytes) -> None:
    for wrong in (b"", b"\x7fELF", b"M\x05" + compiled[2:]):
        with pytest.raises(ValueError, match="version 6"):
            read_mpy(wrong)


def test_a_file_that_is_cut_short_is_told(compiled: bytes) -> None:
    for size in range(2, len(compiled)):
        with pytest.raises((ValueError, IndexError)):
            read_mpy(compiled[:size])


@given(st.binary(max_size=300))
def test_no_bytes_do_worse_than_be_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError, RecursionError):
        read_mpy(b"M\x06\x2b\x1f" + data)
