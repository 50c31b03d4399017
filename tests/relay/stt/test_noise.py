"""Words that Whisper makes up over noise are told from words that were said."""

from __future__ import annotations

import pytest

from relay.stt.noise import Hearing, is_made_up


@pytest.mark.parametrize(
    ("text", "no_speech", "log_probability"),
    [
        # As whisper-base heard white and pink noise, hum, clicks and tones.
        ("MBC 뉴스 김혜연입니다.", 0.85, -1.25),
        ("고춧가루", 0.84, -1.48),
        ("Thank you.", 0.76, -1.63),
        ("I'm going to add some salt.", 0.79, -1.77),
        ("you", 0.93, -2.01),
        # Nearly sure of a line that nobody says to a doll.
        ("시청해주셔서 감사합니다!", 0.1, -0.4),
        ("MBC 뉴스 이덕영입니다.", 0.05, -0.6),
        ("Thanks for watching!", 0.2, -0.5),
        # A common word, and doubts that anybody spoke.
        ("Thank you.", 0.4, -0.5),
        ("감사합니다.", 0.5, -0.3),
        ("", 0.0, 0.0),
        (" . ", 0.0, -0.1),
    ],
)
def test_noise_is_dropped(text: str, no_speech: float, log_probability: float) -> None:
    assert is_made_up(Hearing(text, "ko", no_speech, log_probability))


@pytest.mark.parametrize(
    ("text", "no_speech", "log_probability"),
    [
        ("나랑 같이 놀자.", 0.01, -0.11),
        ("어느 날 씌웠대", 0.01, -1.0),  # misheard, but somebody spoke
        ("Thank you.", 0.05, -0.3),
        ("감사합니다", 0.02, -0.2),
        ("네", 0.1, -0.6),
        ("Thanks for watching", 0.02, -0.1),
        ("seven plus five equals", 0.7, -0.2),
        ("오늘 MBC 뉴스 봤어?", 0.1, -0.5),
    ],
)
def test_speech_is_kept(text: str, no_speech: float, log_probability: float) -> None:
    assert not is_made_up(Hearing(text, "ko", no_speech, log_probability))
