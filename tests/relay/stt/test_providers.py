from __future__ import annotations

import sys

import numpy as np
import pytest

from relay.audio import RATE_HZ
from relay.config import ConfigError
from relay.errors import ErrorKind, ProviderError
from relay.llm.extras import MissingExtraError
from relay.stt import whisper
from relay.stt.fallback import FallbackSpeechToText
from relay.stt.openai import OpenAISpeechToText
from relay.stt.providers import open_stt
from relay.stt.settings import SttSettings
from tests.fakes.openai_audio import KEY, MODEL, serving_audio
from tests.fakes.stt import FakeSpeechToText

LOUD = (8_000 * np.sin(np.arange(RATE_HZ) / 9)).astype(np.int16)


def cloud(url: str = "http://127.0.0.1:1/v1", **more: object) -> SttSettings:
    server = {"base_url": url, "model": MODEL, "api_key": KEY}
    return SttSettings.model_validate({"provider": "openai", "openai": server, **more})


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> FakeSpeechToText:
    """What stands for the embedded recogniser."""
    own = FakeSpeechToText("집")

    async def load(**options: object) -> FakeSpeechToText:
        if isinstance(own.error, Exception):
            raise own.error
        return own

    monkeypatch.setattr(whisper.WhisperSpeechToText, "load", load)
    return own


async def test_the_settings_reach_the_server() -> None:
    async with serving_audio(KEY) as server:
        stt = await open_stt(cloud(server.url))
        assert isinstance(stt, OpenAISpeechToText)
        assert (await stt.transcribe(LOUD, ["ko"])).text == "안녕?"
        await stt.close()


async def test_with_a_fallback_an_unreachable_server_is_no_silence(own: FakeSpeechToText) -> None:
    stt = await open_stt(cloud(fallback=["whisper"]))
    assert isinstance(stt, FallbackSpeechToText)
    assert (await stt.transcribe(LOUD, ["ko"])).text == "집"
    await stt.close()
    assert own.closed


async def test_a_fallback_that_cannot_be_had_is_told_at_the_start(own: FakeSpeechToText) -> None:
    own.error = ProviderError(ErrorKind.SERVER, "The Whisper model cannot be loaded.")
    with pytest.raises(ProviderError, match="cannot be loaded"):
        await open_stt(cloud(fallback=["whisper"]))


@pytest.mark.parametrize("missing", ["base_url", "model"])
async def test_what_a_server_needs_is_asked_for(missing: str) -> None:
    settings = cloud()
    gap = settings.openai.model_copy(update={missing: ""})
    with pytest.raises(ConfigError, match=f"stt.openai.{missing}"):
        await open_stt(settings.model_copy(update={"openai": gap}))


async def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("relay.stt.whisper", "relay.stt.whisper_engine"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(MissingExtraError, match=r"talking-doll\[embedded\]"):
        await open_stt(SttSettings())
