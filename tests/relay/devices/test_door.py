"""Who comes in at the relay's door, over real sockets: a doll with its token, and nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from relay.devices.records import digest
from relay.errors import ErrorKind, ProviderError
from relay.wire.errors import CloseCode
from tests.fakes.connection import LOUD
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket

DOLL = "24:6f:28:00:00:01"
UUID = "5c9ab9d1-0b7a-4b33-9d0b-6f8f3a1f0001"


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with running() as relay:
        relay.tts.seconds_per_clause = 0.1
        yield relay


@asynccontextmanager
async def doll(
    relay: Relay, token: str = "", device: str = DOLL, *, takes_tokens: bool = True, **more: str
) -> AsyncIterator[ClientConnection]:
    headers = {"Device-Id": device, "Client-Id": UUID, **more}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    hello = {
        "type": "hello",
        "features": {"token": takes_tokens},
        "audio_params": {"format": "pcm", "sample_rate": 16000, "frame_duration": 32},
    }
    async with doll_socket(relay.url, headers) as socket:
        await socket.send(json.dumps(hello))
        assert json.loads(await socket.recv())["type"] == "hello"
        yield socket


async def until(socket: ClientConnection, kind: str, **fields: str) -> dict[str, Any]:
    """The next text message of that type with these fields."""
    while True:
        message = await socket.recv()
        if isinstance(message, str):
            found: dict[str, Any] = json.loads(message)
            if found["type"] == kind and fields.items() <= found.items():
                return found


async def say(socket: ClientConnection, **message: str) -> None:
    await socket.send(json.dumps(message))


async def ask(socket: ClientConnection) -> None:
    await say(socket, type="listen", state="start", mode="manual")
    for _ in range(20):
        await socket.send(LOUD.tobytes())
    await say(socket, type="listen", state="stop")


async def closed(socket: ClientConnection) -> int | None:
    """The code with which the relay closes it."""
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(5):
            while True:
                await socket.recv()
    return socket.close_code


async def code_of(socket: ClientConnection) -> str:
    alert = await until(socket, "alert", status="pairing")
    assert alert["message"].startswith("doll pair ")
    return str(alert["message"][-6:])


async def test_a_new_doll_says_its_code_is_confirmed_and_comes_in(relay: Relay) -> None:
    async with doll(relay) as socket:
        code = await code_of(socket)
        await until(socket, "tts", state="start")
        await until(socket, "tts", state="stop")
        spoken = " ".join(call.text for call in relay.tts.calls)
        names = ["공", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"]
        assert ", ".join(names[int(digit)] for digit in code[:3]) in spoken
        await relay.dolls.pairing.confirm(code, source="cli", name="차차")
        token = (await until(socket, "token"))["token"]
        await say(socket, type="token", state="stored")
        assert await closed(socket) == CloseCode.NEW_TOKEN
    async with doll(relay, token) as socket:
        await ask(socket)
        assert (await until(socket, "stt"))["text"] == "안녕"
        await until(socket, "tts", state="stop")
    assert (await relay.registry.find("차차")).id == DOLL


async def test_a_voice_with_a_bug_keeps_nobody_from_coming_in(relay: Relay) -> None:
    relay.tts.error = ZeroDivisionError("a bug")
    async with doll(relay) as socket:
        code = await code_of(socket)
        await until(socket, "tts", state="stop")
        await say(socket, type="listen", state="start", mode="manual")
        await say(socket, type="listen", state="stop")
        await until(socket, "tts", state="stop")
        await relay.dolls.pairing.confirm(code, source="cli")
        await until(socket, "token")
        await say(socket, type="token", state="stored")
        assert await closed(socket) == CloseCode.NEW_TOKEN


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer wrong",
        "Bearer ",
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer {other}",
    ],
)
async def test_without_its_own_token_nobody_gets_past_the_code(
    relay: Relay, authorization: str
) -> None:
    token, other = await relay.token(DOLL), await relay.token("another")
    header = authorization.format(token=token, other=other)
    async with doll(relay, **({"Authorization": header} if header else {})) as socket:
        await code_of(socket)
        await ask(socket)
        await say(socket, type="listen", state="start", mode="auto")
        await say(socket, type="mcp", payload={})  # type: ignore[arg-type]
        await say(socket, type="token", state="stored")
        await until(socket, "tts", state="stop")
    assert relay.llm.requests == []
    assert relay.services.stt.calls == []  # type: ignore[attr-defined]
    assert await relay.registry.check(DOLL, token) is not None, "the real doll does not notice"


async def test_an_impostor_does_not_push_the_real_doll_out(relay: Relay) -> None:
    async with doll(relay, await relay.token(DOLL)) as real, doll(relay) as impostor:
        await code_of(impostor)
        await ask(real)
        await until(real, "tts", state="stop")


async def test_nobody_gets_a_token_for_asking(relay: Relay) -> None:
    """What the peers' open endpoint does: no route of the relay gives one away."""
    address = relay.url.replace("ws:", "http:").replace("/xiaozhi/v1/", "")
    headers = {"Device-Id": DOLL, "Client-Id": UUID}
    async with httpx2.AsyncClient() as client:
        for path in ("/xiaozhi/ota/", "/xiaozhi/ota/activate", "/", "/healthz"):
            for method in ("GET", "POST"):
                answer = await client.request(method, address + path, headers=headers, json={})
                # Stock boards want the field; for whom nobody has confirmed it is empty.
                assert "token" not in answer.text.replace('"token":""', "")
    assert await relay.registry.all() == []


