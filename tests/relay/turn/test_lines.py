from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from relay import locales
from relay.llm.events import Outage
from relay.llm.policy import Trouble
from relay.services import Services
from relay.tts.repertoire import Repertoire
from relay.turn.chime import thinking
from relay.turn.lines import Lines
from tests.fakes.devices import a_device
from tests.fakes.lines import a_repertoire
from tests.fakes.tts import FakeTextToSpeech

NOW = datetime(2026, 11, 23, 15, 20, tzinfo=ZoneInfo("Asia/Seoul"))
KEY = "filler.thinking"


class ByText(FakeTextToSpeech):
    """Speaks each text as a sample of its own."""

    async def speak(self, text: str, language: str, voice: str = ""):  # type: ignore[no-untyped-def]
        yield np.full(1_000, locales.variants("ko", KEY).index(text) + 1, np.int16)


async def recorded(directory: Path, count: int) -> Repertoire:
    repertoire = a_repertoire(directory, ByText())
    part = await repertoire.of()
    for text in locales.variants("ko", KEY)[:count]:
        await part.record(text, "ko")
    return repertoire


async def fillers(lines: Lines, count: int) -> list[int]:
    """Which fillers are said in a row; 0 is the tone."""
    sounds = [await lines.filler(KEY, "ko") for _ in range(count)]
    tone = thinking(16_000)
    return [0 if np.array_equal(pcm, tone) else int(pcm[0]) for pcm, _ in sounds]


async def test_fillers_vary_and_are_never_the_same_twice_in_a_row(
    services: Services, tmp_path: Path
) -> None:
    lines = Lines(a_device(services), await recorded(tmp_path, 6))
    said = await fillers(lines, 60)
    assert set(said) == {1, 2, 3, 4, 5, 6}
    assert all(a != b for a, b in itertools.pairwise(said))


async def test_a_single_recording_alternates_with_the_tone(
    services: Services, tmp_path: Path
) -> None:
    lines = Lines(a_device(services), await recorded(tmp_path, 1))
    assert sorted(await fillers(lines, 2)) == [0, 1]


async def test_without_recordings_there_are_soft_notes(services: Services) -> None:
    assert await fillers(Lines(a_device(services), None), 3) == [0, 0, 0]


async def test_a_doll_has_the_lines_of_its_own_voice_only(
    services: Services, tmp_path: Path
) -> None:
    services.persona = replace(services.persona, voice="low")
    assert await fillers(Lines(a_device(services), await recorded(tmp_path, 6)), 3) == [0, 0, 0]


async def test_a_recording_that_vanished_leaves_the_notes(
    services: Services, tmp_path: Path
) -> None:
    lines = Lines(a_device(services), await recorded(tmp_path, 3))
    for path in await asyncio.to_thread(lambda: list(tmp_path.iterdir())):
        path.unlink()
    assert await fillers(lines, 4) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(Trouble.QUOTA, "오후 다섯 시쯤에"), (Trouble.NETWORK, "인터넷"), (Trouble.AUTH, "API 키")],
)
async def test_an_outage_is_told_with_its_reason_and_its_end(
    services: Services, trouble: Trouble, told: str
) -> None:
    back_at = NOW.replace(hour=17, minute=0).timestamp()
    lines = Lines(a_device(services), None)
    for _ in range(8):
        text = lines.honest(Outage(trouble, back_at, news=True), "ko", NOW)
        assert told in text
        assert "{" not in text
