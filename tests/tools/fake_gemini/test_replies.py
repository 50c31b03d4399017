from __future__ import annotations

import json
from typing import Any

from tools.fake_gemini.http import Pause, Step
from tools.fake_gemini.replies import chunk, ending, render, stream

PIECES = (chunk("안녕, "), chunk("차차"))


def test_events_carry_one_chunk_each() -> None:
    reply = render(PIECES, "sse")
    assert reply.content_type == "text/event-stream"
    events = [json.loads(part.removeprefix(b"data: ")) for part in reply.body]  # type: ignore[union-attr]
    assert events == list(PIECES)


def test_an_array_grows_and_is_closed() -> None:
    whole = b"".join(part for part in render(PIECES, "array").body if isinstance(part, bytes))
    assert json.loads(whole) == list(PIECES)
    assert json.loads(b"".join(render((), "array").body)) == []  # type: ignore[arg-type]


def test_an_array_that_breaks_off_is_not_closed() -> None:
    body = render((*PIECES, Step.DROP), "array").body
    assert body[-1] is Step.DROP
    assert b"]" not in body[-2][-1:]  # type: ignore[index]


def test_in_one_piece_the_texts_are_joined_and_the_reason_is_the_last() -> None:
    end = {"candidates": [{"finishReason": "SAFETY", "index": 0}]}
    (whole,) = render((*PIECES, end), "unary").body
    value: Any = json.loads(whole)  # type: ignore[arg-type]
    assert value["candidates"][0]["content"]["parts"] == [{"text": "안녕, 차차"}]
    assert value["candidates"][0]["finishReason"] == "SAFETY"


def test_in_one_piece_pauses_come_first_and_a_break_in_the_middle() -> None:
    pause = Pause(1)
    assert render((pause, *PIECES), "unary").body[0] == pause
    half, step = render((*PIECES, Step.HANG), "unary").body
    assert step is Step.HANG
    assert isinstance(half, bytes)
    assert half.startswith(b'{"candidates"')
    assert not half.endswith(b"}}")


def test_a_reply_may_hang_after_its_chunks() -> None:
    assert stream(ending("STOP"), then=Step.HANG).body[-1] is Step.HANG


def test_half_a_surrogate_does_not_break_the_server() -> None:
    assert b"?" in render((chunk("\ud800"),), "unary").body[0]  # type: ignore[operator]
