from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from tools.fake_gemini.faults import FAULTS, Chance, Chances
from tools.fake_gemini.http import Reply, Step
from tools.fake_gemini.replies import Form, chunk, render

ANSWER = tuple(chunk(piece) for piece in ("안녕! ", "나는 ", "인형이야."))
WHOLE = "안녕! 나는 인형이야."


def reply(name: str, form: Form = "sse") -> Reply:
    made = FAULTS[name].strike("gemini-x", ANSWER, form)
    return made if isinstance(made, Reply) else render(made, form)


def sent(name: str, form: Form = "sse") -> bytes:
    return b"".join(part for part in reply(name, form).body if isinstance(part, bytes))


def said(stream: bytes) -> str:
    """What a tolerant reader of server-sent events makes of it."""
    text = ""
    for line in stream.decode().splitlines():
        if line.startswith("data:") and line != "data: [DONE]":
            event: Any = json.loads(line.removeprefix("data:"))
            for candidate in event.get("candidates", ()):
                for part in candidate.get("content", {}).get("parts", ()):
                    text += "" if part.get("thought") else part["text"]
    return text


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("form", ["sse", "array", "unary"])
def test_every_fault_can_strike_every_answer(name: str, form: Form) -> None:
    made = reply(name, form)
    assert made.status is None or 200 <= made.status < 600


@pytest.mark.parametrize(
    "name",
    ["no-space", "comments", "done", "line-feeds", "one-write", "bytes", "future", "thoughts"],
)
def test_what_is_legal_says_the_same(name: str) -> None:
    assert said(sent(name)) == WHOLE
    assert reply(name).body != render(ANSWER, "sse").body


@pytest.mark.parametrize("name", ["hang-middle", "drop-middle", "error-middle", "blocked"])
def test_half_an_answer_is_said_before_it_breaks(name: str) -> None:
    assert said(sent(name)) == "안녕! "


@pytest.mark.parametrize(
    ("name", "step", "status"),
    [
        ("hang", Step.HANG, None),
        ("hang-headers", Step.HANG, 200),
        ("drop", Step.DROP, None),
        ("drop-headers", Step.DROP, 200),
    ],
)
def test_silence_and_broken_connections(name: str, step: Step, status: int | None) -> None:
    assert (reply(name).status, reply(name).body) == (status, (step,))


@pytest.mark.parametrize("name", ["bad-json", "unfinished"])
def test_broken_json_is_broken(name: str) -> None:
    with pytest.raises(ValueError):
        said(sent(name))


@pytest.mark.parametrize("form", ["array", "unary"])
def test_half_a_body_without_events_is_no_json(form: Form) -> None:
    with pytest.raises(ValueError):
        json.loads(sent("drop-middle", form))


@pytest.mark.parametrize(
    ("text", "chance"),
    [
        ("503:0.1", Chance("503", 0.1)),
        ("503x5:0.02", Chance("503", 0.02, 5)),
        ("429-day-lie:1", Chance("429-day-lie", 1)),
        ("max-tokens:.5", Chance("max-tokens", 0.5)),
    ],
)
def test_a_chance_is_read(text: str, chance: Chance) -> None:
    assert Chance.parse(text) == chance


@pytest.mark.parametrize("text", ["503", "503:", "nothing:0.1", "503:2", "503x0:0.1", "503:-1"])
def test_a_chance_that_cannot_be_read_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r"503|nothing"):
        Chance.parse(text)


def test_faults_strike_about_as_often_as_they_should() -> None:
    chances = Chances([Chance("503", 0.1)], Random(1))
    struck = sum(chances.draw() is not None for _ in range(10_000))
    assert 900 < struck < 1_100


def test_a_burst_strikes_several_in_a_row() -> None:
    chances = Chances([Chance("503", 0.01, 5)], Random(1))
    drawn = [chances.draw() for _ in range(5_000)]
    runs = "".join("x" if one else "." for one in drawn).split(".")
    assert {len(run) % 5 for run in runs[:-1]} == {0}
    assert any(len(run) == 5 for run in runs)
