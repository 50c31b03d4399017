"""One doll that is not the relay's yet: it says its code, and takes its token.

Such a connection reaches no model but the voice, remembers nothing, and what is said to it is not
listened to: a press of the button only makes the doll say its code once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import numpy as np
from sqlalchemy.exc import SQLAlchemyError

from relay import locales
from relay.devices.codes import Recital
from relay.devices.pairing import Pairing, Pending
from relay.devices.registry import Registry
from relay.errors import ProviderError
from relay.services import Services
from relay.turn.reply import Reply
from relay.turn.timeline import Timeline
from relay.wire.connection import Connection
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.messages import (
    Abort,
    Alert,
    DeviceMessage,
    Listen,
    Report,
    System,
    Token,
    TokenState,
    Tts,
)

#: For one sentence to be made and played.
_SENTENCE_S = 60.0

#: For a doll to say that it has stored its token.
_STORE_S = 10.0


class Newcomer:
    """Runs until the doll goes, or has its token and is sent to come back with it."""

    def __init__(
        self,
        connection: Connection,
        pending: Pending,
        language: str,
        services: Services,
        registry: Registry,
        pairing: Pairing,
    ) -> None:
        self.pending = pending
        self._connection = connection
        self._language = language
        self._services = services
        self._registry = registry
        self._pairing = pairing
        self._recital = Recital()
        self._speech: asyncio.Task[None] | None = None
        self._confirmed = asyncio.Event()
        self._stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._now = asyncio.get_running_loop().time

    def confirm(self) -> None:
        """The owner has said that it is theirs."""
        self._confirmed.set()

    async def replaced(self) -> None:
        """The same doll has connected again."""
        await self._connection.close(CloseCode.REPLACED, "the same device connected again")

    async def leave(self) -> None:
        """The relay stops."""
        await self._connection.close(CloseCode.GOING_AWAY, "the relay stops")

    async def run(self, *, aloud: bool) -> None:
        """Serve it. `aloud`: the code is said at once, and not only when somebody asks."""
        log = self._connection.log
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._connection.greet()
            tasks += [asyncio.create_task(do) for do in (self._listen(), self._hand_over())]
            if not self._confirmed.is_set():
                log.info("wants to be paired", code=self.pending.code)
                # What a person has to type, for the doll's log and a stock board's display.
                shown = f"doll pair {self.pending.code}"
                await self._connection.send(Alert(status="pairing", message=shown))
            if aloud:
                self._recite()
            left_s = self.pending.expires - self._registry.now_s()
            async with asyncio.timeout(left_s):
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        except TimeoutError:
            await self._connection.close(CloseCode.TRY_LATER, "the code has expired")
        except Disconnected:
            pass
        except (SQLAlchemyError, OSError) as error:
            log.error("database", why=type(error).__name__)
        finally:
            await self._hush()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._connection.close(CloseCode.INTERNAL, "the session has ended")

    async def _listen(self) -> None:
        while True:
            received = await self._connection.receive()
            if not isinstance(received, np.ndarray):
                await self._obey(received)

    async def _obey(self, message: DeviceMessage) -> None:
        match message:
            case Listen(state="start", mode="manual"):
                pass  # somebody holds the button: the doll speaks when it is let go
            case Listen(state="start"):
                self._recite(by_hand=False)
            case Listen(state="stop"):
                self._recite()
            case Abort():
                await self._hush()
                await self._connection.send(Tts(state="stop"))
            case Report():
                self._recital.played(self._now())
            case TokenState():
                if not self._stored.done():
                    self._stored.set_result(message.state == "stored")

    async def _hand_over(self) -> None:
        """Wait for the owner, and give the doll its token."""
        await self._confirmed.wait()
        await self._hush()
        if not self._connection.hello.features.token:
            # A stock board fetches its token when it starts.
            await self._connection.send(System(command="reboot"))
            await self._connection.close(CloseCode.NEW_TOKEN, "its token waits for it")
            return
        token = await self._pairing.deliver(self.pending.ticket)
        if token is None:
            await self._connection.close(CloseCode.TRY_LATER, "the code has expired")
            return
        await self._connection.send(Token(token))
        try:
            async with asyncio.timeout(_STORE_S):
                stored = await self._stored
        except TimeoutError:
            stored = False
        if not stored:
            self._connection.log.error("the doll could not store its token")
            await self._connection.close(CloseCode.TRY_LATER, "the token was not stored")
            return
        await self._registry.settle(self.pending.device_id, token)
        self._connection.log.info("paired")
        await self._say("pairing.done")
        await self._connection.close(CloseCode.NEW_TOKEN, "come back with the token")

    def _recite(self, *, by_hand: bool = True) -> None:
        """Say the code, unless it is being said, or was said too often."""
        if self._confirmed.is_set() or not self._recital.begin(self._now(), by_hand=by_hand):
            return
        self._speech = asyncio.create_task(self._say_code())

    async def _say_code(self) -> None:
        names = locales.variants(self._language, "pairing.digits")
        digits = [names[int(digit)] for digit in self.pending.code]
        # Two breaths of three: six in a row are hard to keep.
        code = ", ".join(digits[:3]) + ". " + ", ".join(digits[3:])
        await self._say("pairing.code", code=code)
        self._recital.end(self._now() + self._head_start_s)

    async def _say(self, key: str, **values: str) -> None:
        """Speak a line. Without a voice nothing is heard; the code is in the log."""
        text = locales.text(self._language, key).format(**values)
        reply = Reply(
            self._connection,
            self._services.tts,
            Timeline(),
            head_start_s=self._head_start_s,
            voice=self._services.persona_of("").voice,
        )
        try:
            await self._connection.send(Tts(state="start"))
            async with asyncio.timeout(_SENTENCE_S):
                await reply.say(_whole(text), self._language)
        except (ProviderError, TimeoutError) as error:
            self._connection.log.warning("no voice", why=str(error) or "it took too long")
        except Disconnected:
            return
        except Exception:
            self._connection.log.exception("no voice", why="a bug")
        await self._connection.send(Tts(state="stop"))

    async def _hush(self) -> None:
        speech, self._speech = self._speech, None
        if speech is not None and not speech.done():
            speech.cancel()
            await asyncio.wait((speech,))
        self._recital.stop()

    @property
    def _head_start_s(self) -> float:
        return self._services.settings.turn.head_start_ms / 1000


async def _whole(text: str) -> AsyncGenerator[str, None]:
    yield text
