"""`doll models`, against the fake over a real socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.fakes.gemini import DAY_ID, KEY, FakeGemini, Rules, refusal, serving_gemini
from tools.cli import app


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)


@contextmanager
def google(rules: Rules | None = None) -> Iterator[FakeGemini]:
    """The fake in a thread: the command has an event loop of its own."""
    ready, over = threading.Event(), threading.Event()
    found: list[FakeGemini] = []

    async def serve() -> None:
        async with serving_gemini(rules) as fake:
            found.append(fake)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0]
    finally:
        over.set()
        thread.join()


def run(fake: FakeGemini | None = None, key: str = KEY) -> tuple[int, list[str]]:
    environment = {"DOLL_LLM__GEMINI__BASE_URL": fake.url, "GEMINI_API_KEY": key} if fake else {}
    result = CliRunner().invoke(app, ["models"], env=environment)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output.splitlines()


def row(lines: list[str], name: str) -> str:
    return next(line for line in lines if f" {name} " in line)


def test_lists_the_chain_with_its_limits_and_what_else_there_is() -> None:
    with google() as fake:
        code, lines = run(fake)
        assert code == 0
        assert row(lines, "gemini-3.5-flash-lite").startswith("  1 ✓")
        assert "15/min · 250,000 tokens/min · 500/day" in row(lines, "gemini-3.5-flash-lite")
        assert "20/day" in row(lines, "gemini-3.6-flash")
        assert "text only" in row(lines, "gemma-4-31b-it")
        assert not any("tts" in line for line in lines)
        assert {request.method for request in fake.journal.requests} == {"GET"}


def test_a_retired_model_of_the_chain_is_marked_and_an_alias_is_found() -> None:
    Path("doll.toml").write_text(
        '[llm.gemini]\nmodels = ["gemini-2.0-flash", "gemini-flash-latest"]\n'
    )
    with google() as fake:
        code, lines = run(fake)
    assert code == 0
    assert row(lines, "gemini-2.0-flash").startswith("  1 ✗")
    assert "not there" in row(lines, "gemini-2.0-flash")
    assert row(lines, "gemini-flash-latest").startswith("  2 ✓")


def test_a_chain_with_no_model_left_is_a_failure_that_says_what_to_do() -> None:
    Path("doll.toml").write_text('[llm.gemini]\nmodels = ["gemini-2.0-flash"]\n')
    with google() as fake:
        code, lines = run(fake)
    assert code == 1
    assert "[llm.gemini] models" in lines[-1]


def test_what_the_relay_has_used_and_learned_is_shown() -> None:
    from relay.config import load
    from relay.llm.gemini_errors import parse_refusal
    from relay.quota.factory import open_quota

    async def ask(url: str) -> None:
        settings = load()
        quota = await open_quota(
            settings.ledgers, KEY, timezone=settings.persona.timezone, server=url
        )
        async with quota.place("gemini-3.5-flash-lite", doll="a", tokens=100) as place:
            await place.granted()
        told = refusal(DAY_ID, 7, "8h1m1s")
        await quota.refused("gemini-3.5-flash-lite", parse_refusal(told))
        await quota.close()

    with google() as fake:
        asyncio.run(ask(fake.url))
        _, lines = run(fake)
    shown = row(lines, "gemini-3.5-flash-lite")
    assert "7/day" in shown
    assert "told by a 429" in shown
    assert "1 used today" in shown


def test_looking_makes_no_ledger() -> None:
    with google() as fake:
        run(fake)
    assert list(Path().iterdir()) == []


def test_without_a_key_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    code, lines = run()
    assert code == 1
    assert any("aistudio.google.com/apikey" in line for line in lines)
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert "열쇠가 없어요" in run()[1][0]


def test_a_wrong_key_is_told_in_one_line_without_the_key() -> None:
    from relay.errors import ProviderError

    with google() as fake, pytest.raises(ProviderError, match="check the key") as caught:
        run(fake, "AIzaWrongWrongWrong")
    assert "AIzaWrong" not in str(caught.value)


def test_an_owners_own_limits_are_those_shown() -> None:
    Path("doll.toml").write_text('[quota.limits."gemini-3.5-flash-lite"]\nrequests_per_day = 100\n')
    with google() as fake:
        assert "100/day" in row(run(fake)[1], "gemini-3.5-flash-lite")
