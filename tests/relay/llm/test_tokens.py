from __future__ import annotations

import numpy as np

from relay.llm.base import Message
from relay.llm.tokens import estimate


def test_counts_letters_messages_audio_and_the_schema() -> None:
    system = "a" * 400  # 100
    messages = (Message("user", "가" * 100), Message("assistant", "b" * 40))  # 75 and 10
    assert estimate(system, messages, schema=False) == 100 + 75 + 10 + 3 * 4
    assert estimate(system, messages, schema=True) == 197 + 150
    second = np.zeros(16_000, np.int16)
    assert estimate(system, messages, second, schema=False) == 197 + 32
