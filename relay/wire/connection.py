"""One doll's WebSocket: typed messages and samples on this side, the xiaozhi protocol on the other.

connection = await Connection.open(websocket, limits, session_id="…")
while True:
    match await connection.receive():
        case Listen(state="start"): ...
        case np.ndarray() as pcm: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import structlog
from msgspec import structs
from starlette.datastructures import Headers
from starlette.websockets import WebSocket
from structlog.typing import FilteringBoundLogger

from relay.audio import Pcm
from relay.wire.codecs import Decoder, Encoder, downlink, make_decoder, make_encoder
from relay.wire.errors import CloseCode, Disconnected, ErrorCode, WireError
from relay.wire.framing import framing
from relay.wire.headers import identifier
from relay.wire.intake import Intake, read_hello
from relay.wire.limits import TokenBucket, WireLimits
from relay.wire.link import Link
from relay.wire.messages import (
    DeviceMessage,
    Error,
    Goodbye,
    Hello,
    Ping,
    Pong,
    RelayMessage,
    ServerHello,
    clip,
    encode,
)
from relay.wire.output import Output


class Connection:
    """A doll that has said hello. One task receives; any task may send or close.

    A message that is not acceptable is answered with an `error`, logged, and passed over; pings and
    goodbyes are answered here. When the link ends, for whatever reason, every call raises
    Disconnected.
    """

    def __init__(
        self,
        link: Link,
        hello: Hello,
        headers: Headers,
        limits: WireLimits,
        *,
        session_id: str,
        device_id: str,
        log: FilteringBoundLogger,
    ) -> None:
        """Use `open`. Raises WireError when the hello asks for what the relay cannot do."""
        self.session_id = session_id
        self.device_id = device_id  #: as the doll says; a name made from the session if it does not
        self.client_id = identifier(headers.get("client-id")) or ""
        self.hello = hello
        self.log = log  #: with the doll and the session bound
        self.decoder: Decoder = make_decoder(hello.audio_params)
        self.downlink = downlink(hello.audio_params)
        wrapping = framing(_version(hello, headers))
        self.output = Output(make_encoder(hello.audio_params), wrapping, session_id)
        self._goes_on = False  # it is one more of an older session's
        self._link = link
        self._limits = limits
        self._clock = asyncio.get_running_loop().time
        self._intake = Intake(wrapping, self.decoder, limits, self._clock())
        self._complaints = TokenBucket(limits.bad_messages / 60, limits.bad_messages, self._clock())
        self._taken: DeviceMessage | Pcm | Exception | None = None  # of the message that is next
        #: Shown audio as it arrives, while `receive` waits; whether nothing is left to do about it.
        #: Else `receive` gives an empty array.
        self.at_once: Callable[[Pcm], bool] | None = None

    @classmethod
    async def open(cls, websocket: WebSocket, limits: WireLimits, *, session_id: str) -> Connection:
        """Accept the WebSocket and exchange hellos: `accept` and `greet`. Raises Disconnected."""
        connection = await cls.accept(websocket, limits, session_id=session_id)
        await connection.greet()
        return connection

    @classmethod
    async def accept(
        cls, websocket: WebSocket, limits: WireLimits, *, session_id: str
    ) -> Connection:
        """Accept the WebSocket and hear the doll's hello. It waits for ours: `greet` is next.

        A doll that does not say a proper hello in time is told why and closed. Raises Disconnected.
        """
        headers = websocket.headers
        device_id = identifier(headers.get("device-id")) or f"unnamed-{session_id[:8]}"
        log = structlog.get_logger().bind(device=device_id, session=session_id)
        link = Link(websocket, limits, log)
        await link.accept()
        raw = await link.receive(
            limits.hello_timeout_s, CloseCode.NO_HELLO, "no hello came in time"
        )
        try:
            return cls(
                link,
                read_hello(raw),
                headers,
                limits,
                session_id=session_id,
                device_id=device_id,
                log=log,
            )
        except WireError as error:
            raise await _refuse(link, error) from None

    async def greet(self, carried_on: Output | None = None) -> None:
        """Say our hello, the first message that the doll gets. Raises Disconnected.

        `carried_on` is the output of an older session of this doll, which goes on here.
        """
        if carried_on is not None:
            self.output = carried_on
            self.session_id = carried_on.session_id
            self.log = self._link.log = self.log.bind(session=self.session_id)
            self._goes_on = True
        hello = ServerHello(self.session_id, self.downlink)
        if self.hello.resume is not None:
            hello = structs.replace(hello, resumed=self._goes_on)
        await self._link.send(encode(hello))
        uplink = self.hello.audio_params
        self.log.info("connected", format=uplink.format, frame_ms=uplink.frame_duration)

    def go_on(self, session_id: str) -> None:
        """Be the connection of a session that another worker began; `greet` says so."""
        self.session_id = self.output.session_id = session_id
        self.log = self._link.log = self.log.bind(session=session_id)
        self._goes_on = True

    @property
    def resumable(self) -> bool:
        """Whether the doll can go on with what a lost link cut off. It has to report as well:
        that is how we know what need not be kept for it any longer."""
        return self.hello.features.resume and self.hello.features.report

    @property
    def encoder(self) -> Encoder:
        """What `send_audio` encodes with."""
        return self.output.encoder

    async def receive(self) -> DeviceMessage | Pcm:
        """The next valid message, or samples at 16 kHz of whatever length the doll sends at once.

        Safe to cancel: nothing is lost. Raises Disconnected.
        """
        while True:
            raw = await self._link.receive(
                self._limits.idle_timeout_s,
                CloseCode.IDLE,
                "nothing was received for too long",
                pongs_count=True,
                at_once=self._take if self.at_once is not None else None,
            )
            item, self._taken = self._taken, None
            try:
                if item is None:
                    item = self._intake.take(raw, self._clock())
                elif isinstance(item, Exception):
                    raise item
            except WireError as error:
                await self._complain(error)
                continue
            if isinstance(item, Ping):
                await self.send(Pong())
            elif isinstance(item, Goodbye):
                raise await self._link.close(CloseCode.NORMAL, "goodbye")
            else:
                return item

    async def send(self, message: RelayMessage) -> None:
        """Send one message. Waits while the doll does not read, up to a limit. Raises Disconnected.

        `Tts(state="start")` begins a reply: the encoder and the playback position start anew.
        """
        await self.deliver(self.output.message(message))

    async def send_audio(self, frame: Pcm) -> None:
        """Send one frame: `encoder.frame_samples` samples at `encoder.rate_hz`.

        Raises Disconnected, or ValueError for a frame of another length.
        """
        await self.deliver(await self.output.audio(frame))

    async def deliver(self, data: str | bytes) -> None:
        """Send what an `Output` has made. Raises Disconnected."""
        await self._link.send(data)

    async def over(self) -> None:
        """Wait until the connection has ended."""
        await self._link.over()

    async def close(self, code: CloseCode, reason: str) -> None:
        """End the connection; does nothing if it is over. The reason is sent, and logged."""
        await self._link.close(code, reason)

    def _take(self, raw: bytes) -> bool:
        """Take a message where it arrives; whether it is done with. Else `receive` gets it next,
        and finds here what it was taken for, or what is to be raised."""
        assert self.at_once is not None
        try:
            item = self._intake.take(raw, self._clock())
            if isinstance(item, np.ndarray):
                if self.at_once(item):
                    return True
                item = item[:0]
        except Exception as error:  # noqa: BLE001 (raised where somebody can answer it)
            self._taken = error
        else:
            self._taken = item
        return False

    async def _complain(self, error: WireError) -> None:
        if error.close is not None:
            raise await _refuse(self._link, error)
        if self._complaints.take(1, self._clock()):
            self.log.warning("message refused", error=error.code.value, reason=error.message)
        await self._link.send(encode(Error(error.code, error.message)))


async def _refuse(link: Link, error: WireError) -> Disconnected:
    """Tell the doll why, and end the link; the exception to raise. Raises Disconnected itself."""
    await link.send(encode(Error(error.code, error.message)))
    code = error.close or CloseCode.PROTOCOL_ERROR
    return await link.close(code, f"{error.code}: {error.message}")


def _version(hello: Hello, headers: Headers) -> int:
    """The framing: what the upgrade said, or else the hello.

    Both say the same on stock boards; clients made after the MQTT form say version 3 in a hello and
    frame their audio as version 1.
    """
    header = headers.get("protocol-version")
    if header is None:
        return hello.version
    if not header.isascii() or not header.isdigit() or len(header) > 3:
        raise WireError(
            ErrorCode.UNSUPPORTED_VERSION,
            f"Protocol-Version {clip(repr(header), 40)}: use 1, 2 or 3",
            CloseCode.UNSUPPORTED_FORMAT,
        )
    return int(header)
