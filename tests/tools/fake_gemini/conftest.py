from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from relay.audio import Pcm
from tools.fake_gemini.models import catalogue
from tools.fake_gemini.request import Asked, read


@pytest.fixture
def tone() -> Pcm:
    """One second at 16 kHz."""
    return (8_000 * np.sin(np.arange(16_000) * 0.1)).astype(np.int16)


@pytest.fixture
def asking() -> Callable[..., Asked]:
    """Read a request as the server does: a question, and any other field of the body."""

    def make(text: str = "안녕?", model: str = "gemini-3.5-flash-lite", **fields: Any) -> Asked:
        body = {"contents": [{"role": "user", "parts": [{"text": text}]}], **fields}
        return read(json.dumps(body).encode(), catalogue().models[model])

    return make
