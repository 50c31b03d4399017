from __future__ import annotations

import pytest
from pydantic import ValidationError

from relay.stt.settings import SttSettings, web_address


def test_it_hears_on_this_machine_unless_told_otherwise() -> None:
    assert SttSettings().order == ("whisper",)


def test_a_fallback_follows_the_provider_and_nobody_comes_twice() -> None:
    settings = SttSettings(provider="openai", fallback=("openai", "whisper", "whisper"))
    assert settings.order == ("openai", "whisper")


def test_a_key_is_not_shown() -> None:
    settings = SttSettings.model_validate({"openai": {"api_key": "sk-secret"}})
    assert "sk-secret" not in repr(settings)


def test_an_address_is_kept_without_its_last_slash() -> None:
    assert web_address(" http://gpu-box:8000/v1/ ") == "http://gpu-box:8000/v1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "vosk"},
        {"fallback": ["vosk"]},
        {"openai": {"base_url": "gpu-box:8000/v1"}},
        {"openai": {"base_url": "file:///etc/passwd"}},
        {"openai": {"timeout_s": 0}},
        {"openai": {"response_format": "srt"}},
        {"openai": {"modle": "whisper-1"}},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SttSettings.model_validate(wrong)
