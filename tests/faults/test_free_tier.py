"""Three simulated dolls on one free project of Gemini's, in real time (`make test-slow`).

The real firmware, the real wire, the relay's turn with its fillers, its chain and its ledger, and
Google's own SDK; only ears and voice do as told.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from relay.audio import Pcm
from relay.config import Settings
from relay.llm.providers import open_brain
from tests.fakes.gemini import KEY, Rules, serving_gemini
from tests.fakes.relay import Relay, running
from tools.fake_gemini.quota import Counting
from tools.fake_gemini.server import Seen
from tools.simulator.doll import SimulatedDoll
from tools.simulator.turn import Reply

MINUTES = 2.5
MODELS = ("gemini-3.5-flash-lite",)
DOLLS = tuple(f"24:6f:28:00:00:0{number}" for number in (1, 2, 3))
THINKING_S = 1.0  # with question and answer about 20 turns a minute for the three; 15 are free


async def talk(relay: Relay, name: str, question: Pcm, until: float) -> list[Reply]:
    """A person and a doll take turns."""
    replies = []
    token = await relay.token(name)
    settings = {"volume": 100, "sounds": False}  # what is heard is the answer
    async with SimulatedDoll(relay.url, device_id=name, token=token, settings=settings) as doll:
        await doll.ready()
        while asyncio.get_running_loop().time() < until:
            replies.append(await doll.ask(question))
            await asyncio.sleep(THINKING_S)
    return replies


@pytest.mark.slow
@pytest.mark.timeout(60 * MINUTES + 150)
async def test_three_dolls_are_never_silent_and_never_refused(
    tmp_path: Path, question: Pcm
) -> None:
    seen: list[Seen] = []
    rules = Rules(limits=None, counting=Counting(rejected=True), first_s=0.6, gap_s=0.02)
    async with (
        serving_gemini(rules, observe=seen.append) as fake,
        running(turn={"max_fillers": 4}) as relay,
    ):
        gemini = {"api_key": KEY, "base_url": fake.url, "models": MODELS}
        settings = {
            "llm": {"provider": "gemini", "gemini": gemini},
            "quota": {"store": str(tmp_path / "quota.sqlite3")},
        }
        relay.services.brain = await open_brain(Settings.model_validate(settings))
        until = asyncio.get_running_loop().time() + 60 * MINUTES
        talks = await asyncio.gather(*(talk(relay, name, question, until) for name in DOLLS))
    replies = [reply for replies in talks for reply in replies]
    statuses = Counter(one.status for one in seen)
    assert statuses.keys() == {200}
    assert statuses[200] >= 10 * MINUTES
    assert len(replies) >= 10 * MINUTES
    for reply in replies:
        assert reply.text
        assert reply.frames_played > 0
        assert reply.timeline.first_audio is not None
