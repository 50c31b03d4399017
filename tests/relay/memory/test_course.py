"""How a turn went in time is kept with what was said, and goes with it."""

from __future__ import annotations

import json
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from relay.devices.records import DeviceRecord
from relay.memory.conversation import Conversation
from relay.memory.course import Course, decode, encode
from relay.memory.export import pieces
from relay.memory.records import Draft, Exchange
from relay.memory.store import MemoryStore, News
from relay.store.database import Database
from tests.fakes.relay import running

AT = 1_800_000_000
COURSE = Course({"speech_end": 0, "endpoint": 620, "first_audio": 900}, "answered", "gemini", 1)


@given(
    st.builds(
        Course,
        st.dictionaries(st.text(max_size=9), st.integers(-(10**9), 10**9), max_size=30),
        st.sampled_from(["answered", "cut"]),
        st.text(max_size=300),
        st.integers(0, 9),
    )
)
def test_what_is_kept_is_short_and_comes_back(course: Course) -> None:
    kept = encode(course)
    found = decode(kept)
    assert found is not None
    assert found == decode(encode(found))
    assert course.model.startswith(found.model)
    assert found.timeline_ms.items() <= course.timeline_ms.items()
    assert len(kept) < 2_000


@given(st.one_of(st.none(), st.text(max_size=60), st.just('{"timeline_ms":{"a":"b"}}')))
def test_what_cannot_be_read_is_none(kept: str | None) -> None:
    found = decode(kept)
    assert found is None or isinstance(found, Course)


async def test_it_comes_with_the_turn_in_every_way_and_is_exported(database: Database) -> None:
    store = MemoryStore(database)
    kept: list[object] = []
    talk = Conversation(keep=kept.append)
    talk.add("안녕", "흥.", None, COURSE)
    number = talk.hold("또 안녕", "그…")
    talk.add("또 안녕", "그래.", number, COURSE)
    await store.keep([News("a", what) for what in kept])  # type: ignore[arg-type]
    await store.keep([News("a", Exchange(AT, "옛날", "대답"))])
    for turns in ((await store.load("a", 9)).turns, await store.between("a", 0, 99, 9)):
        assert [turn.course for turn in turns] == [COURSE, COURSE, None]
    doll = DeviceRecord("a", "", "차차", "", "")
    text = "".join([piece async for piece in pieces(store, doll, UTC)])
    turns = json.loads(text)["turns"]
    assert turns[0]["course"] == {
        "timeline_ms": COURSE.timeline_ms,
        "outcome": "answered",
        "model": "gemini",
        "fillers": 1,
    }
    assert turns[2]["course"] is None
    await store.keep([News("a", Draft(9, Exchange(AT, "x", "y"), over=True))])
    assert (await store.load("a", 1)).turns[0].course is None


async def test_a_doll_s_turns_have_it() -> None:
    from tests.browser.plain_doll import plain_doll

    async with running() as relay:
        relay.tts.seconds_per_clause = 0.2
        token = await relay.token("doll-1")
        async with plain_doll(relay.url, "doll-1", token) as doll:
            await doll.ask()
            await relay.dolls.memory.flush()
        (turn,) = (await relay.dolls.memory.store.load("doll-1", 9)).turns
        assert turn.course is not None
        moments = turn.course.timeline_ms
        assert moments["endpoint"] <= moments["first_token"] <= moments["first_audio"]
        assert turn.course.outcome == "answered"
        assert moments == relay.services.live.turns[-1].timeline_ms
