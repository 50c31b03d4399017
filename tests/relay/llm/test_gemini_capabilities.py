from __future__ import annotations

import pytest

from relay.llm.gemini_capabilities import Capabilities, Lack, Thinking, capabilities, lack


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("gemini-3.5-flash-lite", "model"),
        ("gemini-3.1-flash-lite", "model"),
        ("gemini-3.5-flash", "minimal"),
        ("gemini-3.6-flash", "minimal"),
        ("gemini-3-flash-preview", "minimal"),
        ("gemini-3.8-flash", "low"),  # it has no minimal
        ("gemini-3.1-pro-preview", "low"),
        ("gemini-2.5-flash", "off"),
        ("gemini-flash-latest", "low"),
        ("gemini-flash-lite-latest", "model"),
        ("a-model-of-the-future", "model"),
    ],
)
def test_a_model_thinks_as_little_as_its_family_allows(model: str, thinking: Thinking) -> None:
    assert capabilities(model) == Capabilities(thinking=thinking)


def test_gemma_is_asked_for_text_alone() -> None:
    assert capabilities("gemma-3-27b-it") == Capabilities(
        system_instruction=False, json=False, audio=False
    )
    assert not capabilities("gemma-4-31b-it").hears
    assert capabilities("gemma-4-31b-it").sees
    assert not capabilities("gemma-3n-e4b-it").sees
    assert capabilities("gemini-3.5-flash-lite").hears


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("Developer instruction is not enabled for models/x", Lack.SYSTEM_INSTRUCTION),
        ("JSON mode is not enabled for models/x", Lack.JSON),
        ("Audio input modality is not enabled for models/x", Lack.AUDIO),
        ("Image input modality is not enabled for models/x", Lack.PICTURES),
        ("Thinking level MINIMAL is not supported for this model.", Lack.THINKING),
        ("Budget 0 is invalid. This model only works in thinking mode.", Lack.THINKING),
        ("Thinking is not enabled for this model", Lack.THINKING),
        ("API key not valid. Please pass a valid API key.", None),
        ("Invalid value at 'contents'", None),
        (None, None),
    ],
)
def test_a_refusal_names_what_is_lacking(said: str | None, what: Lack | None) -> None:
    assert lack(400, said) is what
    assert lack(500, said) is None


def test_each_lack_leaves_less_to_ask_for_until_nothing_is_left() -> None:
    can = Capabilities(thinking="minimal")
    for what in (*Lack, Lack.THINKING):
        less = can.without(what)
        assert less != can
        can = less
    assert can == Capabilities(system_instruction=False, json=False, audio=False, pictures=False)
    assert all(can.without(what) == can for what in Lack)
