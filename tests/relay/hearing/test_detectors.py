"""The detectors keep one contract: the real one, and the fake that tests of the relay hear with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay.hearing.base import VoiceDetector
from relay.hearing.silero import SileroDetector
from tests.fakes.detector import LoudnessDetector
from tests.relay.hearing.contract import VoiceDetectorContract


@pytest.mark.models
class TestSilero(VoiceDetectorContract):
    @pytest.fixture
    def make(self) -> Callable[[], VoiceDetector]:
        return SileroDetector


class TestLoudness(VoiceDetectorContract):
    @pytest.fixture
    def make(self) -> Callable[[], VoiceDetector]:
        return LoudnessDetector
