"""Text to speech with Kokoro on this machine's own processor: Korean and English, no key."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Final, ParamSpec, Self, TypeVar

import numpy as np

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.memory_trim import trim
from relay.models import KOKORO, ensure
from relay.tts.cache import ClauseCache
from relay.tts.flow import ClauseFlow
from relay.tts.kokoro_engine import RATE_HZ, Floats, KokoroEngine, Plan, split
from relay.tts.phonemes import LANGUAGES, to_phonemes
from relay.tts.polish import pause_after
from relay.tts.unknown import UnknownVoices
from relay.worker import Worker

P = ParamSpec("P")
T = TypeVar("T")

#: Of the voices in the package, the one that Whisper understands best in Korean.
VOICE: Final = "jf_gongitsune"

#: Korean through phonemes of other languages is easier to understand a little slower.
SPEEDS: Final = {"ko": 0.9, "en": 1.0}

#: A chunk is short, so that the first frame goes out at once and stopping is prompt.
CHUNK_S: Final = 0.1

#: No clause is longer than this many characters; it would be a minute of speech.
LONGEST_TEXT: Final = 1_000


class KokoroTextToSpeech:
    """One Kokoro model for all dolls, in a thread of its own. Made by `load`."""

    def __init__(
        self,
        engine: KokoroEngine,
        worker: Worker,
        *,
        voice: str = "",
        speed: float = 1.0,
        cache: ClauseCache | None = None,
    ) -> None:
        """`voice` is one of `voices`, or empty for the default.

        `speed` is relative to the natural one, 0.5 to 2. Raises ProviderError (BAD_REQUEST) for
        another voice or speed.
        """
        voice = voice or VOICE
        if voice not in engine.voices:
            raise ProviderError(
                ErrorKind.BAD_REQUEST,
                f"Kokoro has no voice {voice!r}; choose one of {', '.join(engine.voices)}.",
            )
        if not 0.5 <= speed <= 2.0:
            raise ProviderError(
                ErrorKind.BAD_REQUEST, f"Speed {speed:g} is out of range; choose 0.5 to 2."
            )
        self._engine = engine
        self._worker = worker
        self._voice = voice
        self._speed = speed
        self._cache = cache if cache is not None else ClauseCache()
        self._unknown = UnknownVoices("kokoro")
        self._closed = False

    @classmethod
    async def load(
        cls,
        directory: Path | None = None,
        *,
        voice: str = "",
        speed: float = 1.0,
        threads: int = 2,
        waiting: int = 8,
    ) -> Self:
        """Load the model and speak a word in each language, so that the first turn is fast.

        `directory` holds the files of `relay.models.KOKORO`; without it the embedded ones are used.
        Takes one to two seconds. Raises ProviderError when the model cannot be had or loaded, or
        `voice` or `speed` is wrong.
        """
        worker = Worker("Speech synthesis", waiting)
        try:
            engine = await worker.run(_load, directory, threads)
            return cls(engine, worker, voice=voice, speed=speed)
        except BaseException:
            await worker.close()
            raise

    @property
    def rate_hz(self) -> int:
        """See `TextToSpeech.rate_hz`."""
        return RATE_HZ

    def voices(self) -> list[str]:
        """The names that `voice` may have."""
        return self._engine.voices

    async def speak(self, text: str, language: str, voice: str = "") -> AsyncGenerator[Pcm, None]:
        """See `TextToSpeech.speak`. Speaks "ko" and "en", also mixed; skips what it cannot say."""
        if self._closed:
            raise ProviderError(ErrorKind.SERVER, "Speech synthesis is closed.")
        if language not in LANGUAGES:
            raise ProviderError(
                ErrorKind.BAD_REQUEST,
                f"Kokoro speaks {' and '.join(LANGUAGES)} here, not {language!r}; "
                "choose another TTS or persona language.",
            )
        text = text.strip()[:LONGEST_TEXT]
        if not text:
            return
        if not self.knows(voice):
            self._unknown.missed(voice)
            voice = ""
        voice = voice or self._voice
        key = (voice, self._speed, language, text)
        if (spoken := self._cache.get(key)) is not None:
            for chunk in _chunks(spoken):
                yield chunk
            return
        parts = await self._run(_phonemes, text, language)
        spoken_parts: list[Pcm] = []
        for number, part in enumerate(parts, start=1):
            pause_s = pause_after(text if number == len(parts) else part)
            async with aclosing(self._part(part, language, voice, pause_s)) as sounds:
                async for pcm in sounds:
                    spoken_parts.append(pcm)
                    for chunk in _chunks(pcm):
                        yield chunk
        self._cache.put(key, np.concatenate([np.zeros(0, np.int16), *spoken_parts]))

    def knows(self, voice: str) -> bool:
        """See `TextToSpeech.knows`."""
        return not voice or voice in self._engine.voices

    async def _part(
        self, phonemes: str, language: str, voice: str, pause_s: float
    ) -> AsyncGenerator[Pcm, None]:
        """Stream what the model takes at once. Nothing more is made when nobody listens."""
        speed = self._speed * SPEEDS[language]
        plan = await self._run(self._engine.plan, phonemes, voice, speed)
        if plan is None:
            return
        flow = ClauseFlow(RATE_HZ)
        for piece in range(plan.pieces):
            # Between two pieces other dolls have their turn.
            if len(pcm := flow.push(await self._run(_sound, self._engine, plan, piece))):
                yield pcm
        if len(pcm := flow.finish(pause_s)):
            yield pcm

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._worker.run(function, *args, **kwargs)
        except ProviderError:
            raise
        except Exception as error:  # ONNX Runtime's have no base class of their own
            raise ProviderError(ErrorKind.SERVER, f"Kokoro failed: {error}") from error

    async def close(self) -> None:
        """See `TextToSpeech.close`."""
        self._closed = True
        await self._worker.close()


def _load(directory: Path | None, threads: int) -> KokoroEngine:
    home = directory or ensure(KOKORO)
    # What the dictionaries need while they are read is given back before the model comes.
    clauses = [to_phonemes(text, language) for text, language in (("응", "ko"), ("Yes", "en"))]
    trim()
    try:
        engine = KokoroEngine(home, threads)
    except Exception as error:  # ONNX Runtime's have no base class of their own
        raise ProviderError(
            ErrorKind.SERVER, f"The Kokoro model in {home} cannot be loaded: {error}"
        ) from error
    for clause in clauses:
        plan = engine.plan(clause, VOICE, 1.0)
        assert plan is not None
        engine.sound(plan, 0)
    trim()
    return engine


def _phonemes(text: str, language: str) -> list[str]:
    return split(to_phonemes(text, language))


def _sound(engine: KokoroEngine, plan: Plan, piece: int) -> Pcm:
    samples = engine.sound(plan, piece)
    if piece == plan.pieces - 1:
        trim()  # what planning gave back, in 2 ms; the recogniser may need it now
    return to_pcm(samples)


def to_pcm(samples: Floats) -> Pcm:
    """Samples of full scale 1 as 16 bit; what is not a number is silence."""
    return np.round(np.clip(np.nan_to_num(samples), -1, 1) * 32767).astype(np.int16)


def _chunks(pcm: Pcm) -> Iterator[Pcm]:
    step = round(CHUNK_S * RATE_HZ)
    for start in range(0, len(pcm), step):
        yield pcm[start : start + step]
