from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.simulator.console import (
    MAX_LINE_BYTES,
    BoardEvent,
    LineSplitter,
    LogLine,
    PlainLine,
    parse_line,
)


def test_a_log_line_has_a_level_and_a_message() -> None:
    assert parse_line("[doll] I heard 안녕 = 1") == LogLine("I", "heard 안녕 = 1")


def test_a_log_lines_words_are_matched_whole() -> None:
    line = LogLine("I", "listen stop frames=94 lost=-1")
    assert line.rest("listen stop") == "frames=94 lost=-1"
    assert line.rest("listen stop frames=94 lost=-1") == ""
    assert line.rest("listen st") is None
    assert line.rest("listen start") is None


def test_a_log_lines_numbers_are_found_by_their_key() -> None:
    line = LogLine("I", "played frames=120 lost=0 heap_per_frame=-1 name=7up")
    assert line.number("frames") == 120
    assert line.number("heap_per_frame") == -1
    assert line.number("name") is None
    assert line.number("fra") is None


def test_an_event_has_a_name_a_time_and_fields() -> None:
    line = '@sim {"event":"light","rgb":[  0, 12,255],"t_ms":        18}'
    assert parse_line(line) == BoardEvent("light", 18, {"rgb": [0, 12, 255]})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "@sim",
        "@sim {",
        "@sim []",
        "@sim 3",
        '@sim {"event":"x"}',
        '@sim {"t_ms":1}',
        '@sim {"event":"x","t_ms":null}',
        "@sim " + "[" * 3000,
        "[doll]",
        "[doll] X what",
        "print from somewhere",
    ],
)
def test_any_other_line_is_kept_as_it_is(line: str) -> None:
    assert parse_line(line) == PlainLine(line)


@given(st.text())
def test_no_line_is_an_error(line: str) -> None:
    for text in (line, "@sim " + line, "[doll] I " + line):
        parse_line(text)


@given(
    st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]))),
    st.data(),
)
def test_lines_come_whole_however_the_stream_is_cut(lines: list[str], data: st.DataObject) -> None:
    stream = "".join(line + "\n" for line in lines).encode()
    splitter = LineSplitter()
    found: list[str] = []
    while stream:
        n = data.draw(st.integers(1, len(stream)))
        found += splitter.feed(stream[:n])
        stream = stream[n:]
    assert found + splitter.finish() == lines


def test_a_stream_without_line_ends_holds_no_more_than_one_line() -> None:
    splitter = LineSplitter()
    for _ in range(100):
        assert splitter.feed(b"x" * 1000) == []
    assert splitter.feed(b"\nnext\n") == ["x" * MAX_LINE_BYTES, "next"]


def test_the_last_line_needs_no_end_and_bytes_no_meaning() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\r\n\xff\xfe") == ["a"]
    assert splitter.finish() == ["��"]
    assert splitter.finish() == []
