from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.persona.learning.lines import MAX_LINE_CHARS, encoding_of, lines
from relay.persona.learning.messages import ExportError

_TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=50)


@given(st.lists(_TEXT, min_size=1), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_lines_come_back_as_they_were_written(written: list[str], encoding: str) -> None:
    data = ("\r\n".join(written) + "\r\n").encode(encoding)
    assert list(lines(io.BytesIO(data))) == written


def test_only_the_beginning_of_an_endless_line_is_held() -> None:
    file = io.BytesIO(b"x" * 1_000_000 + b"\nnext\n")
    first, second = lines(file)
    assert (len(first), second) == (MAX_LINE_CHARS, "next")


def test_marks_that_nobody_sees_are_gone_and_odd_spaces_are_spaces() -> None:
    assert list(lines(io.BytesIO("\u200e9:07\u202fPM \u2068진주\u2069".encode()))) == [
        "9:07 PM 진주"
    ]


def test_a_block_that_ends_within_a_letter_is_still_utf_8() -> None:
    assert encoding_of("가나다".encode()[:-1]) == "utf-8"
    assert encoding_of("가나다".encode("cp949")) == "cp949"


def test_what_is_no_text_is_told() -> None:
    with pytest.raises(ExportError, match="no text"):
        list(lines(io.BytesIO(b"PNG\0\0\0")))
