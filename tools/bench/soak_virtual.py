"""The hours of `doll bench soak`: whole lives of dolls in virtual time."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from unittest import mock

from relay.devices import watch
from relay.llm.admission import Link
from relay.llm.chain import Chain
from relay.llm.local import LocalLanguageModel
from relay.quota.unlimited import Unlimited
from tools.bench.pipeline_script import Latencies
from tools.bench.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    Streams,
)
from tools.bench.soak_census import Growers, Sample, look
from tools.bench.soak_flat import WARM_UP
from tools.bench.soak_life import ACTS, ANSWER, Life, together, trouble
from tools.bench.virtual import MemoryRelay, memory_relay, run

#: At the end of each everybody leaves, and what is still there is counted.
ROUND_S = 300.0

#: Everything that waits for somebody has given up after this: resuming, writing, the last answer.
_REST_S = 90.0

#: The relay looks at the registry four times a second; here that would be most of the work.
_LOOK_S = 10.0

_AT_ONCE, _KNOWN, _NEW = 6, 18, 2  # dolls that live at a time, come again and again, and only once
_FAILS = 0.004  # at each step of each provider
_LATENCIES = Latencies(stt=0.2, first_token=0.3, first_sound=0.15)


@dataclass(slots=True)
class Soaked:
    """What hours came to."""

    hours: float
    samples: list[Sample] = field(default_factory=list)  #: one for each round, at rest
    turns: list[int] = field(default_factory=list)  #: acts so far, at each sample
    counts: Counter[str] = field(default_factory=Counter)
    streams_open: int = 0  #: of providers, at the end
    cut: int = 0  #: streams of providers that were closed before their end
    sessions: int = 0  #: that the relay still has, at the end
    growers: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  #: that hold more memory than after warm-up


def soak(hours: float, seed: int = 1, round_s: float = ROUND_S) -> Soaked:
    """Run on the thread of the caller; some seconds for each round."""
    tracemalloc.start()
    try:
        with mock.patch.object(watch, "LOOK_S", _LOOK_S):
            soaked: Soaked = run(_soak(hours, seed, round_s))
        return soaked
    finally:
        tracemalloc.stop()


async def _soak(hours: float, seed: int, round_s: float) -> Soaked:
    soaked, random = Soaked(hours), Random(seed)  # noqa: S311
    ear, brain, voice = streams = [Streams() for _ in range(3)]
    fails = trouble(random, _FAILS, soaked.counts)
    model = ScriptedLanguageModel(_LATENCIES, brain, fails, ANSWER)
    async with memory_relay(
        ScriptedSpeechToText(_LATENCIES, ear, fails),
        Chain([Link(model, Unlimited())], tail=LocalLanguageModel()),
        ScriptedTextToSpeech(_LATENCIES, voice, fails),
        {"limits": {"turns_per_min": 600.0}},
    ) as relay:
        tokens = {f"known-{n}": await relay.token(f"known-{n}") for n in range(_KNOWN)}
        rounds = max(1, round(hours * 3600 / round_s))
        growers, before = Growers(), None
        for number in range(rounds):
            await _round(relay, tokens, random, soaked.counts, number, round_s)
            soaked.samples.append(look())
            soaked.turns.append(sum(soaked.counts[act] for act in ACTS))
            if number >= rounds * WARM_UP:
                growers.look()
                before = before or tracemalloc.take_snapshot()
        soaked.sessions = len(relay.dolls)
        soaked.growers = growers.found()
        if before is not None:
            more = tracemalloc.take_snapshot().compare_to(before, "lineno")
            soaked.lines = [str(line) for line in more[:5] if line.size_diff > 0]
    soaked.streams_open = sum(stream.open for stream in streams)
    soaked.cut = sum(stream.cuts for stream in streams)
    return soaked


async def _round(
    relay: MemoryRelay,
    tokens: dict[str, str],
    random: Random,
    counts: Counter[str],
    number: int,
    round_s: float,
) -> None:
    """Some come that were here before, and some that never were; then everybody leaves."""
    names = random.sample(list(tokens), _AT_ONCE - _NEW)
    once = {f"once-{number}-{n}": await relay.token(f"once-{number}-{n}") for n in range(_NEW)}
    these = {name: tokens[name] for name in names} | once
    until = asyncio.get_running_loop().time() + round_s
    lives = [
        Life(relay, name, token, Random(random.random()), counts)  # noqa: S311
        for name, token in these.items()
    ]
    await together(lives, until)
    await asyncio.sleep(_REST_S)
    await relay.settled()