async def test_a_doll_without_an_id_and_a_closed_door_are_told_403(relay: Relay) -> None:
    for device in ("", "a b", "x" * 65):
        with pytest.raises(InvalidStatus) as refused:
            async with doll(relay, device=device):
                pass
        assert refused.value.response.status_code == 403
    async with running(pairing={"new_dolls": False}) as strict:
        with pytest.raises(InvalidStatus) as refused:
            async with doll(strict):
                pass
        assert refused.value.response.status_code == 403
        async with doll(strict, await strict.token(DOLL)) as socket:
            await ask(socket)
            await until(socket, "tts", state="stop")


async def test_strangers_cannot_take_more_than_their_places(relay: Relay) -> None:
    for number in range(4):
        async with doll(relay, device=f"stranger-{number}") as socket:
            await code_of(socket)
    with pytest.raises(InvalidStatus):
        async with doll(relay, device="stranger-5"):
            pass
    async with doll(relay, await relay.token(DOLL)) as socket:
        await ask(socket)
        await until(socket, "tts", state="stop")


async def test_a_press_of_the_button_says_the_code_again_and_an_abort_ends_it(
    relay: Relay,
) -> None:
    async with doll(relay) as socket:
        code = await code_of(socket)
        await until(socket, "tts", state="stop")
        relay.tts.calls.clear()
        await ask(socket)
        await until(socket, "tts", state="start")
        await say(socket, type="abort")
        await until(socket, "tts", state="stop")
        assert relay.tts.calls
        await ask(socket)
        await until(socket, "tts", state="start")
        await until(socket, "tts", state="stop")
    async with doll(relay) as socket:
        assert await code_of(socket) == code, "it has come back"


async def test_a_doll_that_came_back_says_its_code_when_it_is_asked(relay: Relay) -> None:
    async with doll(relay) as socket:
        await until(socket, "tts", state="start")
    relay.tts.calls.clear()
    async with doll(relay) as socket:
        await code_of(socket)
        await say(socket, type="ping")
        await until(socket, "pong")
        assert relay.tts.calls == []
        await say(socket, type="listen", state="start", mode="auto")
        await until(socket, "tts", state="start")


async def test_the_code_is_said_in_the_language_that_the_doll_asks_for(relay: Relay) -> None:
    async with doll(relay, **{"Accept-Language": "en-GB,en;q=0.9"}) as socket:
        await until(socket, "tts", state="stop")
    assert {call.language for call in relay.tts.calls} == {"en"}


async def test_without_a_voice_the_code_is_still_shown(relay: Relay) -> None:
    relay.tts.error = ProviderError(ErrorKind.NETWORK, "gone")
    async with doll(relay) as socket:
        assert len(await code_of(socket)) == 6
        await until(socket, "tts", state="stop")


async def test_a_doll_that_could_not_store_its_token_gets_another(relay: Relay) -> None:
    async with doll(relay) as socket:
        await relay.dolls.pairing.confirm(await code_of(socket), source="cli")
        await until(socket, "token")
        await say(socket, type="token", state="failed")
        assert await closed(socket) == CloseCode.TRY_LATER
    async with doll(relay) as socket:
        token = (await until(socket, "token"))["token"]
        await say(socket, type="token", state="stored")
        assert await closed(socket) == CloseCode.NEW_TOKEN
    assert await relay.registry.check(DOLL, token) is not None


