from __future__ import annotations

import msgspec

from relay.turn.face import Face
from relay.wire.messages import Llm
from tests.fakes.connection import FakeConnection


def shown(doll: FakeConnection) -> list[tuple[str, str]]:
    return [(m.what.emotion, m.what.text) for m in doll.sent if isinstance(m.what, Llm)]


async def test_the_first_feeling_of_an_answer_counts() -> None:
    doll = FakeConnection()
    face = Face(doll)
    await face.feel("happy")
    await face.feel("sad")
    await face.think()
    await face.speak()
    assert shown(doll) == [("happy", "🙂")]


async def test_a_feeling_has_the_colour_that_its_persona_gives_it() -> None:
    doll = FakeConnection()
    await Face(doll, {"happy": 0xFF8800}).feel("happy")
    await Face(doll, {"happy": 0xFF8800}).feel("sad")
    lights = [message.what.light for message in doll.sent if isinstance(message.what, Llm)]
    assert lights == [0xFF8800, msgspec.UNSET]


async def test_thinking_ends_with_a_feeling_or_with_the_first_words() -> None:
    for ending in ("sad", ""):
        doll = FakeConnection()
        face = Face(doll)
        await face.think()
        await face.think()
        if ending:
            await face.feel(ending)
        await face.speak()
        await face.speak()
        assert [name for name, _ in shown(doll)] == ["thinking", ending or "neutral"]


async def test_a_feeling_that_no_board_knows_is_not_sent() -> None:
    doll = FakeConnection()
    face = Face(doll)
    await face.feel("hangry")
    assert shown(doll) == []
    await face.feel("angry")
    assert shown(doll) == [("angry", "😠")]
