"""What `doll bench pipeline` is held against: scripts that ask the same providers, and no relay."""

from __future__ import annotations

import asyncio
from time import perf_counter

import httpx2
import numpy as np

from relay import wav
from relay.audio import RATE_HZ
from tools.bench.pipeline_http import MODEL
from tools.bench.pipeline_script import (
    ANSWER,
    Latencies,
    first_clause,
    tokens_to_first_clause,
)

_UTTERANCE = wav.encode(np.zeros(RATE_HZ, np.int16), RATE_HZ)


async def asleep(latencies: Latencies) -> float:
    """The providers' part of the critical path as sleeps, one after another; seconds."""
    start = perf_counter()
    await asyncio.sleep(latencies.stt)
    await asyncio.sleep(latencies.first_token)
    for _ in range(tokens_to_first_clause() - 1):
        await asyncio.sleep(latencies.token)
    await asyncio.sleep(latencies.first_sound)
    return perf_counter() - start


async def asked(url: str, *, whole: bool) -> float:
    """The providers asked one after another by a bare HTTP client, up to the first sound; seconds.

    The voice is asked with the first clause; `whole`: with the whole answer, once it is there.
    """
    async with httpx2.AsyncClient(timeout=60) as client:
        start = perf_counter()
        form = {"model": MODEL}
        file = {"file": ("speech.wav", _UTTERANCE, "audio/wav")}
        (await client.post(f"{url}/audio/transcriptions", data=form, files=file)).raise_for_status()
        enough = None if whole else tokens_to_first_clause()
        body = {"model": MODEL, "messages": [], "stream": True}
        async with client.stream("POST", f"{url}/chat/completions", json=body) as answer:
            count = 0
            async for line in answer.aiter_lines():
                count += "content" in line
                if count == enough:
                    break
        body = {"model": MODEL, "input": ANSWER if whole else first_clause()}
        async with client.stream("POST", f"{url}/audio/speech", json=body) as speech:
            async for _ in speech.aiter_bytes():
                return perf_counter() - start
    raise RuntimeError("the voice said nothing")