async def test_a_stock_board_is_not_sent_a_token_but_restarted(relay: Relay) -> None:
    async with doll(relay, takes_tokens=False) as socket:
        await relay.dolls.pairing.confirm(await code_of(socket), source="cli")
        await until(socket, "system", command="reboot")
        assert await closed(socket) == CloseCode.NEW_TOKEN


async def test_a_revoked_doll_is_out_at_once_and_would_have_to_be_paired(relay: Relay) -> None:
    token = await relay.token(DOLL)
    async with doll(relay, token) as socket:
        await relay.registry.revoke(DOLL)
        assert await closed(socket) == CloseCode.REVOKED
    async with doll(relay, token) as socket:
        await code_of(socket)


async def test_a_doll_that_is_revoked_while_it_comes_in_does_not_slip_through(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await relay.token(DOLL)
    check = relay.registry.check

    async def check_and_revoke(device_id: str, shown: str) -> Any:
        record = await check(device_id, shown)
        await relay.registry.revoke(DOLL)
        await relay.dolls._following._follow(
            True
        )  # the relay looks, and does not find it among those here
        return record

    monkeypatch.setattr(relay.registry, "check", check_and_revoke)
    async with doll(relay, token) as socket:
        assert await closed(socket) == CloseCode.REVOKED


async def test_a_token_that_was_issued_anew_ends_the_session_of_the_old_one(relay: Relay) -> None:
    async with doll(relay, await relay.token(DOLL)) as socket:
        await relay.registry.issue(DOLL)
        assert await closed(socket) == CloseCode.NEW_TOKEN


async def test_a_rotated_token_is_given_over_the_session(relay: Relay) -> None:
    old = await relay.token(DOLL)
    async with doll(relay, old) as socket:
        await relay.registry.ask_rotation(DOLL)
        new = (await until(socket, "token"))["token"]
        assert new != old
        await say(socket, type="token", state="stored")
        assert await closed(socket) == CloseCode.NEW_TOKEN
    assert await relay.registry.check(DOLL, old) is None
    async with doll(relay, new) as socket:
        await ask(socket)
        await until(socket, "tts", state="stop")


async def test_a_rotation_waits_for_a_doll_that_is_not_here(relay: Relay) -> None:
    old = await relay.token(DOLL)
    await relay.registry.ask_rotation(DOLL)
    async with doll(relay, old) as socket:
        new = (await until(socket, "token"))["token"]
    # It has stored it, and its link broke before it could say so.
    async with doll(relay, new) as socket:
        await ask(socket)
        await until(socket, "tts", state="stop")
    assert await relay.registry.check(DOLL, old) is None


async def test_each_doll_has_its_own_persona_from_its_next_turn_on(relay: Relay) -> None:
    async with (
        doll(relay, await relay.token("one"), "one") as one,
        doll(relay, await relay.token("two"), "two") as two,
    ):
        await relay.registry.change("two", persona="chacha-en")
        while not relay.dolls._sessions["two"].device.record.persona:
            await asyncio.sleep(0.02)
        for socket in (one, two):
            await ask(socket)
            await until(socket, "tts", state="stop")
    names = [request.persona.name for request in relay.llm.requests]
    assert names == ["차차", "ChaCha"]


async def test_what_a_doll_says_of_itself_is_noted(relay: Relay) -> None:
    async with doll(relay, await relay.token(DOLL)):
        while not (await relay.registry.find(DOLL)).client_id:
            await asyncio.sleep(0.02)
    assert (await relay.registry.find(DOLL)).client_id == UUID


async def test_no_token_ever_reaches_the_log(relay: Relay) -> None:
    with structlog.testing.capture_logs() as logs:
        async with doll(relay) as socket:
            await relay.dolls.pairing.confirm(await code_of(socket), source="cli")
            token = (await until(socket, "token"))["token"]
            await say(socket, type="token", state="stored")
            await closed(socket)
        async with doll(relay, token) as socket:
            await ask(socket)
            await until(socket, "tts", state="stop")
    assert logs
    assert token not in str(logs)
    assert digest(token) not in str(logs)
