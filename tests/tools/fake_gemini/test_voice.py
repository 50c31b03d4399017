from __future__ import annotations

import io
import wave

import numpy as np

from tools.fake_gemini import voice


def test_more_text_takes_longer_to_say() -> None:
    assert len(voice.speech("가나다라마바사", 0)) > len(voice.speech("가나", 0))
    assert len(voice.speech("가" * 100_000, 0)) <= 60 * voice.RATE_HZ
    assert len(voice.speech("…", 0)) > 0


def test_the_chunks_are_the_speech() -> None:
    pcm = voice.speech("안녕, 나는 차차야.", 0)
    assert np.array_equal(np.frombuffer(b"".join(voice.chunks(pcm)), "<i2"), pcm)


def test_the_file_is_the_speech() -> None:
    pcm = voice.speech("hello", 0)
    with wave.open(io.BytesIO(voice.wav(pcm))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.readframes(file.getnframes()) == pcm.astype("<i2").tobytes()


def test_voices_differ() -> None:
    assert not np.array_equal(voice.speech("가", 0), voice.speech("가", 1))
