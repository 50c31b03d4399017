from __future__ import annotations

import sys
from pathlib import Path

import pytest
from edge_tts import communicate

from relay.config import ConfigError, Settings
from relay.llm.extras import MissingExtraError
from relay.tts import kokoro
from relay.tts.openai import OpenAITextToSpeech
from relay.tts.providers import open_lines_voice, open_tts
from relay.tts.settings import TtsSettings
from relay.tts.voices.own import OwnTextToSpeech
from relay.tts.voices.shelf import VoiceShelf
from tests.fakes.edge import serving_edge
from tests.fakes.gemini import KEY as GEMINI_KEY
from tests.fakes.gemini import serving_gemini
from tests.fakes.openai_audio import KEY, MODEL, serving_audio
from tests.fakes.tts import FakeTextToSpeech
from tests.fakes.voice_server import serving_voices, shelf_with
from tests.relay.tts.contract import spoken


@pytest.fixture(autouse=True)
def _no_keys_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def cloud(url: str = "http://127.0.0.1:1/v1", **more: object) -> TtsSettings:
    server = {"base_url": url, "model": MODEL, "voice": "jinju", "api_key": KEY}
    return TtsSettings.model_validate({"provider": "openai", "openai": server, **more})


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> FakeTextToSpeech:
    """What stands for the embedded voice; `loaded` has the options that it was loaded with."""
    own = FakeTextToSpeech(rate_hz=24_000)

    async def load(**options: object) -> FakeTextToSpeech:
        own.loaded = options  # type: ignore[attr-defined]
        return own

    monkeypatch.setattr(kokoro.KokoroTextToSpeech, "load", load)
    return own


@pytest.fixture
def shelf(tmp_path: Path) -> VoiceShelf:
    """One without a voice."""
    return VoiceShelf.of(tmp_path)


async def test_the_settings_reach_the_server(shelf: VoiceShelf) -> None:
    async with serving_audio(KEY) as server:
        tts = await open_tts(cloud(server.url), shelf)
        assert await spoken(tts, "안녕")
        assert server.last["voice"] == "jinju"
        await tts.close()


@pytest.mark.parametrize(
    ("chosen", "persona", "voice"),
    [("", "", "jinju"), ("mine", "", "mine"), ("mine", "hers", "hers")],
)
async def test_a_personas_voice_goes_before_the_settings_and_that_before_the_sections(
    chosen: str, persona: str, voice: str, shelf: VoiceShelf
) -> None:
    async with serving_audio(KEY) as server:
        tts = await open_tts(cloud(server.url, voice=chosen), shelf)
        await spoken(tts, "안녕", voice=persona)
        assert server.last["voice"] == voice
        await tts.close()


async def test_with_a_fallback_an_unreachable_server_is_no_silence(
    own: FakeTextToSpeech, shelf: VoiceShelf
) -> None:
    tts = await open_tts(cloud(voice="jinju", fallback=["kokoro"]), shelf)
    assert await spoken(tts, "안녕")
    alone, voice = await tts.alone("hers")
    assert isinstance(alone, OpenAITextToSpeech)  # no line is recorded by a stand-in
    assert voice == "hers"
    assert own.loaded["voice"] == ""  # type: ignore[attr-defined]  # jinju is the server's
    await tts.close()
    assert own.closed


async def test_an_edge_voice_speaks_the_language_in_its_name(
    monkeypatch: pytest.MonkeyPatch, shelf: VoiceShelf
) -> None:
    async with serving_edge() as service:
        monkeypatch.setattr(communicate, "WSS_URL", service.url)
        tts = await open_tts(TtsSettings(provider="edge", voice="ko-KR-InJoonNeural"), shelf)
        await spoken(tts, "안녕", "ko")
        await spoken(tts, "Hello", "en")
        await tts.close()
    assert [asked.voice.split()[-1] for asked in service.asked] == ["InJoonNeural)", "AnaNeural)"]


