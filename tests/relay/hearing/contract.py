"""What every detector of voice must do: inherit `VoiceDetectorContract` in its test module."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from relay.audio import FRAME_SAMPLES, Pcm
from relay.hearing.base import VoiceDetector, VoiceStream

SILENCE: Pcm = np.zeros(FRAME_SAMPLES, np.int16)


class VoiceDetectorContract:
    """The tests; a subclass gives the fixture `make`, which makes a fresh detector."""

    #: How far two answers to the same frame may lie apart: frames that share a call of the model
    #: are added up in another order.
    tolerance = 1e-4

    @pytest.fixture
    def make(self) -> Callable[[], VoiceDetector]:
        raise NotImplementedError

    @pytest.fixture
    async def detector(self, make: Callable[[], VoiceDetector]) -> AsyncIterator[VoiceDetector]:
        detector = make()
        yield detector
        await detector.close()

    @pytest.fixture
    def speech(self, question: Pcm, frames_of: Callable[[Pcm], list[Pcm]]) -> list[Pcm]:
        """Frames of a person who speaks."""
        return frames_of(question)

    async def hear(self, stream: VoiceStream, frames: list[Pcm]) -> list[float]:
        return [await stream.probability(frame) for frame in frames]

    async def test_speech_is_likelier_voice_than_silence(
        self, detector: VoiceDetector, speech: list[Pcm]
    ) -> None:
        voice = await self.hear(detector.stream(), speech)
        silence = await self.hear(detector.stream(), [SILENCE] * 20)
        assert max(voice) > 0.5
        assert max(silence) < 0.5
        assert all(0 <= probability <= 1 for probability in voice + silence)

    async def test_the_same_audio_gives_the_same_answers(
        self, detector: VoiceDetector, speech: list[Pcm]
    ) -> None:
        first = await self.hear(detector.stream(), speech[:30])
        again = await self.hear(detector.stream(), speech[:30])
        assert again == pytest.approx(first, abs=self.tolerance)

    async def test_streams_share_nothing(self, detector: VoiceDetector, speech: list[Pcm]) -> None:
        alone = await self.hear(detector.stream(), speech[:30])
        several = [detector.stream() for _ in range(5)]
        together = [
            await asyncio.gather(
                several[0].probability(frame),
                *(stream.probability(SILENCE) for stream in several[1:]),
            )
            for frame in speech[:30]
        ]
        assert [answers[0] for answers in together] == pytest.approx(alone, abs=self.tolerance)

    async def test_a_reset_stream_is_like_a_new_one(
        self, detector: VoiceDetector, speech: list[Pcm]
    ) -> None:
        stream = detector.stream()
        first = await self.hear(stream, speech[:30])
        stream.reset()
        assert await self.hear(stream, speech[:30]) == pytest.approx(first, abs=self.tolerance)

    async def test_a_cancelled_frame_never_came(
        self, detector: VoiceDetector, speech: list[Pcm]
    ) -> None:
        plain, disturbed = detector.stream(), detector.stream()
        expected = await self.hear(plain, speech[:30])
        heard = []
        for frame in speech[:30]:
            lost = asyncio.ensure_future(disturbed.probability(SILENCE))
            lost.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # unless it was answered at once
                await lost
            heard.append(await disturbed.probability(frame))
        assert heard == pytest.approx(expected, abs=self.tolerance)

    async def test_patience_changes_no_answer(
        self, detector: VoiceDetector, speech: list[Pcm]
    ) -> None:
        expected = await self.hear(detector.stream(), speech[:10])
        stream, heard = detector.stream(), []
        for frame in speech[:10]:
            answer = stream.probability(frame, patient=True)
            stream.hurry()
            heard.append(await answer)
        assert heard == pytest.approx(expected, abs=self.tolerance)

    @pytest.mark.parametrize(
        "frame",
        [
            np.zeros(0, np.int16),
            np.zeros(FRAME_SAMPLES - 1, np.int16),
            np.zeros(FRAME_SAMPLES * 2, np.int16),
            np.zeros((FRAME_SAMPLES, 1), np.int16),
            np.zeros(FRAME_SAMPLES, np.float32),
        ],
        ids=lambda frame: f"{frame.shape}-{frame.dtype}",
    )
    async def test_what_is_no_frame_is_refused(self, detector: VoiceDetector, frame: Pcm) -> None:
        stream = detector.stream()
        with pytest.raises(ValueError):
            await stream.probability(frame)
        assert 0 <= await stream.probability(SILENCE) <= 1

    @pytest.mark.parametrize(
        "frame",
        [
            np.full(FRAME_SAMPLES, -32_768, np.int16),
            np.tile(np.array([32_767, -32_768], np.int16), FRAME_SAMPLES // 2),
            np.random.default_rng(0).integers(-32_768, 32_767, FRAME_SAMPLES, np.int16),
        ],
        ids=["rail", "square", "noise"],
    )
    async def test_any_sound_however_ugly_gets_an_answer(
        self, detector: VoiceDetector, frame: Pcm
    ) -> None:
        for probability in await self.hear(detector.stream(), [frame] * 40):
            assert 0 <= probability <= 1

    async def test_silence_after_a_minute_of_noise_is_silence(
        self,
        detector: VoiceDetector,
        noise: Callable[..., Pcm],
        frames_of: Callable[..., list[Pcm]],
    ) -> None:
        stream = detector.stream()
        await self.hear(stream, frames_of(noise(1_900, -25)))
        assert (await self.hear(stream, [SILENCE] * 20))[-1] < 0.5

    async def test_close_may_come_twice(self, make: Callable[[], VoiceDetector]) -> None:
        detector = make()
        await detector.stream().probability(SILENCE)
        await detector.close()
        await detector.close()
