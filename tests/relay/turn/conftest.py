from __future__ import annotations

from collections.abc import Callable

import pytest

from relay.config import Settings
from relay.llm.chain import Chain
from relay.persona import load
from relay.services import Services
from tests.fakes.cloud import Cloud
from tests.fakes.detector import LoudnessDetector
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.stt import FakeSpeechToText
from tests.fakes.tts import FakeTextToSpeech


@pytest.fixture
def services() -> Services:
    """The shared parts of a relay, with fakes that do as told."""
    return Services(
        settings=Settings(),
        detector=LoudnessDetector(),
        stt=FakeSpeechToText("안녕"),
        brain=Chain(tail=FakeLanguageModel(["흥, ", "왔어? ", "반가워."])),
        tts=FakeTextToSpeech(seconds_per_clause=0.5),
        persona=load("chacha"),
    )


@pytest.fixture
def cloud(services: Services) -> Cloud:
    """The same relay, with models of a cloud in front of a small brain."""
    return Cloud.over(services)


@pytest.fixture
def is_failure_line(services: Services) -> Callable[[str, str], bool]:
    """Whether a subtitle belongs to a fixed line: `is_failure_line("network", text)`."""
    from relay import locales

    def check(kind: str, text: str) -> bool:
        return any(text in line for line in locales.variants("ko", f"failure.{kind}"))

    return check
