"""What every voice must do. A provider's test module inherits the class that fits it.

`TextToSpeechContract` is for all; `RemoteTextToSpeechContract` adds what one behind a network owes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import structlog

from relay.audio import Pcm
from relay.errors import ErrorKind, ProviderError
from relay.streaming import Deadlines
from relay.tts.base import TextToSpeech

PATIENT = Deadlines(first_s=60, gap_s=60, total_s=60)


async def spoken(tts: TextToSpeech, text: str, language: str = "ko", voice: str = "") -> list[Pcm]:
    """All chunks of one clause."""
    async with contextlib.aclosing(tts.speak(text, language, voice)) as chunks:
        return [chunk async for chunk in chunks]


class TextToSpeechContract:
    """The tests; a subclass gives the fixture `tts`, a fresh voice."""

    clauses: ClassVar[dict[str, str]] = {"ko": "안녕, 나는 인형이야.", "en": "Hello, I am a doll."}
    #: The longest chunk, so that the first frame goes out soon and stopping is prompt.
    chunk_s = 0.2
    #: Two voices that it has, and some that it does not have.
    voices: ClassVar[tuple[str, str]] = ("low", "high")
    unknown: ClassVar[tuple[str, ...]] = ("no-such-voice",)

    @pytest.fixture
    def tts(self) -> TextToSpeech:
        raise NotImplementedError

    async def test_it_speaks_each_of_its_languages(self, tts: TextToSpeech) -> None:
        for language, text in self.clauses.items():
            pcm = np.concatenate(await spoken(tts, text, language))
            assert pcm.dtype == np.int16
            assert pcm.ndim == 1
            assert 0.2 < len(pcm) / tts.rate_hz < 10
            assert np.abs(pcm.astype(int)).max() > 1_000

    async def test_the_rate_is_one_that_a_doll_can_be_sent(self, tts: TextToSpeech) -> None:
        assert tts.rate_hz in (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)

    async def test_it_streams_in_short_chunks_none_of_them_empty(self, tts: TextToSpeech) -> None:
        chunks = await spoken(tts, self.clauses["ko"])
        assert len(chunks) > 1
        assert all(0 < len(chunk) <= self.chunk_s * tts.rate_hz for chunk in chunks)

    async def test_nothing_to_say_yields_nothing(self, tts: TextToSpeech) -> None:
        for text in ("", "   ", "…", "?!", "\n\t"):
            assert await spoken(tts, text) == []

    async def test_an_unknown_language_is_a_bad_request(self, tts: TextToSpeech) -> None:
        with pytest.raises(ProviderError) as caught:
            await spoken(tts, "hello", "no such language")
        assert caught.value.kind is ErrorKind.BAD_REQUEST

    async def test_a_text_without_end_is_spoken_for_a_while(self, tts: TextToSpeech) -> None:
        async with contextlib.aclosing(tts.speak("아주 " * 20_000, "ko")) as chunks:
            assert len(await anext(chunks))

    async def test_several_clauses_at_once_are_all_spoken(self, tts: TextToSpeech) -> None:
        await spoken(tts, self.clauses["ko"])  # a voice may learn from it how loud it is
        alone = np.concatenate(await spoken(tts, self.clauses["ko"]))
        together = await asyncio.gather(*(spoken(tts, self.clauses["ko"]) for _ in range(3)))
        for chunks in together:
            assert np.array_equal(np.concatenate(chunks), alone)

    async def test_voices_that_speak_at_once_do_not_mix(self, tts: TextToSpeech) -> None:
        text, voices = self.clauses["ko"], self.voices
        alone = {}
        for voice in voices * 2:  # the first time it may learn how loud the voice is
            assert tts.knows(voice)
            alone[voice] = np.concatenate(await spoken(tts, text, voice=voice))
        assert not np.array_equal(*alone.values())
        order = voices * 2
        together = await asyncio.gather(*(spoken(tts, text, voice=voice) for voice in order))
        for voice, chunks in zip(order, together, strict=True):
            assert np.array_equal(np.concatenate(chunks), alone[voice])

    async def test_a_voice_that_it_does_not_have_is_spoken_by_the_default_and_told_once(
        self, tts: TextToSpeech
    ) -> None:
        text = self.clauses["ko"]
        await spoken(tts, text)
        default = np.concatenate(await spoken(tts, text))
        for voice in self.unknown:
            with structlog.testing.capture_logs() as logs:
                for _ in range(3):
                    pcm = np.concatenate(await spoken(tts, text, voice=voice))
                    assert np.array_equal(pcm, default)
            assert [log["voice"] for log in logs if log["log_level"] == "warning"] == [voice]
            assert not tts.knows(voice)
        assert tts.knows("")

    async def test_closed_after_the_first_chunk_the_next_clause_is_spoken(
        self, tts: TextToSpeech
    ) -> None:
        async with contextlib.aclosing(tts.speak(self.clauses["ko"], "ko")) as chunks:
            await anext(chunks)
        assert await spoken(tts, self.clauses["en"], "en")

    async def test_cancelled_before_the_first_chunk_the_next_clause_is_spoken(
        self, tts: TextToSpeech
    ) -> None:
        call = asyncio.create_task(spoken(tts, self.clauses["ko"]))
        for _ in range(3):
            await asyncio.sleep(0)
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        assert await spoken(tts, self.clauses["en"], "en")

    async def test_after_close_a_clause_is_refused(self, tts: TextToSpeech) -> None:
        await tts.close()
        with pytest.raises(ProviderError):
            await spoken(tts, self.clauses["ko"])

    async def test_close_may_come_twice(self, tts: TextToSpeech) -> None:
        await tts.close()
        await tts.close()


async def failure(tts: TextToSpeech) -> ProviderError:
    """The error that a clause ends in."""
    with pytest.raises(ProviderError) as caught:
        await spoken(tts, "안녕, 나는 인형이야.")
    return caught.value


@dataclass
class FarSide:
    """The fake server behind a remote voice. A reply is of the fake's own type."""

    play: Callable[..., None]
    make: Callable[[Deadlines], AbstractAsyncContextManager[TextToSpeech]]
    requests: Callable[[], int]  #: that were seen so far
    disconnected: asyncio.Event  #: set when a client went away while the server was hanging
    speech: Any  #: half a second of tone
    silence: Any
    stuck: Any  #: half a second of tone, and then it hangs
    cut: Any  #: half a second of tone, and then it breaks off
    no_headers: Any  #: hangs at once
    overloaded: Any
    garbage: tuple[Any, ...]  #: accepted, and then what is no speech
    endless: Any  #: more than a minute of speech, and then it hangs
    rejected: ErrorKind = field(default=ErrorKind.SERVER)  #: the kind of `overloaded`


