"""A board asks its OTA address, over real sockets, as `main/ota.cc` of the stock firmware does."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from relay.web.ota import PER_SOURCE
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket

MAC = "aa:bb:cc:dd:ee:ff"
UUID = "0b4c9c1e-52a8-4f0a-9c61-7c62d0b1f3a5"

#: What version 2.4.2 of the firmware posts, somewhat shortened.
REPORT = {
    "version": 2,
    "language": "ko-KR",
    "flash_size": 16777216,
    "minimum_free_heap_size": "123456",
    "mac_address": MAC,
    "uuid": UUID,
    "chip_model_name": "esp32s3",
    "chip_info": {"model": 9, "cores": 2, "revision": 2, "features": 18},
    "application": {"name": "xiaozhi", "version": "2.4.2", "elf_sha256": "0" * 64},
    "partition_table": [{"label": "nvs", "type": 1, "subtype": 2, "address": 36864, "size": 16384}],
    "ota": {"label": "ota_0"},
    "board": {"type": "bread-compact-wifi", "name": "bread", "ssid": "home", "mac": MAC},
}


class Board:
    """Remembers what the stock firmware keeps in its NVS."""

    def __init__(self, relay: Relay, mac: str = MAC, uuid: str = UUID) -> None:
        self.relay = relay
        self.base = relay.url.replace("ws://", "http://").replace("/v1/", "/ota/")
        self.kept: dict[str, Any] = {}
        self.headers = {
            "Activation-Version": "1",
            "Device-Id": mac,
            "Client-Id": uuid,
            "User-Agent": "bread-compact-wifi/2.4.2",
            "Accept-Language": "ko-KR",
            "Content-Type": "application/json",
        }

    async def post(self, path: str = "", body: Any = None, **headers: str) -> httpx2.Response:
        content = json.dumps(REPORT if body is None else body)
        async with httpx2.AsyncClient() as client:
            return await client.post(
                self.base + path, content=content, headers={**self.headers, **headers}
            )

    async def start(self) -> dict[str, Any]:
        """Ask, and keep each key of `websocket`, as a board does when it boots."""
        answer = await self.post()
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        self.kept |= told["websocket"]
        return told

    async def activate(self, body: Any = None, **headers: str) -> int:
        return (await self.post("activate", body or {}, **headers)).status_code

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[dict[str, Any]]:
        """Connect, and say hello; what the relay says first after its own."""
        token = self.kept.get("token", "")
        headers = {"Device-Id": self.headers["Device-Id"], "Client-Id": self.headers["Client-Id"]}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with doll_socket(self.kept["url"], headers) as socket:
            await socket.send(json.dumps({"type": "hello", "features": {"mcp": True}}))
            assert json.loads(await socket.recv())["type"] == "hello"
            yield json.loads(await socket.recv())

    async def is_let_in(self) -> bool:
        async with self.socket() as first:
            return first["type"] == "mcp"  # a stranger gets an alert with its code


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with running() as relay:
        yield relay


async def confirm(relay: Relay, code: str) -> None:
    await relay.dolls.pairing.confirm(code, source="test")


async def test_a_stranger_gets_a_code_and_no_token(relay: Relay) -> None:
    board = Board(relay)
    told = await board.start()
    assert told.keys() == {"server_time", "websocket", "firmware", "activation"}
    assert told["websocket"] == {"url": relay.url, "version": 1, "token": ""}
    assert told["firmware"] == {"version": "2.4.2", "url": ""}
    assert told["server_time"]["timezone_offset"] == 540
    assert abs(told["server_time"]["timestamp"] - time.time() * 1000) < 60_000
    activation = told["activation"]
    assert activation["code"].isdigit()
    assert len(activation["code"]) == 6
    assert activation["code"] in activation["message"]
    assert "릴레이" in activation["message"]
    assert activation["timeout_ms"] == 30_000
    assert activation["challenge"]
    assert not await board.is_let_in()


async def test_a_board_is_paired_and_keeps_its_token(relay: Relay) -> None:
    board = Board(relay)
    code = (await board.start())["activation"]["code"]
    assert await board.activate() == 202
    assert (await board.start())["activation"]["code"] == code  # it asks anew after ten tries
    await confirm(relay, code)
    assert await board.activate() == 200
    told = await board.start()
    assert "activation" not in told
    assert len(told["websocket"]["token"]) == 43
    assert await board.is_let_in()

    told = await board.start()  # the next day
    assert told["websocket"] == {"url": relay.url, "version": 1}
    assert "activation" not in told
    assert await board.activate() == 200
    assert await board.is_let_in()
    record = await relay.registry.find(MAC)
    assert (record.board, record.firmware) == ("bread-compact-wifi", "2.4.2")


async def test_an_answer_that_was_lost_is_given_again_and_the_lost_token_is_worth_nothing(
    relay: Relay,
) -> None:
    board = Board(relay)
    await confirm(relay, (await board.start())["activation"]["code"])
    lost = (await board.start())["websocket"]["token"]
    await board.start()
    assert board.kept["token"] != lost
    assert await relay.registry.check(MAC, lost) is None
    assert await board.is_let_in()


async def test_nobody_gets_a_token_by_asking_in_the_name_of_a_doll(relay: Relay) -> None:
    """The most used server of this field hands one to anyone who names a Device-Id."""
    board = Board(relay)
    await confirm(relay, (await board.start())["activation"]["code"])
    thief = Board(relay, uuid="11111111-2222-4333-8444-555555555555")
    told = await thief.start()
    assert told["websocket"]["token"] == ""
    assert "activation" in told
    assert await thief.activate() == 202
    await board.start()
    assert await board.is_let_in()
    twin = Board(relay)  # knows both ids, later
    told = await twin.start()
    assert "token" not in told["websocket"]
    assert not await twin.is_let_in()
    assert await board.is_let_in()


async def test_a_code_that_somebody_else_asked_for_lets_only_that_one_in(relay: Relay) -> None:
    board, other = Board(relay), Board(relay, uuid="99999999-2222-4333-8444-555555555555")
    codes = [(await each.start())["activation"]["code"] for each in (board, other)]
    assert codes[0] != codes[1]
    await confirm(relay, codes[0])
    assert "activation" in await other.start()
    assert "activation" not in await board.start()
    assert await board.is_let_in()


async def test_a_board_that_lost_its_token_says_a_code_again(relay: Relay) -> None:
    board = Board(relay)
    await confirm(relay, (await board.start())["activation"]["code"])
    await board.start()
    assert await board.is_let_in()
    board.kept["token"] = "of-another-server"
    async with board.socket() as first:
        assert first["type"] == "alert"
        code = first["message"][-6:]
    assert (await board.start())["activation"]["code"] == code
    await confirm(relay, code)
    await board.start()
    assert await board.is_let_in()


async def test_a_revoked_board_is_a_stranger(relay: Relay) -> None:
    board = Board(relay)
    await confirm(relay, (await board.start())["activation"]["code"])
    await board.start()
    assert await board.is_let_in()
    await relay.registry.revoke(MAC)
    told = await board.start()
    assert told["websocket"]["token"] == ""
    assert "activation" in told


async def test_a_doll_without_a_client_id_of_its_own_cannot_be_spoken_for(relay: Relay) -> None:
    token = await relay.token(MAC)  # paired by cable; it has never been here
    told = await Board(relay).start()
    assert "activation" in told
    assert await relay.registry.check(MAC, token) is not None


async def test_a_serial_number_is_taken_and_lets_nobody_in(relay: Relay) -> None:
    board = Board(relay)
    activation = (await board.start())["activation"]
    proof = {
        "algorithm": "hmac-sha256",
        "serial_number": "SN-" + "0" * 29,
        "challenge": activation["challenge"],
        "hmac": "ab" * 32,
    }
    serial = {"Activation-Version": "2", "Serial-Number": proof["serial_number"]}
    assert await board.activate(proof, **serial) == 202
    assert await board.activate({**proof, "challenge": "another"}, **serial) == 400
    assert await board.activate({**proof, "hmac": "short"}, **serial) == 400
    await confirm(relay, activation["code"])
    assert await board.activate(proof, **serial) == 200


async def test_an_activation_without_a_code_is_told_to_ask_anew(relay: Relay) -> None:
    assert await Board(relay).activate() == 404


async def test_a_relay_that_takes_no_new_dolls_says_so() -> None:
    async with running(pairing={"new_dolls": False}) as relay:
        answer = await Board(relay).post()
        assert answer.status_code == 403
        assert "new_dolls" in answer.json()["error"]


async def test_only_so_many_devices_wait(relay: Relay) -> None:
    answers = [
        await Board(relay, uuid=f"{number}1111111-2222-4333-8444-555555555555").post()
        for number in range(6)
    ]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
    assert answers[-1].headers["retry-after"] == "60"


async def test_asking_too_often_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = round(PER_SOURCE[1])
    # Nothing is granted anew, however long this machine takes to ask.
    monkeypatch.setattr("relay.web.ota.PER_SOURCE", (0.0, at_once))
    async with running() as relay:
        board = Board(relay)
        codes = [(await board.post()).status_code for _ in range(at_once + 1)]
    assert codes == [200] * at_once + [429]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"{}", 200),
        (b'{"application":{"version":"v1.0-beta"},"board":{"type":7}}', 200),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b'{"application":3}', 400),
        (b"[" * 16_000, 400),
        (b'{"x":"' + b"x" * 16_384 + b'"}', 413),
    ],
)
async def test_any_body_has_an_answer(relay: Relay, body: bytes, status: int) -> None:
    board = Board(relay)
    async with httpx2.AsyncClient() as client:
        answer = await client.post(board.base, content=body, headers=board.headers)
    assert answer.status_code == status
    if status == 200:
        assert "firmware" not in answer.json()  # no version that std::stoi would throw at
    else:
        assert answer.json()["error"]


@pytest.mark.parametrize(
    "headers", [{"Device-Id": ""}, {"Client-Id": ""}, {"Device-Id": "x" * 65}, {"Client-Id": "a b"}]
)
async def test_who_does_not_say_who_it_is_gets_nothing(
    relay: Relay, headers: dict[str, str]
) -> None:
    assert (await Board(relay).post(**headers)).status_code == 400


async def test_the_address_is_that_of_the_request_or_of_the_settings(relay: Relay) -> None:
    board = Board(relay)
    told = (await board.post(Host="doll.local:8123")).json()
    assert told["websocket"]["url"] == "ws://doll.local:8123/xiaozhi/v1/"
    forwarded = {"Host": "doll.example", "X-Forwarded-Proto": "https"}
    told = (await board.post(**forwarded)).json()
    assert told["websocket"]["url"] == "ws://doll.example/xiaozhi/v1/"  # anybody can say so
    async with running(relay={"behind_proxy": ["127.0.0.1"]}) as proxied:
        told = (await Board(proxied).post(**forwarded)).json()
        assert told["websocket"]["url"] == "wss://doll.example/xiaozhi/v1/"
    assert (await board.post(Host="evil/path?")).status_code == 400
    async with running(relay={"public_url": "https://doll.example.com/toys"}) as behind:
        told = (await Board(behind).post(Host="10.0.0.7")).json()
        assert told["websocket"]["url"] == "wss://doll.example.com/toys/xiaozhi/v1/"


async def test_both_forms_of_the_address_answer_and_a_browser_sees_where_it_leads(
    relay: Relay,
) -> None:
    board = Board(relay)
    async with httpx2.AsyncClient() as client:
        bare = await client.post(board.base.rstrip("/"), content=b"{}", headers=board.headers)
        seen = await client.get(board.base)
    assert bare.status_code == 200
    assert seen.json()["websocket"]["url"] == relay.url
    assert seen.headers["cache-control"] == "no-store"
