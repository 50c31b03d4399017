"""How workers talk: whoever runs a relay with the same Redis server hears what others publish.

    bus = Bus(open_redis(url, "relay.redis"))
    bus.hear("live.event", LiveEvent, handler)    # def handler(sender: str, body: LiveEvent)
    bus.serve("load", Empty, load)                # async def load(sender: str, _: Empty) -> Load
    task = asyncio.create_task(bus.run())         # all handlers before that

    await bus.publish("live.event", LiveEvent(…))  # to all other workers; how many got it
    await bus.tell(worker, "live.event", body)     # to one; False if it is not there
    load = await bus.ask(worker, "load", Empty(), Load)
    loads = await bus.ask_all("load", Empty(), Load)    # {worker: load} of all others

What is sent are msgspec Structs, in MessagePack (`relay.cluster.envelope`), and what comes is
decoded to the type that the handler was registered with, or refused. A worker's name is new each
time that it starts.

Redis' publish and subscribe carry it: a message reaches who listens in that moment, once, in the
order in which one task has sent it, or not at all, when a connection breaks. Nothing is kept in the
server. Whether a worker lives is known at once, since the server counts who gets a message and sees
the sockets of a killed process close. One of a machine that vanished from the network looks alive
until a question to it is late.

Without the server every call raises BusError at once (`tell` and `publish` too), and the relay goes
on alone: the loss is logged once, and so is the return.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from relay.cluster.envelope import (
    ANSWER,
    REFUSAL,
    Envelope,
    EnvelopeError,
    Refusal,
    body_of,
    decode,
    encode,
)
from relay.cluster.server import TIMEOUT_S, answer

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

T = TypeVar("T")
B = TypeVar("B")

Heard = Callable[[str, Any], None]
Served = Callable[[str, Any], Awaitable[object]]

#: Requests of others that are worked on at the same time; more are refused.
MAX_SERVED: Final = 64

#: With nothing to hear for so long the server is asked whether it is there; after twice that it is
#: not.
QUIET_S: Final = 5.0

#: Between attempts to reach the server.
RETRY_S: Final = (0.05, 0.2, 1.0, 2.0)

#: What is wrong with messages is logged so often at most.
_COMPLAIN_S: Final = 60.0

_log = structlog.get_logger(__name__)


class BusError(Exception):
    """Nothing was sent, or no answer came: the server or the worker is not there, or refuses."""


class GoneError(BusError):
    """That worker is not there any more."""


@dataclass(eq=False, slots=True)
class _Question:
    """Answers that are waited for: `worker`'s, or everybody's."""

    worker: str
    answers: asyncio.Queue[Envelope | None] = field(default_factory=asyncio.Queue)


class Bus:
    """One for a worker. All methods belong to one event loop."""

    def __init__(self, redis: Redis) -> None:
        database = redis.connection_pool.connection_kwargs.get("db") or 0
        # Channels are the same in all databases of a server, keys are not.
        self.prefix = f"doll:cluster:{database}"  #: of all names that are used in the server
        self.redis = redis
        self.name = secrets.token_hex(8)  #: of this worker, as the others know it
        self.is_up = False
        self._all = f"{self.prefix}:all"
        self._heard: dict[str, tuple[type[Any], Heard]] = {}
        self._served: dict[str, tuple[type[Any], Served]] = {}
        self._questions: dict[int, _Question] = {}
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: set[asyncio.Task[Any]] = set()
        self._serving = 0
        self._up = asyncio.Event()
        self._broken = asyncio.Event()
        self._failures = 0  # since it was there
        self._told = False  # that it is not
        self._complained_at = float("-inf")
        self._followers: list[Callable[[], None]] = []

    def hear(self, kind: str, body: type[B], handler: Callable[[str, B], None]) -> None:
        """Call `handler` with who has sent it and what, in the order in which it comes."""
        self._heard[kind] = (body, handler)

    def serve(
        self, kind: str, body: type[B], handler: Callable[[str, B], Awaitable[object]]
    ) -> None:
        """Answer requests with the Struct that `handler` returns; each runs in a task of its own.

        What it raises becomes a refusal: a BusError there, with its text if it is one here.
        """
        self._served[kind] = (body, handler)

    def follow(self, handler: Callable[[], None]) -> None:
        """Call `handler` each time that the server is there, for the first time or again."""
        self._followers.append(handler)

    async def publish(self, kind: str, body: object) -> int:
        """Send to all other workers that listen; how many that are. Raises BusError."""
        return await self._send(self._all, kind, 0, body) - 1

    async def tell(self, worker: str, kind: str, body: object) -> bool:
        """Send to one worker; whether it is there. Raises BusError."""
        return await self._send(self._to(worker), kind, 0, body) > 0

    async def is_there(self, worker: str) -> bool:
        """Whether a worker listens. Raises BusError."""
        return await self._listeners(self._to(worker)) > 0

    async def others(self) -> int:
        """How many other workers listen. Raises BusError."""
        return await self._listeners(self._all) - 1

    async def ask(
        self, worker: str, kind: str, body: object, answers: type[T], timeout_s: float = TIMEOUT_S
    ) -> T:
        """A worker's answer. Raises GoneError if it is not there, BusError if it refuses or is
        late."""
        number, question = next(self._numbers), _Question(worker)
        self._questions[number] = question
        try:
            if not await self._send(self._to(worker), kind, number, body):
                raise GoneError("the worker has gone")
            async with asyncio.timeout(timeout_s):
                envelope = await question.answers.get()
        except TimeoutError:
            raise BusError("the worker does not answer") from None
        finally:
            del self._questions[number]
        return _answered(envelope, answers)

    async def ask_all(
        self, kind: str, body: object, answers: type[T], timeout_s: float = TIMEOUT_S
    ) -> dict[str, T]:
        """The answers of all other workers, by worker; without those that refuse or are late.

        Raises BusError if nothing could be asked.
        """
        number, question = next(self._numbers), _Question("")
        self._questions[number] = question
        found: dict[str, T] = {}
        try:
            others = await self._send(self._all, kind, number, body) - 1
            async with asyncio.timeout(timeout_s):
                for _ in range(others):
                    envelope = await question.answers.get()
                    if envelope is None:
                        break
                    try:
                        found[envelope.sender] = _answered(envelope, answers)
                    except BusError as error:
                        self._complain(str(error))
        except TimeoutError:
            pass
        finally:
            del self._questions[number]
        return found

    async def up(self) -> None:
        """Wait until the server is there."""
        await self._up.wait()

    def start(self, work: Awaitable[object]) -> None:
        """Do something that may raise BusError, later; nobody waits for it."""
        task = asyncio.ensure_future(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Listen for ever, over one connection after another."""
        from redis.exceptions import RedisError

        while True:
            try:
                async with self.redis.pubsub() as pubsub:
                    begun = pubsub.subscribe(self._to(self.name), self._all)
                    await asyncio.shield(self._asking(begun))
                    await self._listen(pubsub)
            except (RedisError, OSError) as error:
                self._failed(error)
            await asyncio.sleep(RETRY_S[min(self._failures, len(RETRY_S) - 1)])
            self._failures += 1

    async def close(self) -> None:
        """Leave. `run` is to be cancelled before."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._asked, return_exceptions=True)
        await self.redis.aclose()

    def _failed(self, error: BaseException) -> None:
        """The server does not do what it should: nothing is asked of it until it is back."""
        if not self._told:
            _log.error("redis is away", setting="relay.redis", why=type(error).__name__)
        self._told = True
        self.is_up = False
        self._up.clear()
        self._broken.set()
        for question in self._questions.values():
            question.answers.put_nowait(None)

    async def _listen(self, pubsub: PubSub) -> None:
        """Take what comes, until the connection breaks."""
        self._broken.clear()
        broken = asyncio.create_task(self._broken.wait())
        reading = self._asking(self._read(pubsub))
        try:
            await asyncio.wait((broken, reading), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            self._broken.set()
            for task in (broken, reading):
                task.cancel()
            await asyncio.wait((broken, reading), timeout=1.0)

    async def _read(self, pubsub: PubSub) -> None:
        subscribed, silent = 0, False
        while not self._broken.is_set():
            message = await pubsub.get_message(timeout=QUIET_S)
            if message is None:
                if silent:
                    raise OSError("silent")
                silent = True
                await pubsub.ping()
                continue
            silent = False
            if message["type"] == "subscribe":
                subscribed += 1
                if subscribed == 2:
                    self._is_there()
            elif message["type"] == "message":
                self._take(message["data"])

    def _is_there(self) -> None:
        _log.info("redis is there", node=self.name)
        self.is_up = True
        self._failures, self._told = 0, False
        self._up.set()
        for follower in self._followers:
            follower()

    async def _send(self, channel: str, kind: str, number: int, body: object) -> int:
        """Publish; how many got it. Raises BusError."""
        if not self.is_up:
            raise BusError("redis is away")
        try:
            data = encode(self.name, kind, number, body)
        except EnvelopeError as error:
            raise BusError(str(error)) from None
        return int(await self.call(self.redis.publish(channel, data)))

    async def _listeners(self, channel: str) -> int:
        if not self.is_up:
            raise BusError("redis is away")
        ((_, listeners),) = await self.call(self.redis.pubsub_numsub(channel))
        return int(listeners)

    async def call(self, command: object) -> Any:
        """What the server answers to a command of `redis`. Raises BusError."""
        from redis.exceptions import RedisError, ResponseError

        try:
            return await asyncio.shield(self._asking(answer(command)))
        except ResponseError as error:  # it is there, and refuses: a wrong password, no memory …
            self._complain(type(error).__name__)
            raise BusError("redis refuses") from None
        except (RedisError, OSError) as error:
            self._failed(error)
            raise BusError("redis is away") from None

    def _asking(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        """A task of its own for what redis-py does: cancelled in the wrong moment it goes on as if
        nothing had happened, and in any other it drops the connection."""
        asked: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._asked.add(asked)
        asked.add_done_callback(self._was_answered)
        return asked

    def _was_answered(self, asked: asyncio.Task[Any]) -> None:
        self._asked.discard(asked)
        if not asked.cancelled():
            asked.exception()  # seen, whoever waited for it

    def _take(self, data: bytes) -> None:
        """One message. Nothing in it can do more than be passed over."""
        try:
            envelope = decode(data)
            if envelope.sender == self.name:
                return
            if envelope.kind in (ANSWER, REFUSAL):
                question = self._questions.get(envelope.number)
                if question is not None and question.worker in ("", envelope.sender):
                    question.answers.put_nowait(envelope)
            elif (heard := self._heard.get(envelope.kind)) is not None:
                heard[1](envelope.sender, body_of(envelope, heard[0]))
            elif (served := self._served.get(envelope.kind)) is not None and envelope.number:
                self._begin(envelope, body_of(envelope, served[0]), served[1])
        except EnvelopeError as error:
            self._complain(str(error))
        except Exception:  # noqa: BLE001 (logged; a bug of one handler is nothing to the others)
            _log.exception("a handler failed")

    def _begin(self, envelope: Envelope, body: object, handler: Served) -> None:
        if self._serving >= MAX_SERVED:
            self._complain("too many requests at once")
            busy, to = Refusal("too many requests at once"), self._to(envelope.sender)
            self.start(self._send(to, REFUSAL, envelope.number, busy))
        else:
            self._serving += 1
            self.start(self._serve(envelope, body, handler))

    async def _serve(self, envelope: Envelope, body: object, handler: Served) -> None:
        kind, result = ANSWER, None
        try:
            result = await handler(envelope.sender, body)
        except BusError as error:
            kind, result = REFUSAL, Refusal(str(error)[:200])
        except Exception:  # noqa: BLE001 (logged)
            _log.exception("a handler failed", kind=envelope.kind)
            kind, result = REFUSAL, Refusal("a bug")
        finally:
            self._serving -= 1
        await self._send(self._to(envelope.sender), kind, envelope.number, result)

    def _to(self, worker: str) -> str:
        return f"{self.prefix}:to:{worker}"

    def _complain(self, why: str) -> None:
        """Log what is wrong with messages: the first of them, and then one now and then."""
        now = asyncio.get_running_loop().time()
        if now - self._complained_at >= _COMPLAIN_S:
            self._complained_at = now
            _log.warning("a worker's message is passed over", why=why)


def _answered(envelope: Envelope | None, answers: type[T]) -> T:
    if envelope is None:
        raise BusError("redis is away")
    try:
        if envelope.kind == REFUSAL:
            raise BusError(body_of(envelope, Refusal).why)
        return body_of(envelope, answers)
    except EnvelopeError as error:
        raise BusError(str(error)) from None


async def _quietly(work: Awaitable[object]) -> None:
    with contextlib.suppress(BusError):  # logged where the server was lost
        await work
