from __future__ import annotations

from tools.fake_gemini.models import catalogue
from tools.fake_gemini.quota import Limits


def test_the_limits_are_those_of_the_free_tier() -> None:
    models = catalogue().models
    assert models["gemini-3.5-flash-lite"].limits == Limits(15, 250_000, 500)
    assert models["gemini-3.8-flash"].limits == Limits(5, 250_000, 20)
    assert models["gemini-3.8-flash-tts"].limits == Limits(3, 10_000, 10)
    assert models["gemini-3.1-pro-preview"].limits == Limits(0, 0, 0)


def test_an_alias_stands_for_a_model_and_a_retired_one_is_none() -> None:
    known = catalogue()
    assert set(known.aliases.values()) <= known.models.keys()
    assert not known.retired & known.models.keys()


def test_a_voice_takes_text_only() -> None:
    voices = [model for model in catalogue().models.values() if model.speaks]
    assert len(voices) == 4
    assert not any(model.system or model.audio or model.json for model in voices)
    assert voices[0].describe()["inputTokenLimit"] == 8_192
