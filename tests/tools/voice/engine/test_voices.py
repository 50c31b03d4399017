from __future__ import annotations

import pytest

from tools.voice.engine.voices import LearnedVoices


def test_the_voice_used_longest_ago_goes_first() -> None:
    voices = LearnedVoices(2)
    voices.put("a", 1)
    voices.put("b", 2)
    assert voices["a"] == 1
    voices.put("c", 3)
    assert [key for key in "abc" if key in voices] == ["a", "c"]


def test_a_voice_can_be_replaced_and_forgotten() -> None:
    voices = LearnedVoices()
    voices.put("a", 1)
    voices.put("a", 2)
    assert voices["a"] == 2
    assert voices.forget("a")
    assert not voices.forget("a")
    with pytest.raises(KeyError):
        voices["a"]
