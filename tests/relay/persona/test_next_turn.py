"""What an owner changes counts from the next turn on: through a session, with its real files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from relay.config import Settings
from relay.llm.base import Request
from relay.llm.chain import Chain
from relay.persona import load
from relay.persona.base import Exchange
from relay.persona.learning.index import Index
from relay.persona.learning.manner import LearnedManner
from relay.persona.learning.shelf import LearnedShelf
from relay.persona.learning.style import Style
from relay.persona.loader import SHIPPED
from relay.persona.personas import Personas
from relay.services import Services
from relay.wire.messages import Llm
from tests.fakes.connection import FakeConnection
from tests.fakes.detector import LoudnessDetector
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.session import talking
from tests.fakes.stt import FakeSpeechToText
from tests.fakes.tts import FakeTextToSpeech

pytestmark = pytest.mark.virtual_time


def rewrite(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    later = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(later, later))


async def test_an_edit_and_what_is_learned_change_the_next_turn(tmp_path: Path) -> None:
    shelf = LearnedShelf(tmp_path / "learned")
    text = (SHIPPED / "chacha.toml").read_text(encoding="utf-8")
    own = tmp_path / "chacha.toml"
    own.write_text(text, encoding="utf-8")
    model = FakeLanguageModel(["응."])
    services = Services(
        settings=Settings(),
        detector=LoudnessDetector(),
        stt=FakeSpeechToText("오늘 시험 망쳤어"),
        brain=Chain(tail=model),
        tts=FakeTextToSpeech(seconds_per_clause=0.1),
        persona=load("chacha"),
        personas=Personas(tmp_path, shelf, "chacha"),
    )
    doll = FakeConnection()
    turns = 0

    async def asked() -> Request:
        nonlocal turns
        turns += 1
        await doll.ask()
        await doll.until_stop(turns)
        return model.requests[-1]

    async with talking(services, doll):
        assert (await asked()).persona.name == "차차"
        rewrite(own, text.replace('name = "차차"', 'name = "두부"', 1))
        services.personas.look()
        assert (await asked()).persona.name == "두부"
        rewrite(own, "name = ")
        services.personas.look()
        assert (await asked()).persona.name == "두부", "a broken edit changes nothing"
        pair = Exchange("시험 망쳤어", "그럴 줄 알았으면 같이 볼걸.")
        style = Style(40, 9, "casual")
        shelf.save("chacha", LearnedManner("차차", style, (), (pair,), Index.of([pair.heard])))
        services.personas.look()
        request = await asked()
        assert request.persona.manner is not None
        assert request.near == (pair,)
        assert shelf.forget("chacha")
        services.personas.look()
        request = await asked()
        assert (request.persona.manner, request.near) == (None, ())


async def test_a_personas_colour_goes_out_with_the_feeling(tmp_path: Path) -> None:
    from relay.llm.base import Emotion

    services = Services(
        settings=Settings(),
        detector=LoudnessDetector(),
        stt=FakeSpeechToText("안녕"),
        brain=Chain(tail=FakeLanguageModel([Emotion("happy"), "왔어?"])),
        tts=FakeTextToSpeech(seconds_per_clause=0.1),
        persona=load("chacha"),
    )
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop(1)
    (face,) = [sent.what for sent in doll.sent if isinstance(sent.what, Llm)]
    assert face.light == load("chacha").lights["happy"]
