"""What every recogniser must do: inherit `SpeechToTextContract` in its test module."""

from __future__ import annotations

import asyncio
import contextlib

import numpy as np
import pytest

from relay.audio import RATE_HZ, Pcm
from relay.errors import ErrorKind, ProviderError
from relay.stt.base import SpeechToText


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
