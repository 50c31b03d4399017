from __future__ import annotations

import pytest

from relay.audience import allowed


@pytest.mark.parametrize("provider", ["gemini", "gemini-legacy"])
def test_gemini_is_for_adults(provider: str) -> None:
    assert allowed(provider, "adult")
    assert not allowed(provider, "child")


@pytest.mark.parametrize("provider", ["local", "openai", "whisper", "kokoro", "auto"])
def test_the_rest_is_for_everybody(provider: str) -> None:
    assert allowed(provider, "child")