class RemoteTextToSpeechContract(TextToSpeechContract):
    """A subclass gives the fixture `far_side`."""

    @pytest.fixture
    def far_side(self) -> FarSide:
        raise NotImplementedError

    @pytest.fixture
    async def tts(self, far_side: FarSide) -> AsyncIterator[TextToSpeech]:
        async with far_side.make(PATIENT) as tts:
            yield tts

    async def hung_up(self, far_side: FarSide) -> None:
        async with asyncio.timeout(20):
            await far_side.disconnected.wait()

    async def test_sound_is_passed_on_as_it_comes(
        self, far_side: FarSide, tts: TextToSpeech
    ) -> None:
        far_side.play(far_side.stuck)
        heard = 0
        async with contextlib.aclosing(tts.speak("안녕", "ko")) as chunks:
            while heard < 0.3 * tts.rate_hz:  # the answer is not over yet
                heard += len(await anext(chunks))

    async def test_one_clause_is_one_request(self, far_side: FarSide, tts: TextToSpeech) -> None:
        far_side.play(far_side.overloaded)
        assert (await failure(tts)).kind is far_side.rejected
        assert far_side.requests() == 1

    async def test_nothing_to_say_is_no_request(self, far_side: FarSide, tts: TextToSpeech) -> None:
        assert await spoken(tts, "…?!") == []
        assert far_side.requests() == 0

    async def test_closing_ends_the_request_at_the_server(
        self, far_side: FarSide, tts: TextToSpeech
    ) -> None:
        far_side.play(far_side.stuck)
        async with contextlib.aclosing(tts.speak("안녕", "ko")) as chunks:
            await anext(chunks)
        await self.hung_up(far_side)

    async def test_cancelling_ends_the_request_at_the_server(
        self, far_side: FarSide, tts: TextToSpeech
    ) -> None:
        for reply in (far_side.no_headers, far_side.stuck):
            far_side.disconnected.clear()
            before = far_side.requests()
            far_side.play(reply)
            call = asyncio.create_task(spoken(tts, "안녕"))
            async with asyncio.timeout(20):
                while far_side.requests() == before:
                    await asyncio.sleep(0.01)
            call.cancel()
            async with asyncio.timeout(5):  # a server that hangs does not hold the doll up
                with pytest.raises(asyncio.CancelledError):
                    await call
            await self.hung_up(far_side)

    async def test_a_server_that_never_begins_is_given_up(self, far_side: FarSide) -> None:
        far_side.play(far_side.no_headers)
        async with far_side.make(replace(PATIENT, first_s=0.3)) as tts:
            assert (await failure(tts)).kind is ErrorKind.NETWORK
        await self.hung_up(far_side)

    @pytest.mark.parametrize(
        "deadlines", [replace(PATIENT, gap_s=0.3), replace(PATIENT, total_s=2.0)], ids=repr
    )
    async def test_a_server_that_stops_in_the_middle_is_given_up(
        self, far_side: FarSide, deadlines: Deadlines
    ) -> None:
        far_side.play(far_side.stuck)
        heard = 0
        async with far_side.make(deadlines) as tts:
            with pytest.raises(ProviderError) as caught:
                async for chunk in tts.speak("안녕", "ko"):
                    heard += len(chunk)
            assert caught.value.kind is ErrorKind.NETWORK
            assert heard > 0.3 * tts.rate_hz
        await self.hung_up(far_side)

    async def test_a_cut_connection_is_a_network_failure(
        self, far_side: FarSide, tts: TextToSpeech
    ) -> None:
        far_side.play(far_side.cut)
        assert (await failure(tts)).kind is ErrorKind.NETWORK

    async def test_silence_is_a_failure(self, far_side: FarSide, tts: TextToSpeech) -> None:
        far_side.play(far_side.silence)
        assert (await failure(tts)).kind is ErrorKind.SERVER

    async def test_what_is_no_speech_is_never_played(
        self, far_side: FarSide, tts: TextToSpeech
    ) -> None:
        for reply in far_side.garbage:
            far_side.play(reply)
            heard: list[Pcm] = []
            with pytest.raises(ProviderError) as caught:
                async for chunk in tts.speak("안녕", "ko"):
                    heard.append(chunk)  # noqa: PERF401 - what came before the failure counts
            assert caught.value.kind is ErrorKind.SERVER
            assert heard == []

    async def test_speech_without_end_is_cut_off(
        self, far_side: FarSide, tts: TextToSpeech
    ) -> None:
        far_side.play(far_side.endless)
        pcm = np.concatenate(await spoken(tts, "안녕"))
        assert 55 < len(pcm) / tts.rate_hz < 62
        await self.hung_up(far_side)

    async def test_a_failure_does_not_disturb_the_next_clause(
        self, far_side: FarSide, tts: TextToSpeech
    ) -> None:
        far_side.play(far_side.overloaded, far_side.cut)
        await failure(tts)
        await failure(tts)
        assert await spoken(tts, "안녕")
