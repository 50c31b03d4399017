"""One doll's update, from the relay's side: offers, blocks, and what the doll says to them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog
from pydantic import SecretStr

from relay.devices.bundle import Bundle, pack
from relay.devices.shelf import Shelf, publish
from relay.devices.updater import BLOCK_BYTES, DOMAIN, Updater
from relay.wire.errors import Disconnected
from relay.wire.messages import Firmware, RelayMessage, Update, UpdateOffer, decode, encode

TOKEN = SecretStr("t0ken")


class Doll:
    """The way to a doll; keeps what it would get."""

    device_id = "doll-1"

    def __init__(self, firmware: Firmware | None) -> None:
        self.firmware = firmware
        self.offers: list[UpdateOffer] = []
        self.blocks: list[bytes] = []
        self.gone = False

    async def send(self, message: RelayMessage) -> None:
        if self.gone:
            raise Disconnected(1006, "gone")
        assert isinstance(message, UpdateOffer)
        self.offers.append(message)

    async def send_block(self, data: bytes) -> None:
        self.blocks.append(data)


def firmware(version: str = "0.1.0", **more: object) -> Firmware:
    return Firmware(version=version, nonce="n0nce", **more)  # type: ignore[arg-type]


def bundle(version: str) -> Bundle:
    return Bundle(version, "", "", 1, pack([("doll/start.py", version.encode() * 2000)]))


class World:
    def __init__(self, folder: Path, doll: Doll) -> None:
        self.folder = folder
        self.doll = doll
        self.shelf = Shelf(folder)
        signer = SimpleNamespace(token=TOKEN)
        self.updater = Updater(doll, self.shelf, signer, structlog.get_logger())

    async def publish(self, version: str) -> Bundle:
        made = bundle(version)
        publish(self.folder, [made])
        await self.shelf.look()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return made

    async def begin(self) -> None:
        self.updater.begin()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, Doll(firmware()))


async def test_an_offer_is_signed_for_this_doll_and_this_session(world: World) -> None:
    made = await world.publish("0.2.0")
    (offer,) = world.doll.offers
    code = hmac.new(b"t0ken", DOMAIN + offer.manifest.encode(), hashlib.sha256).hexdigest()
    assert offer.signature == code
    assert json.loads(offer.manifest) == {
        "version": "0.2.0",
        "mpy": "",
        "arch": "",
        "files": 1,
        "size": len(made.data),
        "sha256": made.sha256,
        "device": "doll-1",
        "nonce": "n0nce",
    }


@pytest.mark.parametrize(
    ("restart", "event", "level"),
    [("power", "doll switched on", "info"), ("memory", "doll restarted", "warning")],
)
async def test_why_a_doll_has_started_anew_is_logged(
    tmp_path: Path, restart: str, event: str, level: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        world = World(tmp_path, Doll(firmware(restart=restart)))
        await world.begin()
    (line,) = [line for line in logs if line["event"] == event]
    assert line["log_level"] == level
    assert line.get("why", restart) == restart


async def test_what_is_there_already_is_offered_at_once(tmp_path: Path) -> None:
    publish(tmp_path, [bundle("0.2.0")])
    world = World(tmp_path, Doll(firmware()))
    await world.shelf.look()
    await world.begin()
    assert len(world.doll.offers) == 1


async def test_after_a_lost_link_it_is_offered_again_with_the_new_nonce(world: World) -> None:
    await world.publish("0.2.0")
    world.doll.firmware = Firmware(version="0.1.0", nonce="another")
    world.updater.remind()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.updater.remind()
    await asyncio.sleep(0)
    nonces = [json.loads(offer.manifest)["nonce"] for offer in world.doll.offers]
    assert nonces == ["n0nce", "another"]


async def test_a_stock_board_is_offered_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, Doll(None))
    await world.begin()
    await world.publish("0.2.0")
    assert not world.doll.offers


async def test_blocks_are_sent_as_they_are_asked_for(world: World) -> None:
    made = await world.publish("0.2.0")
    for offset in (0, BLOCK_BYTES, 0, len(made.data) - 1):
        await world.updater.obey(Update("get", offset=offset))
    for block in world.doll.blocks:
        offset = int.from_bytes(block[:4], "big")
        assert block[4:] == made.data[offset : offset + BLOCK_BYTES]
    assert [len(block) for block in world.doll.blocks] == [
        *(4 + BLOCK_BYTES for _ in range(3)),
        5,
    ]


async def test_a_block_of_nothing_is_not_sent(world: World) -> None:
    await world.updater.obey(Update("get"))
    made = await world.publish("0.2.0")
    await world.updater.obey(Update("get", offset=len(made.data)))
    await world.updater.obey(Update("get", offset=2**32))
    assert not world.doll.blocks


async def test_a_doll_that_has_begun_gets_the_rest_of_the_same_bundle(world: World) -> None:
    made = await world.publish("0.2.0")
    await world.updater.obey(Update("get", offset=0))
    await world.publish("0.3.0")
    await world.updater.obey(Update("get", offset=BLOCK_BYTES))
    assert len(world.doll.offers) == 1
    assert b"".join(block[4:] for block in world.doll.blocks) == made.data[: 2 * BLOCK_BYTES]


@pytest.mark.parametrize("state", ["refused", "failed"])
async def test_what_was_refused_is_offered_again_only_in_another_session(
    world: World, state: str
) -> None:
    await world.publish("0.2.0")
    await world.updater.obey(Update(state, reason="flash"))  # type: ignore[arg-type]
    await world.begin()
    assert len(world.doll.offers) == 1
    await world.updater.obey(Update("get"))
    assert not world.doll.blocks
    await world.publish("0.3.0")
    assert len(world.doll.offers) == 2


async def test_a_newer_one_that_came_while_it_fetched_is_offered_after_a_failure(
    world: World,
) -> None:
    await world.publish("0.2.0")
    await world.updater.obey(Update("get"))
    await world.publish("0.3.0")
    await world.updater.obey(Update("failed", reason="sha256"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [json.loads(o.manifest)["version"] for o in world.doll.offers] == ["0.2.0", "0.3.0"]


async def test_a_doll_on_trial_is_offered_the_next_one_once_it_is_healthy(tmp_path: Path) -> None:
    world = World(tmp_path, Doll(firmware(trial=True)))
    await world.publish("0.2.0")
    assert not world.doll.offers
    await world.updater.obey(Update("healthy"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(world.doll.offers) == 1


async def test_a_doll_that_is_gone_is_no_fault(world: World) -> None:
    world.doll.gone = True
    await world.publish("0.2.0")
    assert not world.doll.offers


async def test_safe_mode_and_a_version_that_was_taken_back_are_told(tmp_path: Path) -> None:
    world = World(tmp_path, Doll(firmware(safe=True, failed="0.2.0")))
    with structlog.testing.capture_logs() as logs:
        await world.begin()
    assert [line["event"] for line in logs] == ["doll in safe mode", "update taken back"]


async def test_nothing_is_offered_after_the_session(world: World) -> None:
    world.updater.close()
    await world.publish("0.2.0")
    assert not world.doll.offers


def test_the_messages_are_those_of_the_protocol() -> None:
    assert encode(UpdateOffer("{}", "00")) == '{"type":"update","manifest":"{}","signature":"00"}'
    assert decode('{"type":"update","state":"get","offset":8000,"session_id":"s"}') == Update(
        "get", offset=8000, session_id="s"
    )


async def test_the_owner_sees_how_far_it_is(world: World) -> None:
    def standing() -> tuple[str, str, int | None, str]:
        found = world.updater.standing
        assert found is not None
        return found.state, found.version, found.percent, found.reason

    assert standing() == ("current", "", None, "")
    made = await world.publish("0.2.0")
    assert standing() == ("offered", "0.2.0", None, "")
    half = len(made.data) // 2
    await world.updater.obey(Update("get", offset=half))
    assert standing() == ("fetching", "0.2.0", 49, "")
    await world.updater.obey(Update("failed", reason="sha256"))
    assert standing() == ("failed", "0.2.0", None, "sha256")
    assert world.updater.ask()
    assert standing() == ("offered", "0.2.0", None, "")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(world.doll.offers) == 2
    await world.updater.obey(Update("installed"))
    assert standing() == ("installed", "0.2.0", 100, "")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"safe": True}, "safe_mode"),
        ({"trial": True}, "trial"),
        ({"failed": "0.2.0"}, "taken_back"),
        ({"version": "0.2.0"}, "current"),
    ],
)
async def test_what_the_doll_says_of_itself_is_seen(
    tmp_path: Path, said: dict[str, object], state: str
) -> None:
    world = World(tmp_path, Doll(firmware(**{"version": "0.1.0", **said})))  # type: ignore[arg-type]
    if state != "safe_mode":
        await world.publish("0.2.0")
    assert world.updater.standing is not None
    assert world.updater.standing.state == state
    assert not world.updater.ask()


async def test_where_the_owner_is_to_be_asked_nothing_is_offered_before(tmp_path: Path) -> None:
    world = World(tmp_path, Doll(firmware()))
    world.shelf._automatic = False
    await world.publish("0.2.0")
    assert world.updater.standing is not None
    assert (world.updater.standing.state, world.doll.offers) == ("available", [])
    assert world.updater.ask()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(world.doll.offers) == 1
    signer = SimpleNamespace(token=TOKEN)
    later = Updater(world.doll, world.shelf, signer, structlog.get_logger())  # it started anew
    later.begin()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(world.doll.offers) == 2


async def test_a_stock_board_has_no_standing(tmp_path: Path) -> None:
    world = World(tmp_path, Doll(None))
    await world.publish("0.2.0")
    assert world.updater.standing is None
    assert not world.updater.ask()
