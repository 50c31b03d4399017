"""`python -m tools.bench.soak_server`: a relay whose providers take a moment and fail at random,
and which says every second how many tasks it has."""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections import Counter
from random import Random

import structlog

from relay.config import Settings, load
from relay.hearing.silero import SileroDetector
from relay.llm.admission import Link
from relay.llm.chain import Chain
from relay.llm.local import LocalLanguageModel
from relay.persona import load as load_persona
from relay.quota.unlimited import Unlimited
from relay.serve import serve
from relay.services import Services
from tools.bench.pipeline_script import Latencies
from tools.bench.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    Streams,
)
from tools.bench.soak_life import ANSWER, trouble

_FAILS = 0.002
_LATENCIES = Latencies(stt=0.05, first_token=0.05, first_sound=0.05)

#: The event that tells.
EVENT = "soak"


async def build(settings: Settings) -> Services:
    """The services of that relay."""
    counts: Counter[str] = Counter()
    streams = Streams()
    fails = trouble(Random(1), _FAILS, counts)  # noqa: S311
    model = ScriptedLanguageModel(_LATENCIES, streams, fails, ANSWER)
    services = Services(
        settings=settings,
        detector=SileroDetector(),
        stt=ScriptedSpeechToText(_LATENCIES, streams, fails),
        brain=Chain([Link(model, Unlimited())], tail=LocalLanguageModel()),
        tts=ScriptedTextToSpeech(_LATENCIES, streams, fails),
        persona=load_persona(settings.persona.name),
    )
    services.onlookers.append(lambda _: counts.update(turns=1))
    global _telling
    _telling = asyncio.create_task(_tell(streams, counts))
    return services


_telling: asyncio.Task[None] | None = None


async def _tell(streams: Streams, counts: Counter[str]) -> None:
    while True:
        await asyncio.sleep(1)
        gc.collect()  # the relay freezes and collects seldom; what is garbage is no leak
        structlog.get_logger().info(
            EVENT,
            tasks=len(asyncio.all_tasks()),
            streams=streams.open,
            turns=counts["turns"],
            failures=counts["failures of providers"],
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--log-format")
    arguments = parser.parse_args()
    relay = {"port": arguments.port, "log_format": arguments.log_format}
    serve(load(flags={"relay": relay, "endpoint": {"learned": False}}), build)
