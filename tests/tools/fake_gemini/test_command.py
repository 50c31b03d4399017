from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from typer.testing import CliRunner

from tools.cli import app
from tools.fake_gemini.command import _latency, _limits
from tools.fake_gemini.quota import Limits
from tools.fake_gemini.replies import KEY

Line = Callable[[], Awaitable[str]]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["fake-gemini", *arguments])
    return result.exit_code, result.output


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[tuple[Line, asyncio.subprocess.Process]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.cli", "fake-gemini", "--port", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "ko_KR.UTF-8", "PYTHONUTF8": "1"},
    )
    assert process.stdout is not None
    output = process.stdout

    async def line() -> str:
        async with asyncio.timeout(60):
            return (await output.readline()).decode()

    try:
        yield line, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_serves_says_how_to_use_it_and_ends_by_ctrl_c() -> None:
    async with running("--limits", "gemini-3.5-flash-lite=1/500", "--latency", "0") as (
        line,
        process,
    ):
        first = await line()
        assert "가짜 Gemini" in first
        match = re.search(r"http://127\.0\.0\.1:\d+", first)
        assert match
        while not (told := await line()).strip().startswith("GEMINI_API_KEY"):
            pass
        assert told.strip() == (
            f"GEMINI_API_KEY={KEY} DOLL_LLM__GEMINI__BASE_URL={match[0]} doll relay"
        )

        def ask() -> int:
            request = urllib.request.Request(
                f"{match[0]}/v1beta/models/gemini-3.5-flash-lite:generateContent",
                '{"contents": [{"parts": [{"text": "비밀"}]}]}'.encode(),
                {"x-goog-api-key": KEY},
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as reply:
                    return int(reply.status)
            except urllib.error.HTTPError as error:
                return error.code

        assert [await asyncio.to_thread(ask) for _ in range(2)] == [200, 429]
        lines = [text for _ in range(3) if (text := await line()).strip()]
        assert re.search(r" 200 .*: 1/1 this minute, 1/500 today", lines[0])
        assert re.search(r" 429 ", lines[1])
        assert not any("비밀" in text or KEY in text for text in lines)

        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await process.wait() == 0
        assert await line() == ""  # no traceback


async def test_a_port_that_is_taken_is_told() -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        code, output = await asyncio.to_thread(run, "--port", str(port))
    assert code == 2
    assert str(port) in output
    assert "--port" in output


def test_the_faults_are_listed() -> None:
    code, output = run("--faults")
    assert code == 0
    assert {"503", "hang-middle", "429-day-lie"} <= set(output.split())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--limits", "many"), "15/500"),
        (("--limits", "gemini-9=1/2"), "no model 'gemini-9'"),
        (("--fail", "fire:0.1"), "no fault 'fire'"),
        (("--fail", "503:7"), "a share is from 0 to 1"),
        (("--latency", "soon"), "0.6/0.02"),
        (("--retire", "gemini-9"), "no model"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(arguments: tuple[str, ...], why: str) -> None:
    code, output = run(*arguments)
    assert code == 2
    assert why in output
    assert output.count("\n") == 1


def test_limits_are_for_all_models_or_for_one() -> None:
    everywhere, own = _limits(["15/500", "gemini-3.8-flash=5/250000/20", "gemma-4-31b-it=none"])
    assert everywhere == Limits(15, None, 500)
    assert own == {"gemini-3.8-flash": Limits(5, 250_000, 20), "gemma-4-31b-it": Limits()}
    assert _limits([]) == (None, {})


@pytest.mark.parametrize(("text", "seconds"), [("0.6/0.02", (0.6, 0.02)), ("1", (1.0, 0.0))])
def test_latency_is_read(text: str, seconds: tuple[float, float]) -> None:
    assert _latency(text) == seconds
