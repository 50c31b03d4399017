"""The shipped Caddyfile, with the real Caddy where it is installed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect

from tests.fakes.relay import Relay, running

FILE = Path(__file__).parents[2] / "deploy" / "Caddyfile"


@pytest.fixture
def caddy() -> str:
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("CADDY IS NOT TESTED: apt install caddy")
    return program


def test_it_is_valid_and_in_caddy_s_own_form(caddy: str, tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "DOLL_DOMAIN": "doll.example.com"}
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", str(FILE)]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    formatted = subprocess.run([caddy, "fmt", str(FILE)], check=True, capture_output=True)
    assert formatted.stdout.decode() == FILE.read_text()


@asynccontextmanager
async def proxied(caddy: str, relay: Relay, folder: Path) -> AsyncIterator[str]:
    """Caddy with the shipped file in front of this relay, without TLS; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here = relay.url.removeprefix("ws://").partition("/")[0]
    config = folder / "Caddyfile"
    config.write_text(FILE.read_text().replace("{\n", "{\n\tadmin off\n", 1))
    environment = {
        **os.environ,
        "HOME": str(folder),
        "DOLL_DOMAIN": f"http://127.0.0.1:{port}",
        "DOLL_RELAY": here,
    }
    process = await asyncio.create_subprocess_exec(
        *(caddy, "run", "--adapter", "caddyfile", "--config", str(config)),
        env=environment,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def test_a_doll_talks_through_it_and_nobody_chooses_an_address(
    caddy: str, tmp_path: Path
) -> None:
    async with (
        running(relay={"behind_proxy": ["127.0.0.1"]}) as relay,
        proxied(caddy, relay, tmp_path) as address,
    ):
        headers = {
            "Device-Id": "doll-1",
            "Authorization": f"Bearer {await relay.token('doll-1')}",
        }
        url = f"ws://{address}/xiaozhi/v1/"
        async with connect(url, additional_headers=headers, compression=None) as socket:
            await socket.send(json.dumps({"type": "hello", "audio_params": {"format": "pcm"}}))
            assert json.loads(await socket.recv())["type"] == "hello"
        async with httpx2.AsyncClient(base_url=f"http://{address}") as client:
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/metrics")).status_code == 404
            # No password yet: through a proxy nobody is at the machine, whatever they say.
            said = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"}
            answer = await client.post("/api/login", json={}, headers=said)
            assert answer.json() == {"detail": {"problem": "no_password"}}
