"""Every way in which an answer goes wrong, or only looks odd, by name.

A fault takes what would have been answered and makes something else of it, so it can strike any
request: text, JSON, audio, streamed or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tools.fake_gemini import refusals, replies
from tools.fake_gemini.http import Pause, Reply, Step
from tools.fake_gemini.replies import Form, Item, sse

Items = tuple[Item, ...]
_Make = Callable[[str, Items], Items | Reply]

_SLOW_S = 0.5
_SLOW_STEPS = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """`make` gets the name of the model and the chunks; it gives other chunks, or a whole reply."""

    make: _Make
    streamed: bool = False  #: only an answer that is streamed can have it

    def strike(self, model: str, items: Items, form: Form) -> Items | Reply:
        """What is sent instead."""
        return items if self.streamed and form != "sse" else self.make(model, items)


def _reply(make: Callable[[], Reply]) -> Fault:
    return Fault(lambda _model, _items: make())


def _half(items: Items) -> Items:
    """The beginning of an answer: about half, at least one chunk."""
    return items[: max(1, len(items) // 2)]


def _without_text(items: Items, candidate: Mapping[str, Any]) -> Items:
    last = items[-1]
    assert isinstance(last, Mapping)
    return ({**last, "candidates": [{**candidate, "index": 0}]},)


def _events(items: Items) -> list[bytes]:
    return [sse(item) for item in items if isinstance(item, Mapping)]


def _in_pieces(_model: str, items: Items) -> Items:
    """Cut between any two bytes: in the middle of names, of escapes, of letters."""
    whole = b"".join(_events(items))
    return tuple(whole[at : at + 7] for at in range(0, len(whole), 7))


def _slowly(_model: str, items: Items) -> Items:
    """A few long pauses, the first of them before the first chunk."""
    every = -(-len(items) // _SLOW_STEPS)
    return tuple(
        step
        for number, item in enumerate(items)
        for step in ((Pause(_SLOW_S), item) if number % every == 0 else (item,))
    )


def _unfinished(_model: str, items: Items) -> Items:
    events = _events(items)
    return (*events[: len(events) // 2], events[-1][: len(events[-1]) // 2])


def _future(_model: str, items: Items) -> Items:
    last = items[-1]
    assert isinstance(last, Mapping)
    candidate = {**last["candidates"][0], "finishReason": "SOME_FUTURE_REASON"}
    return (*items[:-1], {**last, "candidates": [candidate], "someNewField": {"x": 1}})


def _thoughts(_model: str, items: Items) -> Items:
    thought = replies.chunk("이건 생각이에요. This is a thought.")
    thought["candidates"][0]["content"]["parts"][0]["thought"] = True
    return (thought, *items)


def _every_429() -> dict[str, Fault]:
    def fault(name: str) -> Fault:
        return Fault(lambda model, _items: refusals.variants(model)[name])

    return {f"429-{name}": fault(name) for name in refusals.variants("")}


_INTERNAL = "An internal error has occurred. Please retry or report in the developer forum."
_REGION = "User location is not supported for the API use."
_DEADLINE = "Deadline expired before operation could complete."
_LEAKED = "Your API key was reported as leaked. Please use another API key."

FAULTS: dict[str, Fault] = {
    **_every_429(),
    "503": _reply(replies.overloaded),
    "500": _reply(lambda: replies.error(500, "INTERNAL", _INTERNAL)),
    "504": _reply(lambda: replies.error(504, "DEADLINE_EXCEEDED", _DEADLINE)),
    "502-html": _reply(replies.html),
    "400": _reply(lambda: replies.invalid("Request contains an invalid argument.")),
    "400-region": _reply(lambda: replies.error(400, "FAILED_PRECONDITION", _REGION)),
    "400-key": _reply(replies.wrong_key),
    "403-leaked": _reply(lambda: replies.error(403, "PERMISSION_DENIED", _LEAKED)),
    "403-suspended": _reply(replies.suspended_key),
    "404": Fault(lambda model, _items: replies.retired(model)),
    # Silence and broken connections
    "hang": _reply(replies.no_headers),
    "hang-headers": Fault(lambda _model, _items: (Step.HANG,)),
    "hang-middle": Fault(lambda _model, items: (*_half(items), Step.HANG)),
    "drop": _reply(lambda: Reply(status=None, body=(Step.DROP,))),
    "drop-headers": Fault(lambda _model, _items: (Step.DROP,)),
    "drop-middle": Fault(lambda _model, items: (*_half(items), Step.DROP)),
    "slow": Fault(_slowly),
    # Broken streams
    "error-middle": Fault(
        lambda _model, items: (
            *_half(items),
            replies.error_body(503, "UNAVAILABLE", "The model is overloaded."),
        ),
        streamed=True,
    ),
    "bad-json": Fault(
        lambda _model, items: (*_half(items), b'data: {"candidates": [{"con\r\n\r\n', items[-1]),
        streamed=True,
    ),
    "unfinished": Fault(_unfinished, streamed=True),
    "html": _reply(
        lambda: Reply(content_type="text/html", body=(b"<html><title>Sign in</title></html>\n\n",))
    ),
    # Legal, and still too much for some readers
    "no-space": Fault(
        lambda _m, items: tuple(one.replace(b"data: ", b"data:", 1) for one in _events(items)),
        streamed=True,
    ),
    "comments": Fault(
        lambda _m, items: tuple(x for one in items for x in (b": keepalive\r\n\r\n", one)),
        streamed=True,
    ),
    "done": Fault(lambda _m, items: (*items, b"data: [DONE]\r\n\r\n"), streamed=True),
    "line-feeds": Fault(
        lambda _m, items: tuple(one.replace(b"\r\n", b"\n") for one in _events(items)),
        streamed=True,
    ),
    "one-write": Fault(lambda _m, items: (b"".join(_events(items)),), streamed=True),
    "bytes": Fault(_in_pieces, streamed=True),
    "future": Fault(_future),
    "thoughts": Fault(_thoughts, streamed=True),
    # Refused content
    "blocked-prompt": Fault(lambda _m, _items: (replies.blocked_prompt("SAFETY"),)),
    "prohibited-prompt": Fault(lambda _m, _items: (replies.blocked_prompt("PROHIBITED_CONTENT"),)),
    "blocked": Fault(lambda _m, items: (*_half(items), replies.ending("SAFETY"))),
    "blocked-at-once": Fault(lambda _m, _items: (replies.ending("SAFETY"),)),
    "recitation": Fault(lambda _m, _items: (replies.ending("RECITATION"),)),
    # Nothing to say
    "empty": Fault(lambda _m, _items: ()),
    "empty-object": Fault(lambda _m, _items: ({},)),
    "empty-candidate": Fault(
        lambda _m, items: _without_text(
            items, {"content": {"role": "model"}, "finishReason": "STOP"}
        )
    ),
    "max-tokens": Fault(
        lambda _m, items: _without_text(
            items, {"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}
        )
    ),
}
"""`NAME`: what it does. Each is one answer; `Chance` says how often."""


@dataclass(frozen=True, slots=True)
class Chance:
    """A fault that strikes a share of the requests, `burst` of them in a row."""

    name: str
    share: float
    burst: int = 1

    @classmethod
    def parse(cls, text: str) -> Chance:
        """`503:0.1` is each tenth request, `503x5:0.02` five in a row. Raises ValueError."""
        match = _CHANCE.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is not NAME:SHARE or NAMExBURST:SHARE, such as 503:0.1")
        name, burst, share = match["name"], int(match["burst"] or 1), float(match["share"])
        if name not in FAULTS:
            raise ValueError(f"there is no fault {name!r}; there are: {', '.join(FAULTS)}")
        if not 0 <= share <= 1 or not 1 <= burst <= 1_000:
            raise ValueError(f"{text!r}: a share is from 0 to 1, a burst from 1 to 1000")
        return cls(name, share, burst)


_CHANCE = re.compile(r"(?P<name>[a-z0-9-]+?)(?:x(?P<burst>\d{1,4}))?:(?P<share>\d*\.?\d+)")


class Chances:
    """Draws for each request whether a fault strikes it."""

    def __init__(self, chances: Sequence[Chance], random: Random) -> None:
        self._chances = tuple(chances)
        self._random = random
        self._left = 0
        self._struck = ""

    def draw(self) -> str | None:
        """The name of the fault for the next request."""
        if self._left:
            self._left -= 1
            return self._struck
        for chance in self._chances:
            if self._random.random() < chance.share:
                self._struck, self._left = chance.name, chance.burst - 1
                return chance.name
        return None
