"""Three dolls talk for minutes, in real time, on one free project of Gemini's (`make test-slow`).

They want 20 requests a minute of the 15 that there are. The ledger and the server keep their
windows apart from each other, by their own clocks; if they disagree anywhere, there is a 429.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from relay.config import Settings
from relay.errors import ProviderError
from relay.llm.chain import LOCAL, Chain
from relay.llm.events import Answering
from relay.llm.providers import open_brain
from tests.fakes.gemini import KEY, FakeGemini, Rules, serving_gemini
from tests.relay.llm.contract import SEOUL, request
from tools.fake_gemini.faults import Chance
from tools.fake_gemini.quota import Counting, Window
from tools.fake_gemini.server import Seen

MINUTES = 3
DOLLS = ("doll-1", "doll-2", "doll-3")
LITE = "gemini-3.5-flash-lite"
#: What a doll says and what a person thinks about it; with the answer's time 7 turns a minute.
PAUSE_S = (4.5, 9.5)


@dataclass
class Talk:
    """What three dolls had of their minutes."""

    seen: list[Seen] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)  # by model
    silent: int = 0

    @property
    def statuses(self) -> Counter[int | None]:
        return Counter(one.status for one in self.seen)


@asynccontextmanager
async def chain_at(fake: FakeGemini, store: Path) -> AsyncIterator[Chain]:
    """The brain as a relay opens it: one model, its ledger in a file, a small brain behind it."""
    gemini = {"api_key": KEY, "base_url": fake.url, "models": [LITE]}
    llm = {"provider": "gemini", "gemini": gemini}
    chain = await open_brain(Settings.model_validate({"llm": llm, "quota": {"store": str(store)}}))
    try:
        yield chain
    finally:
        await chain.close()


async def doll(name: str, chain: Chain, until: float, talk: Talk) -> None:
    """Ask, listen, think, ask again."""
    loop, random = asyncio.get_running_loop(), Random(name)
    while loop.time() < until:
        asked = replace(request("오늘 뭐 했어?"), now=datetime.now(SEOUL))
        text = ""
        with suppress(ProviderError):  # an answer that broke off keeps what was said
            async with aclosing(chain.answer(asked, doll=name)) as answer:
                async for event in answer:
                    if isinstance(event, Answering):
                        talk.answers[event.model] += 1
                    elif isinstance(event, str):
                        text += event
        talk.silent += not text.strip()
        await asyncio.sleep(random.uniform(*PAUSE_S))


async def minutes(window: Window, store: Path, chances: tuple[Chance, ...] = ()) -> Talk:
    talk = Talk()
    rules = Rules(
        limits=None,  # those of the free tier
        counting=Counting(window, rejected=True),
        chances=chances,
        first_s=0.8,
        gap_s=0.02,
    )
    async with (
        serving_gemini(rules, observe=talk.seen.append) as fake,
        chain_at(fake, store) as chain,
    ):
        until = asyncio.get_running_loop().time() + 60 * MINUTES
        await asyncio.gather(*(doll(name, chain, until, talk) for name in DOLLS))
    return talk


@pytest.mark.slow
@pytest.mark.timeout(60 * MINUTES + 120)
async def test_three_dolls_talk_for_minutes_without_a_429_or_a_silent_turn(tmp_path: Path) -> None:
    sliding, clock, ill = await asyncio.gather(
        minutes("sliding", tmp_path / "sliding"),
        minutes("minute", tmp_path / "minute"),
        minutes("sliding", tmp_path / "ill", (Chance("503", 0.1), Chance("drop-middle", 0.05))),
    )
    for talk in (sliding, clock, ill):
        assert talk.silent == 0
        assert talk.statuses[429] == 0
        assert talk.answers.total() >= 12 * MINUTES
    for talk in (sliding, clock):
        assert talk.statuses.keys() == {200}
        # What the quota allows is used, and the small brain has what is over.
        assert talk.answers[LITE] >= 14 * MINUTES
        assert talk.answers[LOCAL] > 0
