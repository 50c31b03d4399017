"""Each doll's character: read once, and again when its file changes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
import structlog

from relay.persona.personas import Personas

_TEXT = 'name = "{name}"\nlanguages = ["ko"]\ncharacter = "조용해."\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(_TEXT.format(name="하나"), encoding="utf-8")
    return tmp_path


def rewrite(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    later = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(later, later))


def test_the_owners_go_before_those_that_are_shipped(folder: Path) -> None:
    personas = Personas(folder)
    (folder / "chacha.toml").write_text(_TEXT.format(name="다른 차차"), encoding="utf-8")
    assert personas.of("mine").name == "하나"  # type: ignore[union-attr]
    assert personas.of("chacha").name == "다른 차차"  # type: ignore[union-attr]
    assert personas.of("chacha-en").name == "ChaCha"  # type: ignore[union-attr]
    assert personas.of(str(folder / "mine.toml")).name == "하나"  # type: ignore[union-attr]


def test_an_edit_counts_the_next_time_and_no_edit_reads_nothing(folder: Path) -> None:
    personas = Personas(folder)
    first = personas.of("mine")
    assert personas.look() == []
    assert personas.of("mine") is first
    rewrite(folder / "mine.toml", _TEXT.format(name="두리"))
    assert [persona.name for persona in personas.look()] == ["두리"]
    assert personas.of("mine").name == "두리"  # type: ignore[union-attr]


def test_the_relays_own_persona_is_followed_too(folder: Path) -> None:
    assert Personas(folder).default() is None
    personas = Personas(folder, default="mine")
    assert personas.default().name == "하나"  # type: ignore[union-attr]
    rewrite(folder / "mine.toml", _TEXT.format(name="두리"))
    personas.look()
    assert personas.default().name == "두리"  # type: ignore[union-attr]


@pytest.mark.virtual_time
async def test_files_are_looked_at_off_the_event_loop_and_changes_are_told(folder: Path) -> None:
    personas = Personas(folder)
    personas.of("mine")
    changed: asyncio.Queue[str] = asyncio.Queue()
    watch = asyncio.create_task(personas.watch(lambda persona: changed.put_nowait(persona.name)))
    await asyncio.sleep(1)
    rewrite(folder / "mine.toml", _TEXT.format(name="두리"))
    assert await changed.get() == "두리"
    watch.cancel()


def test_while_a_file_is_wrong_its_last_good_version_counts(folder: Path) -> None:
    personas = Personas(folder)
    good = personas.of("mine")
    rewrite(folder / "mine.toml", "name = ")
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            personas.look()
            assert personas.of("mine") is good
    assert [line["event"] for line in logs] == ["persona not usable"], "it is told once"
    assert "mine.toml is not valid TOML" in logs[0]["why"]
    assert "line 1" in logs[0]["why"]
    (folder / "mine.toml").unlink()
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            personas.look()
            assert personas.of("mine") is good
    assert [line["event"] for line in logs] == ["persona not found"]


def test_what_was_never_good_is_none(tmp_path: Path) -> None:
    personas = Personas(tmp_path)
    assert personas.of("nobody") is None
    assert personas.of("../etc/passwd") is None
