"""Brings one doll a newer firmware: offers it, signed, and sends the blocks that it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec
from msgspec import structs
from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from relay.devices.bundle import Bundle
from relay.devices.shelf import Shelf
from relay.wire.errors import Disconnected
from relay.wire.messages import Firmware, RelayMessage, Update, UpdateOffer

#: Bytes of a bundle in one binary message, behind four of its offset.
BLOCK_BYTES = 4000

#: Goes before what is signed: a signature made for anything else is no signature of an update.
DOMAIN = b"talking-doll update 1\n"


class Way(Protocol):
    """What an updater needs of a session's way to its doll."""

    device_id: str

    @property
    def firmware(self) -> Firmware | None:
        """What the doll has, as it said over the connection of the moment."""

    async def send(self, message: RelayMessage) -> None:
        """Send one message. Raises Disconnected."""

    async def send_block(self, data: bytes) -> None:
        """Send one binary message that is no audio. Raises Disconnected."""


class Signer(Protocol):
    """Whose token signs: the doll's."""

    @property
    def token(self) -> SecretStr:
        """What the doll has shown."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an update has come, for the owner's page."""

    #: `available` waits for its owner to ask; `failed` is the doll's word for what went wrong
    #: while it fetched, `taken_back` a version that did not work.
    state: Literal[
        "current", "available", "offered", "fetching", "installed", "refused", "failed",
        "trial", "taken_back", "safe_mode",
    ]  # fmt: skip
    version: str = ""  #: of what is offered, tried, or was taken back
    percent: int | None = None  #: of what was fetched
    reason: str = ""  #: the doll's own word, with `refused` and `failed`


class Updater:
    """For one session. `close` it in the end."""

    def __init__(self, way: Way, shelf: Shelf, device: Signer, log: FilteringBoundLogger) -> None:
        self._way = way
        self._shelf = shelf
        self._device = device
        self._log = log
        self._offered: Bundle | None = None
        self._nonce = ""  # of the session that it was offered in
        self._proven = False  # what was on trial when the session began is not any more
        self._fetches = False  # the doll has begun: it must get the rest of the same bundle
        self._refused: Bundle | None = None  # not offered twice in a session
        self._answer: Standing | None = None  # what the doll said of the last offer
        self._offering: asyncio.Task[None] | None = None
        self._deaf = shelf.listen(self.remind)

    def begin(self) -> None:
        """Note what the doll says about itself, and offer what there is."""
        firmware = self._way.firmware
        if firmware is None:
            return  # a stock board, or an older doll
        if firmware.safe:
            self._log.error("doll in safe mode", version=firmware.version)
        if firmware.restart == "power":
            self._log.info("doll switched on", version=firmware.version)
        elif firmware.restart:
            self._log.warning("doll restarted", why=firmware.restart, version=firmware.version)
        if firmware.failed:
            self._log.warning("update taken back", version=firmware.failed)
        self.remind()

    def close(self) -> None:
        """Offer nothing more."""
        self._deaf()
        if self._offering is not None:
            self._offering.cancel()

    @property
    def standing(self) -> Standing | None:
        """How it stands; None for a board that takes no updates from here."""
        firmware = self._way.firmware
        if firmware is None:
            return None
        if self._answer is not None:
            return self._answer
        if firmware.trial and not self._proven:
            return Standing("trial", firmware.version)
        if (bundle := self._wanted(firmware)) is not None:
            may = self._shelf.may_offer(self._way.device_id, bundle)
            return Standing("offered" if may else "available", bundle.version)
        if firmware.safe:
            return Standing("safe_mode")
        return Standing("taken_back", firmware.failed) if firmware.failed else Standing("current")

    def ask(self) -> bool:
        """Its owner wants it now: offer it, also what it has refused. Whether there is a newer."""
        firmware = self._way.firmware
        if firmware is None or (not self._fetches and self._wanted(firmware) is None):
            return False
        self._shelf.ask(self._way.device_id)
        if not self._fetches:
            self._refused = self._offered = self._answer = None
            self.remind()
        return True

    async def obey(self, message: Update) -> None:
        """Do what the doll asks for, and take note of what it says. Raises Disconnected."""
        match message.state:
            case "get":
                await self._send_block(message.offset)
            case "refused" | "failed":
                version = self._offered.version if self._offered else ""
                self._answer = Standing(message.state, version, reason=message.reason)
                self._refused, self._offered = self._offered, None
                self._fetches = False
                self._log.warning(f"update {message.state}", reason=message.reason)
                self.remind()  # there may be a newer one already
            case "installed":
                self._log.info("update installed")
                version = self._offered.version if self._offered else ""
                self._answer = Standing("installed", version, 100)
            case "healthy":
                self._log.info("update healthy")
                self._proven = True
                self._answer = None
                self.remind()

    def remind(self) -> None:
        """Offer what there is, unless it was offered in this session of the doll."""
        if self._offering is None or self._offering.done():
            self._offering = asyncio.create_task(self._offer(), name="offer an update")

    async def _offer(self) -> None:
        firmware = self._way.firmware
        bundle = None if firmware is None else self._wanted(firmware)
        if firmware is None or bundle is None or bundle is self._refused or self._fetches:
            return
        if bundle is self._offered and firmware.nonce == self._nonce:
            return
        if not self._shelf.may_offer(self._way.device_id, bundle):
            return
        manifest = make_manifest(bundle, self._way.device_id, firmware.nonce)
        self._offered, self._nonce, self._answer = bundle, firmware.nonce, None
        self._log.info("update offered", version=bundle.version, bytes=len(bundle.data))
        with contextlib.suppress(Disconnected):  # the session has noticed as well
            await self._way.send(UpdateOffer(manifest, sign(self._device.token, manifest)))

    def _wanted(self, firmware: Firmware) -> Bundle | None:
        """What is there for it; a trial that it has passed is none any more."""
        if self._proven:
            firmware = structs.replace(firmware, trial=False)
        return self._shelf.bundle_for(firmware)

    async def _send_block(self, offset: int) -> None:
        bundle = self._offered
        if bundle is None or offset >= len(bundle.data):
            self._log.warning("update block refused", offset=offset)
            return
        self._fetches = True
        percent = 100 * offset // len(bundle.data)
        self._answer = Standing("fetching", bundle.version, percent)
        block = bundle.data[offset : offset + BLOCK_BYTES]
        await self._way.send_block(offset.to_bytes(4, "big") + block)


def make_manifest(bundle: Bundle, device_id: str, nonce: str) -> str:
    """What is signed: which bundle, for which doll, in which of its sessions."""
    return msgspec.json.encode(
        {
            "version": bundle.version,
            "mpy": bundle.mpy,
            "arch": bundle.architecture,
            "files": bundle.files,
            "size": len(bundle.data),
            "sha256": bundle.sha256,
            "device": device_id,
            "nonce": nonce,
        }
    ).decode()


def sign(token: SecretStr, manifest: str) -> str:
    """HMAC-SHA256 of the manifest with the doll's token, in hex."""
    key = token.get_secret_value().encode()
    return hmac.new(key, DOMAIN + manifest.encode(), hashlib.sha256).hexdigest()
