from __future__ import annotations

import pytest
from pydantic import ValidationError

from relay.tts.settings import TtsSettings


def test_it_speaks_on_this_machine_unless_told_otherwise() -> None:
    assert TtsSettings().order == ("kokoro",)


def test_a_fallback_follows_the_provider_and_nobody_comes_twice() -> None:
    settings = TtsSettings(provider="edge", fallback=("openai", "kokoro", "edge"))
    assert settings.order == ("edge", "openai", "kokoro")


def test_a_key_is_not_shown() -> None:
    settings = TtsSettings.model_validate({"openai": {"api_key": "sk-secret"}})
    assert "sk-secret" not in repr(settings)


def test_edge_has_a_korean_voice_without_any_setting() -> None:
    assert TtsSettings().edge.voices["ko"] == "ko-KR-SunHiNeural"


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "gemini"},  # ten requests a day are no conversation
        {"fallback": ["espeak"]},
        {"lines": "edge"},
        {"openai": {"base_url": "ftp://gpu-box/v1"}},
        {"openai": {"voices": {"korean": "jinju"}}},
        {"openai": {"voices": {"ko": ""}}},
        {"openai": {"speed": 9}},
        {"openai": {"sample_rate": 1}},
        {"openai": {"format": "mp3"}},
        {"edge": {"rate": "fast"}},
        {"edge": {"pitch": "+20%"}},
        {"own": {"server": "piper"}},
        {"own": {"server": "gpt-sovits"}},  # where are the samples?
        {"own": {"base_url": "gpu-box:8790"}},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TtsSettings.model_validate(wrong)
