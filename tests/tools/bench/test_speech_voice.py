"""What `doll bench speech` says and hears: two sets that never mix, and its figures."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest

from relay.audio import RATE_HZ, Pcm
from relay.stt.base import Transcript
from tests.fakes.stt import FakeSpeechToText
from tests.fakes.tts import FakeTextToSpeech
from tools.bench import speech_voice
from tools.bench.report import Goal
from tools.bench.speech_memory import peak_mb
from tools.bench.speech_voice import SetName, sentences

NAMES = get_args(SetName)


def plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_sentence_that_tunes_measures(language: str) -> None:
    sets = [{plain(text) for text in sentences(name, language)} for name in NAMES]
    assert min(map(len, sets)) >= 12
    assert len(set.union(*sets)) == sum(map(len, sets))


def test_no_recording_that_tunes_measures() -> None:
    prompts = tomllib.loads(Path(speech_voice.__file__).with_name("human.toml").read_text("utf-8"))
    assert set(prompts) == set(NAMES)
    assert len(set.union(*map(set, prompts.values()))) == sum(map(len, prompts.values()))


class Parrot(FakeSpeechToText):
    """Hears whatever was said last."""

    def __init__(self, voice: FakeTextToSpeech) -> None:
        super().__init__("")
        self._voice = voice
        self.heard = 0

    async def transcribe(self, utterance: Pcm, languages: Sequence[str]) -> Transcript:
        assert len(utterance) == RATE_HZ // 2
        text = self._voice.calls[self.heard].text
        self.heard += 1
        return Transcript(text, languages[0])


async def test_a_round_trip_without_errors_meets_its_goals() -> None:
    voice = FakeTextToSpeech(seconds_per_clause=0.5)
    result: dict[str, float] = {}
    goals: list[Goal] = []
    await speech_voice._voice(Parrot(voice), voice, result, goals)  # type: ignore[arg-type]
    for part in ("", "_held_out", "_second", "_sound_alike"):
        assert result[f"round_trip_ko{part}_cer_percent"] == 0
    assert result["round_trip_en_wer_percent"] == 0
    assert all(goal.met for goal in goals)
    assert [call.text for call in voice.calls] == [
        *sentences("held_out", "ko"),
        *sentences("second", "ko"),
        *sentences("held_out", "en"),
        *sentences("second", "en"),
    ]


def test_the_peak_of_memory_is_this_process_own() -> None:
    before = peak_mb()
    assert before > 20
    held = bytearray(300 << 20)
    held[::4096] = b"x" * len(held[::4096])
    assert peak_mb() > 300
    assert peak_mb() >= before
