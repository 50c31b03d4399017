"""What every recogniser must do. A provider's test module inherits the class that fits it.

`SpeechToTextContract` is for all; `RemoteSpeechToTextContract` adds what one behind a network owes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from relay.errors import ErrorKind, ProviderError
from relay.stt.base import SpeechToText
from tools.fake_gemini.http import Journal, Reply


class SpeechToTextContract:
    """The tests; a subclass gives the fixtures `stt` (a fresh recogniser) and `speech`.

    `languages` are two that the recogniser knows; `speech` is an utterance in the first of them.
    """

    languages = ("ko", "en")
    #: Longer than any utterance that a doll sends.
    over_long_s = 45

    @pytest.fixture
    def stt(self) -> SpeechToText:
        raise NotImplementedError

    @pytest.fixture
    def speech(self) -> Pcm:
        raise NotImplementedError

    async def test_it_hears_the_words_of_an_utterance(self, stt: SpeechToText, speech: Pcm) -> None:
        heard = await stt.transcribe(speech, self.languages)
        assert heard.text
        assert heard.text == heard.text.strip()
        assert heard.language == self.languages[0]

    async def test_no_audio_gives_an_empty_text(self, stt: SpeechToText) -> None:
        heard = await stt.transcribe(np.zeros(0, np.int16), self.languages)
        assert heard.text == ""
        assert heard.language in self.languages

    async def test_audio_too_short_for_a_word_gives_an_empty_text(
        self, stt: SpeechToText, speech: Pcm
    ) -> None:
        middle = len(speech) // 2
        heard = await stt.transcribe(speech[middle : middle + 512], self.languages)
        assert heard.text == ""

    async def test_silence_gives_an_empty_text(self, stt: SpeechToText) -> None:
        heard = await stt.transcribe(np.zeros(2 * RATE_HZ, np.int16), self.languages)
        assert heard.text == ""

    async def test_an_over_long_utterance_is_answered(self, stt: SpeechToText, speech: Pcm) -> None:
        long = np.tile(speech, 1 + self.over_long_s * RATE_HZ // len(speech))
        heard = await stt.transcribe(long, self.languages[:1])
        assert heard.text

    async def test_one_language_asked_for_is_the_language_reported(
        self, stt: SpeechToText, speech: Pcm
    ) -> None:
        for language in self.languages:
            assert (await stt.transcribe(speech, [language])).language == language

    async def test_an_unknown_language_is_a_bad_request(
        self, stt: SpeechToText, speech: Pcm
    ) -> None:
        for languages in ([], ["no such language"]):
            with pytest.raises(ProviderError) as caught:
                await stt.transcribe(speech, languages)
            assert caught.value.kind is ErrorKind.BAD_REQUEST

    async def test_several_calls_at_once_are_all_answered(
        self, stt: SpeechToText, speech: Pcm
    ) -> None:
        alone = await stt.transcribe(speech, self.languages)
        together = await asyncio.gather(*(stt.transcribe(speech, self.languages) for _ in range(3)))
        assert together == [alone] * 3

    async def test_a_cancelled_call_ends_at_once_and_the_next_one_works(
        self, stt: SpeechToText, speech: Pcm
    ) -> None:
        call = asyncio.create_task(stt.transcribe(speech, self.languages))
        for _ in range(3):
            await asyncio.sleep(0)
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        assert (await stt.transcribe(speech, self.languages)).text

    async def test_it_does_not_change_the_audio_it_is_given(
        self, stt: SpeechToText, speech: Pcm
    ) -> None:
        kept = speech.copy()
        await stt.transcribe(speech, self.languages)
        assert np.array_equal(speech, kept)

    async def test_after_close_a_call_is_refused(self, stt: SpeechToText, speech: Pcm) -> None:
        await stt.close()
        with pytest.raises(ProviderError):
            await stt.transcribe(speech, self.languages)

    async def test_close_may_come_twice(self, stt: SpeechToText) -> None:
        await stt.close()
        await stt.close()


async def failure(stt: SpeechToText, speech: Pcm) -> ProviderError:
    """The error that hearing `speech` ends in."""
    with pytest.raises(ProviderError) as caught:
        await stt.transcribe(speech, ["ko"])
    return caught.value


async def hung_up(journal: Journal) -> None:
    """Wait until the server has noticed that its client went away."""
    async with asyncio.timeout(20):
        await journal.disconnected.wait()


@dataclass
class FarSide:
    """The fake server behind a remote recogniser."""

    journal: Journal
    play: Callable[..., None]
    make: Callable[[float], AbstractAsyncContextManager[SpeechToText]]  #: given its time limit
    heard: Callable[[str], Reply]
    heard_in: Callable[[str, str], Reply]  #: a text, and the language that the server detected
    no_headers: Reply
    stuck: Reply  #: hangs after half of the answer
    cut: Reply  #: breaks off there
    overloaded: Reply
    garbage: tuple[Reply, ...]  #: status 200 and what is no transcription
    endless: Reply  #: much more than any transcription


class RemoteSpeechToTextContract(SpeechToTextContract):
    """A subclass gives the fixtures `far_side` and `speech`."""

    @pytest.fixture
    def far_side(self) -> FarSide:
        raise NotImplementedError

    @pytest.fixture
    async def stt(self, far_side: FarSide) -> AsyncIterator[SpeechToText]:
        async with far_side.make(60) as stt:
            yield stt

    async def test_one_utterance_is_one_request(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        far_side.play(far_side.overloaded)
        assert (await failure(stt, speech)).kind is ErrorKind.SERVER
        assert len(far_side.journal.requests) == 1

    async def test_silence_is_no_request(self, far_side: FarSide, stt: SpeechToText) -> None:
        assert (await stt.transcribe(np.zeros(RATE_HZ, np.int16), ["ko"])).text == ""
        assert far_side.journal.requests == []

    async def test_it_reuses_its_connection(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        for _ in range(3):
            await stt.transcribe(speech, ["ko"])
        assert far_side.journal.connections == 1

    async def test_cancelling_ends_the_request_at_the_server(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        for reply in (far_side.no_headers, far_side.stuck):
            far_side.journal.disconnected.clear()
            before = len(far_side.journal.requests)
            far_side.play(reply)
            call = asyncio.create_task(stt.transcribe(speech, ["ko"]))
            async with asyncio.timeout(20):
                while len(far_side.journal.requests) == before:
                    await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await hung_up(far_side.journal)

    async def test_a_server_that_hangs_is_given_up(self, far_side: FarSide, speech: Pcm) -> None:
        for reply in (far_side.no_headers, far_side.stuck):
            far_side.journal.disconnected.clear()
            far_side.play(reply)
            async with far_side.make(0.3) as stt:
                assert (await failure(stt, speech)).kind is ErrorKind.NETWORK
            await hung_up(far_side.journal)

    async def test_a_cut_connection_is_a_network_failure(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        far_side.play(far_side.cut)
        assert (await failure(stt, speech)).kind is ErrorKind.NETWORK

    async def test_an_answer_that_is_no_transcription_is_a_server_failure(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        for reply in far_side.garbage:
            far_side.play(reply)
            assert (await failure(stt, speech)).kind is ErrorKind.SERVER

    async def test_an_answer_without_end_is_not_read(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        far_side.play(far_side.endless)
        assert (await failure(stt, speech)).kind is ErrorKind.SERVER

    async def test_a_text_much_too_long_is_cut(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        far_side.play(far_side.heard("바보 " * 5_000))
        assert 0 < len((await stt.transcribe(speech, ["ko"])).text) <= 2_000

    async def test_a_language_that_was_not_asked_for_is_heard_again_in_the_first(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        far_side.play(far_side.heard_in("アンニョン", "ja"), far_side.heard_in("안녕", "ko"))
        heard = await stt.transcribe(speech, ["ko", "en"])
        assert (heard.text, heard.language) == ("안녕", "ko")

    async def test_what_a_recogniser_makes_up_over_noise_is_no_text(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        far_side.play(far_side.heard("시청해 주셔서 감사합니다."))
        assert (await stt.transcribe(speech, ["ko"])).text == ""

    async def test_a_failure_does_not_disturb_the_next_utterance(
        self, far_side: FarSide, stt: SpeechToText, speech: Pcm
    ) -> None:
        far_side.play(far_side.overloaded, far_side.cut)
        await failure(stt, speech)
        await failure(stt, speech)
        assert (await stt.transcribe(speech, ["ko"])).text
