"""A session's way to its doll, over one connection after another: each message arrives once.

A doll that says so in its hello counts what it receives. When its link is lost during an answer,
the session waits for it; the doll comes back with its count, and the delivery goes on with the
first message that it has not got. For other devices a lost link is the end.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Callable, Sequence

from relay.audio import Pcm
from relay.turn.journal import Journal
from relay.turn.machine import State
from relay.turn.moved import Line
from relay.turn.pacing import Pacer
from relay.wire.codecs import Encoder
from relay.wire.connection import Connection
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.messages import DeviceMessage, Firmware, RelayMessage

#: On top of the wait and the head start: what a doll may have missed before anybody noticed.
_SLACK_S = 1.0

#: Ends after which there is nothing to come back to: a goodbye, the doll's own fault, the relay's
#: end.
_FINAL = (CloseCode.NORMAL, CloseCode.FLOOD, CloseCode.BAD_MESSAGES, CloseCode.RESTARTING)


class Delivery:
    """Sends and receives for one session. One task receives; any task may send.

    `keep_s` is how long a lost doll is waited for; `state` says where the conversation stands.
    While the link is away, texts are kept and audio waits, so that no more is made than was before.
    Every call raises Disconnected when the doll has gone for good.
    """

    def __init__(
        self,
        connection: Connection,
        state: Callable[[], State],
        *,
        keep_s: float,
        head_start_s: float,
    ) -> None:
        self.session_id = connection.session_id
        self.device_id = connection.device_id
        self._connection: Connection | Line | None = connection
        self._replaced: Connection | Line | None = None  # it is to be closed
        self._coming: Connection | None = None  # it is being greeted
        self.hello = connection.hello  #: of the first connection
        self._output = connection.output
        self._log = connection.log
        self._state = state
        self._keep_s = keep_s if connection.resumable else 0.0
        self._head_start_s = head_start_s
        self._frame_s = self.encoder.frame_samples / self.encoder.rate_hz
        kept_s = self._keep_s + head_start_s + _SLACK_S
        self._capacity = math.ceil(kept_s / self._frame_s)
        self._journal = Journal(self._capacity)
        self._flows = True  # what is sent goes out at once
        self._replay: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._over: Disconnected | None = None
        self._news = asyncio.Event()
        self._now = asyncio.get_running_loop().time
        self.on_message: Callable[[RelayMessage], None] = _nobody_watches
        """Called with each message for the doll, audio aside."""
        self.at_once: Callable[[Pcm], bool] = _nobody_hears
        """Shown audio where it arrives (`Connection.at_once`)."""
        connection.at_once = self._hear

    @property
    def encoder(self) -> Encoder:
        """What the audio is encoded with."""
        return self._output.encoder

    async def receive(self) -> DeviceMessage | Pcm:
        """The next message or samples of the doll, over whichever connection. Raises Disconnected.

        Returns nothing while the link is away. Only one caller at a time.
        """
        while True:
            self._check()
            if (connection := self._connection) is None:
                await self._change()
                continue
            try:
                return await connection.receive()
            except Disconnected as gone:
                self._lost(connection, gone)

    async def send(self, message: RelayMessage) -> None:
        """Send one message, now or when the doll is back. Raises Disconnected."""
        self.on_message(message)
        await self._put(self._output.message(message))

    async def send_audio(self, frame: Pcm) -> None:
        """Send one frame; waits while the link is away. Raises Disconnected, or ValueError."""
        await self.pass_on(await self._output.audio(frame))

    async def pass_on(self, data: str | bytes) -> None:
        """Send what is encoded already; audio waits while the link is away. Raises Disconnected."""
        place = await self._put(data)
        while isinstance(data, bytes) and self._journal.sent <= place < self._journal.end:
            await self._change()
            self._check()

    async def send_block(self, data: bytes) -> None:
        """Send one binary message that is no audio. Raises Disconnected."""
        await self._put(self._output.block(data))

    @property
    def is_connected(self) -> bool:
        """Whether the doll has a link just now."""
        return self._connection is not None

    @property
    def firmware(self) -> Firmware | None:
        """What the doll has, as it said over the connection of the moment."""
        return None if self._connection is None else self._connection.hello.firmware

    def confirm(self) -> None:
        """The doll has reported on its reply: nothing of it will be asked for again."""
        self._journal.forget_sent()

    def cut(self) -> None:
        """The reply is interrupted: what a doll that came back has not got of it is dropped."""
        self._journal.cut()
        self._tell()

    def can_resume(self, connection: Connection) -> bool:
        """Whether the doll that has just said its hello is ours, and can be given all it missed."""
        resume = connection.hello.resume
        return resume is not None and self.can_go_on(
            resume.session_id, resume.received, connection.output.form
        )

    def can_go_on(self, session_id: str, received: int, form: str) -> bool:
        """The same, by what that doll has said, and the `Output.form` that it understands."""
        return (
            secrets.compare_digest(session_id.encode(), self.session_id.encode())
            and self._output.form == form
            and self._worth_keeping()
            and self._journal.reaches(received)
            and self._is_owed(received)
        )

    def _is_owed(self, received: int) -> bool:
        """Whether there is anything to wait for. A doll that has got all, and waits for an answer,
        has asked something that was lost on its way."""
        return self._state() is not State.IDLE or received < self._journal.end

    async def resume(self, connection: Connection) -> None:
        """Go on over this connection, of which `can_resume` is true; its hello is answered here.

        The connection before it is closed. Raises Disconnected if the new one is lost at once.
        """
        resume = connection.hello.resume
        assert resume is not None
        old, self._connection = self._connection, None
        self._coming = connection
        self._flows = False
        self._stop_timer()
        if self._replay is not None:
            self._replay.cancel()
        missed = self._journal.sent - resume.received
        self._journal.rewind(resume.received)
        try:
            await connection.greet(self._output)
        except Disconnected as gone:
            if self._coming is connection:
                self._wait_for_it(gone)
            raise
        if self._coming is connection and self._over is None:
            self._connection, self._coming = connection, None
            connection.at_once = self._hear
            self._log.info("resumed", sent_again=missed)
            self._replay = asyncio.create_task(self._catch_up(connection))
            self._tell()
        else:  # the doll has come back once more meanwhile, or the session has ended
            await connection.close(CloseCode.TRY_LATER, "the session goes on without it")
        if old is not None:
            await old.close(CloseCode.REPLACED, "the same device connected again")

    def take_up(self, received: int, kept: Sequence[str | bytes]) -> None:
        """Be the delivery of a session that another worker began: its doll has got so many
        messages, and these are the next ones. They go out with `catch_up`."""
        self._journal = Journal(self._capacity, received)
        for message in kept:
            self._journal.add(message)
        self._flows = False

    def catch_up(self) -> None:
        """The doll has been greeted: send what `take_up` was given."""
        assert self._connection is not None
        self._replay = asyncio.create_task(self._catch_up(self._connection))

    def hand_over(self, received: int, line: Line) -> list[str | bytes]:
        """The doll is at another worker: what it has not got. The rest of its answer goes over
        `line`; nobody is waited for any more. `can_go_on` is true."""
        self._journal.rewind(received)
        kept = self._journal.hand_over()
        self._stop_timer()
        if self._replay is not None:
            self._replay.cancel()
        self._replaced, self._connection, self._coming = self._connection, line, None
        self._keep_s, self._flows = 0.0, True
        self._tell()
        return kept

    async def close_replaced(self) -> None:
        """Close the connection that it had before it was handed over."""
        if self._replaced is not None:
            await self._replaced.close(CloseCode.REPLACED, "the same device connected again")

    async def let_go(self, code: CloseCode, reason: str) -> bool:
        """Close the link alone, and wait for the doll as after a lost one; whether there is an
        answer to wait for it with. If not, nothing is done."""
        if self._connection is None or not self._worth_keeping():
            return False
        await self._connection.close(code, reason)
        return True

    def end(self, code: CloseCode, reason: str) -> None:
        """There is nobody to wait for any more. Does not close the connection."""
        self._give_up(Disconnected(code, reason))

    async def close(self, code: CloseCode, reason: str) -> None:
        """The same, and the connection is closed too."""
        self.end(code, reason)
        for connection in (self._connection, self._coming):
            if connection is not None:
                await connection.close(code, reason)
        if self._replay is not None:
            self._replay.cancel()
            await asyncio.wait((self._replay,))

    def _hear(self, pcm: Pcm) -> bool:
        return self.at_once(pcm)

    async def _put(self, data: str | bytes) -> int:
        """Send at once if that can be done, else when its turn comes; the place of `data`."""
        self._check()
        if not self._keep_s:
            assert self._connection is not None
            try:
                await self._connection.deliver(data)
            except Disconnected as gone:
                self._give_up(gone)
                raise
            return -1
        place = self._journal.add(data)
        if self._flows and (connection := self._connection) is not None:
            self._journal.take()
            try:
                await connection.deliver(data)
            except Disconnected as gone:
                self._lost(connection, gone)
                self._check()
        return place

    async def _catch_up(self, connection: Connection | Line) -> None:
        """Send what the doll has not got, no faster than it plays, until there is nothing left."""
        pacer = Pacer(self._frame_s, self._head_start_s)
        try:
            while (data := self._journal.peek()) is not None:
                is_audio = isinstance(data, bytes)
                if is_audio and (delay := pacer.delay(self._now())) > 0:
                    await asyncio.sleep(delay)
                    continue  # it may have been cut off meanwhile
                if self._connection is not connection:
                    return
                self._journal.take()
                await connection.deliver(data)
                if is_audio:
                    pacer.sent(self._now())
                self._tell()
        except Disconnected as gone:
            self._lost(connection, gone)
        else:
            self._flows = self._connection is connection

    def _worth_keeping(self) -> bool:
        if self._over is not None or not self._keep_s:
            return False
        state = self._state()
        answering = state in (State.THINKING, State.SPEAKING)
        return answering or (state is State.IDLE and len(self._journal) > 0)

    def _lost(self, connection: Connection | Line, gone: Disconnected) -> None:
        if connection is not self._connection:
            return  # the doll is on another one
        self._connection = None
        self._flows = False
        self._wait_for_it(gone)

    def _wait_for_it(self, gone: Disconnected) -> None:
        self._coming = None
        if gone.code in _FINAL or not self._worth_keeping():
            self._give_up(gone)
            return
        self._log.info("waiting for the doll", seconds=self._keep_s)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._keep_s, self._give_up, gone)

    def _give_up(self, gone: Disconnected) -> None:
        self._stop_timer()
        if self._over is None:
            self._over = gone
            self._tell()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        if self._over is not None:
            raise Disconnected(self._over.code, self._over.reason)

    def _tell(self) -> None:
        self._news.set()

    async def _change(self) -> None:
        self._news.clear()
        await self._news.wait()


def _nobody_watches(_: RelayMessage) -> None:
    pass


def _nobody_hears(_: Pcm) -> bool:
    return False
