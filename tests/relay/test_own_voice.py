"""The relay's services with an own voice, as `doll relay` builds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.config import Settings
from relay.providers import build
from relay.services import Services
from relay.tts.voices.shelf import VoiceShelf
from tests.fakes.voice_server import FakeVoiceServer, serving_voices, shelf_with
from tests.relay.tts.contract import spoken

pytestmark = pytest.mark.models

LINE = "음, 잠깐만."


async def built(server: FakeVoiceServer, data: Path, persona: Path) -> Services:
    own = {"server": "doll", "base_url": server.base_url}
    relay = {"data": data, "database": None}
    return await build(
        Settings.model_validate(
            {"relay": relay, "persona": {"name": str(persona)}, "tts": {"own": own}}
        )
    )


@pytest.fixture
def persona(tmp_path: Path) -> Path:
    path = tmp_path / "haru.toml"
    path.write_text(
        'name = "하루"\nlanguages = ["ko"]\ncharacter = "명랑하다"\nvoice = "own:jinju"\n',
        encoding="utf-8",
    )
    return path


async def test_a_persona_speaks_with_an_own_voice_and_its_lines_lie_beside_it(
    tmp_path: Path, persona: Path
) -> None:
    shelf = shelf_with(tmp_path)
    async with serving_voices() as server:
        services = await built(server, tmp_path, persona)
        voice = services.persona.voice
        assert await spoken(services.tts, "안녕", voice=voice)
        assert [clause["text"] for clause in server.clauses] == ["안녕"]
        assert services.lines is not None
        part = await services.lines.of(voice)
        await part.record(LINE, "ko")
        assert len(list((shelf.folder("jinju") / "lines").glob("*.wav"))) == 1
        shelf.remove("jinju")
        assert not part.recorded.has(LINE, "ko")
        assert (await services.lines.of(voice)).voice == ""
        assert await spoken(services.tts, "안녕", voice=voice)  # by the usual voice
        assert len(server.clauses) == 2
        await services.close()
    assert not [path for path in (tmp_path / "voices").rglob("*") if path.is_file()]


async def test_a_voice_that_is_gone_at_the_start_leaves_the_usual_one(
    tmp_path: Path, persona: Path
) -> None:
    async with serving_voices() as server:
        services = await built(server, tmp_path, persona)
        assert await spoken(services.tts, "안녕", voice=services.persona.voice)
        assert server.clauses == []
        await services.close()
    assert VoiceShelf.of(tmp_path).names() == []