async def test_geminis_voice_speaks_lines_with_the_key_of_the_brain() -> None:
    async with serving_gemini() as server:
        settings = Settings.model_validate(
            {
                "llm": {"gemini": {"api_key": GEMINI_KEY, "base_url": server.url}},
                "quota": {"store": "memory"},
                "tts": {"lines": "gemini", "gemini": {"voice": "Kore", "style": "grumpy"}},
            }
        )
        voice = await open_lines_voice(settings)
        assert voice is not None
        assert await spoken(voice, "음, 잠깐만…")
        assert "Kore" in str(server.last["generationConfig"])
        await voice.close()


async def test_lines_are_spoken_by_the_usual_voice_unless_told_otherwise() -> None:
    assert await open_lines_voice(Settings()) is None


async def test_geminis_voice_without_a_key_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="GEMINI_API_KEY"):
        await open_lines_voice(Settings.model_validate({"tts": {"lines": "gemini"}}))


@pytest.mark.parametrize("missing", ["base_url", "model", "voice"])
async def test_what_a_server_needs_is_asked_for(missing: str, shelf: VoiceShelf) -> None:
    settings = cloud()
    gap = settings.openai.model_copy(update={missing: ""})
    with pytest.raises(ConfigError, match=f"tts.openai.{missing}"):
        await open_tts(settings.model_copy(update={"openai": gap}), shelf)


@pytest.mark.parametrize(
    ("settings", "package", "extra"),
    [
        (TtsSettings(), "onnxruntime", "embedded"),
        (TtsSettings(provider="edge"), "edge_tts", "edge"),
        (TtsSettings(provider="edge"), "soundfile", "edge"),
    ],
)
async def test_a_missing_package_names_its_extra(
    monkeypatch: pytest.MonkeyPatch,
    settings: TtsSettings,
    package: str,
    extra: str,
    shelf: VoiceShelf,
) -> None:
    for name in list(sys.modules):
        if name.startswith("relay.tts."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"talking-doll\[{extra}\]"):
        await open_tts(settings, shelf)


async def test_an_own_voice_speaks_with_the_usual_one_behind_it(
    own: FakeTextToSpeech, tmp_path: Path
) -> None:
    shelf = shelf_with(tmp_path)
    async with serving_voices() as server:
        settings = TtsSettings(voice="own:jinju", own=server.settings())
        tts = await open_tts(settings, shelf)
        assert await spoken(tts, "안녕")
        assert (len(server.clauses), len(own.calls)) == (1, 0)
    assert await spoken(tts, "안녕")  # the server has gone
    assert len(own.calls) == 1
    assert isinstance((await tts.alone())[0], OwnTextToSpeech)
    shelf.remove("jinju")
    assert await tts.alone() == (own, "")
    await tts.close()
    assert own.closed
    assert own.loaded["voice"] == ""  # type: ignore[attr-defined]  # own:jinju is no voice of its


async def test_an_own_voice_that_was_never_there_is_missed_and_not_fatal(
    own: FakeTextToSpeech, shelf: VoiceShelf
) -> None:
    tts = await open_tts(TtsSettings(voice="own:nobody"), shelf)
    assert await spoken(tts, "안녕")
    await tts.close()


@pytest.mark.parametrize(
    ("voice", "server", "why"),
    [
        ("own:../../etc", {}, "cannot name a voice"),
        ("own:jinju", {"server": "gpt-sovits", "samples": "/srv/voices"}, "3 to 10 seconds"),
    ],
)
async def test_an_own_voice_that_cannot_work_is_told_at_the_start(
    tmp_path: Path, voice: str, server: dict[str, str], why: str
) -> None:
    settings = TtsSettings.model_validate({"voice": voice, "own": server})
    with pytest.raises(ConfigError, match=why):
        await open_tts(settings, shelf_with(tmp_path, seconds=12.0))
