"""A server with a doll that is served all the while, whatever is done to another connection."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed


@pytest.fixture
async def server(serving: Any) -> AsyncIterator[Any]:
    async with serving() as started:
        yield started


@pytest.fixture
async def bystander(server: Any, tools: Any) -> AsyncIterator[None]:
    """Another doll: connected before the test, and served as before after it."""
    async with watching(server, tools):
        yield


@contextlib.asynccontextmanager
async def watching(server: Any, tools: Any) -> AsyncIterator[None]:
    async with server.doll(additional_headers={"Device-Id": "bystander"}) as other:
        yield
        await other.send(tools.packet())
        assert len(await other.recv()) == 260
        await other.send('{"type":"listen","state":"start"}')
        assert (await tools.answer(other))["text"] == "start"


async def closed(client: Any) -> tuple[int, str]:
    """Read until the connection ends; its close code and reason."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await client.recv()
    return client.close_code, client.close_reason


def logged(logs: list[Any], event: str) -> list[dict[str, Any]]:
    return [line for line in logs if line["event"] == event and line["device"] != "bystander"]
