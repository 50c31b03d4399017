from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx2
import pytest

from relay.config import ConfigError
from tools.voice.serve import KEY_VARIABLE, serve

#: The command in a process, with packages that speak a tone in place of torch and gigabytes.
_WITH_STUBS = """
import sys
from types import ModuleType
from tests.tools.voice.engine import packages
for module in (packages.torch(), packages.qwen_tts(), ModuleType("chatterbox"), packages.mtl_tts()):
    sys.modules[module.__name__] = module
from tools.cli import main
sys.argv = ["doll", "voice", "serve", "--engine", sys.argv[1], "--port", sys.argv[2]]
main()
"""


@pytest.mark.parametrize("key", ["", "short"])
def test_others_than_this_machine_need_a_key(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(ConfigError, match=KEY_VARIABLE):
        serve(host="0.0.0.0")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qwen_tts", None)
    with pytest.raises(ConfigError, match="voice-qwen"):
        serve()


async def test_it_loads_serves_and_ends_by_ctrl_c(unused_tcp_port: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _WITH_STUBS, "chatterbox", str(unused_tcp_port)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60), httpx2.AsyncClient(trust_env=False) as http:
            assert b"Loading" in await process.stdout.readline()
            assert b"Voice server" in await process.stdout.readline()
            while True:
                try:
                    url = f"http://127.0.0.1:{unused_tcp_port}/v1/health"
                    answer = await http.get(url)
                    break
                except httpx2.ConnectError:
                    await asyncio.sleep(0.05)  # it says where before it listens there
        assert answer.json()["engine"] == "chatterbox"
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
