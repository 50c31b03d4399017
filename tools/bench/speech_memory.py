"""A process with the whole embedded stack that does one turn in each language.

`python -m tools.bench.speech_memory` prints its highest memory in MB.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from contextlib import aclosing
from pathlib import Path

import numpy as np
import soxr

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.hearing.silero import SileroDetector
from relay.stt.whisper import WhisperSpeechToText
from relay.tts.kokoro import KokoroTextToSpeech
from relay.wire.blocks import Blocks

#: Answers as long as they come: three clauses at once.
_ANSWERS = (
    ("ko", "딱히 네가 보고 싶었던 건 아니지만, 오늘은 같이 놀아 줄게. 뭐 하고 싶은지 말해 봐."),
    ("en", "I was not waiting for you, but we can play together today. Tell me what you like."),
)


async def measure() -> float:
    """The peak of this process in MB; most of it is the models."""
    detector = SileroDetector()
    stt, tts = await asyncio.gather(
        WhisperSpeechToText.load(threads=2), KokoroTextToSpeech.load(threads=1)
    )
    stream = detector.stream()
    for language, text in _ANSWERS:
        async with aclosing(tts.speak(text, language)) as speech:
            spoken = np.concatenate([chunk async for chunk in speech])
        heard: Pcm = soxr.resample(spoken, tts.rate_hz, RATE_HZ)
        for frame in Blocks(FRAME_SAMPLES).push(heard):
            await stream.probability(frame)
        await stt.transcribe(heard, ["ko", "en"])
    await asyncio.gather(detector.close(), stt.close(), tts.close())
    return peak_mb()


def peak_mb() -> float:
    """The most memory that this process ever had."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's getrusage also counts what the parent had when it forked
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1 << (20 if sys.platform == "darwin" else 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    print(round(asyncio.run(measure()), 1))
