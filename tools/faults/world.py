"""Dolls, the relay that is broken under them, and what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from relay.config import RelaySettings
from tools.faults.server import PROMPTS
from tools.faults.sound import audible, heard, sweep
from tools.pairing import opened
from tools.relay_process import Event, RelayFailedError, RelayProcess, running_relay
from tools.simulator.console import Item, LogLine
from tools.simulator.doll import SimulatedDoll
from tools.simulator.errors import SimulatorError
from tools.simulator.network import Network
from tools.simulator.turn import Reply

QUESTION = Path(__file__).parents[1] / "demo" / "questions" / "ko-name.wav"
ANSWER_S = 2.5

_READY_S = 60.0  # guards only: what is measured is on the dolls' own clocks
_TURN_S = 90.0


@dataclass(frozen=True, slots=True)
class Told:
    """A line of a doll's log, and when, on its own clock."""

    ms: int
    line: str


class Doll:
    """A simulated doll whose log is kept. `answer_s` is how long an answer of its relay sounds."""

    def __init__(self, doll: SimulatedDoll, answer_s: float) -> None:
        self.board = doll
        self.log: list[Told] = []
        self._answer = heard(sweep(answer_s))
        self._plans: list[tuple[str, asyncio.Event]] = []

    def take(self, item: Item) -> None:
        """Keep a line, and wake who waits for it."""
        if not isinstance(item, LogLine):
            return
        self.log.append(Told(self.board.clock_ms, item.message))
        for words, event in self._plans:
            if item.message.startswith(words):
                event.set()

    async def says(self, words: str) -> None:
        """Wait until it logs a line that begins so."""
        plan = (words, asyncio.Event())
        self._plans.append(plan)
        await plan[1].wait()
        self._plans.remove(plan)

    async def ask(self) -> Reply:
        """Ask it something. Raises SimulatorError where it does not come to rest again."""
        return await self.board.ask(QUESTION, limit_s=_TURN_S)

    def heard_whole(self) -> bool:
        """Whether the last answer was played with each sample once."""
        played = audible(self.board.played())[-len(self._answer) :]
        return bool(np.array_equal(played, self._answer))

    async def answers_whole(self) -> bool:
        """Whether it answers the next question, with each sample once."""
        try:
            await self.ask()
        except SimulatorError:
            return False
        return self.heard_whole()

    def count(self, words: str, since_ms: int = 0) -> int:
        """How many lines begin so."""
        return sum(told.line.startswith(words) for told in self.log if told.ms >= since_ms)

    def first(self, since_ms: int, *words: str) -> int | None:
        """When it first logged a line that begins with any of these, from then on."""
        times = (t.ms for t in self.log if t.ms >= since_ms and t.line.startswith(words))
        return next(times, None)

    @property
    def now_ms(self) -> int:
        """The time on its own clock."""
        return self.board.clock_ms


@dataclass
class World:
    """A relay process on a port of its own, which can be ended and started again, and its dolls.

    `environment` is the relay's; `answer_s` how long an answer sounds.
    """

    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    answer_s: float = ANSWER_S
    events: list[Event] = field(default_factory=list)  #: what the relay logged
    _relay: RelayProcess | None = None
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _dolls: int = 0

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def relay(self) -> RelayProcess:
        """The process that runs now, or ran last."""
        assert self._relay is not None
        return self._relay

    async def start(self) -> None:
        """Start the relay, with what an earlier one has left. Raises RelayFailedError."""
        self._relay = await self._running.enter_async_context(
            running_relay(
                *("--port", str(self.port), "--answer", str(self.answer_s)),
                environment=self.environment,
                on_event=self.events.append,
                command=("-m", "tools.faults.server"),
                data=self.data,
            )
        )
        await self._relay.url()

    async def ended(self) -> int:
        """Wait until the relay has ended, however; its exit code."""
        code = await self.relay.over()
        await self._running.aclose()
        return code

    async def doll(self, network: Network | None = None, **options: Any) -> Doll:
        """A doll that is ready for a question."""
        self._dolls += 1
        name = f"24:6f:28:00:00:{self._dolls:02x}"
        async with opened(RelaySettings(data=self.data)) as registry:
            token = await registry.issue(name)
        board = SimulatedDoll(
            f"ws://127.0.0.1:{self.port}/xiaozhi/v1/",
            device_id=name,
            token=token,
            settings={"volume": 100, "sounds": False},
            network=network,
            on_item=lambda item: doll.take(item),
            **options,
        )
        doll = Doll(board, self.answer_s)
        await self._stack.enter_async_context(board)
        await board.ready(_READY_S)
        return doll

    @asynccontextmanager
    async def witness(self) -> AsyncIterator[Witness]:
        """A second doll that talks all the while; leave this once something is over for it too."""
        doll = await self.doll()
        witness = Witness()
        task = asyncio.create_task(witness.talk(doll))
        try:
            yield witness
            witness.answered.clear()
            await asyncio.wait(
                {task, waiting := asyncio.create_task(witness.answered.wait())},
                return_when=asyncio.FIRST_COMPLETED,
            )
            waiting.cancel()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, SimulatorError):
                await task

    def prompts(self) -> list[dict[str, Any]]:
        """What the brain was given: `heard`, and `history`, a list of lines."""
        text = (self.data / PROMPTS).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def logged(self, event: str) -> int:
        """How often the relay has logged that."""
        return sum(each.get("event") == event for each in self.events)


@dataclass
class Witness:
    """How a doll that nothing happens to has fared."""

    answers: int = 0
    broken: int = 0  #: of them, those that were not heard whole
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self, doll: Doll) -> None:
        while True:
            try:
                await doll.ask()
            except SimulatorError:
                self.broken += 1
                return
            self.answers += 1
            self.broken += not doll.heard_whole()
            self.answered.set()


@asynccontextmanager
async def world(
    environment: dict[str, str] | None = None,
    *,
    answer_s: float = ANSWER_S,
    data: Path | None = None,
    prepare: Callable[[World], None] = lambda _: None,
) -> AsyncIterator[World]:
    """A relay that runs, and goes with its dolls at the end. `prepare` comes before its start.

    Raises RelayFailedError.
    """
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        made = World(data or Path(folder), environment or {}, answer_s)
        prepare(made)
        try:
            await made.start()
            yield made
        finally:
            await made._stack.aclose()
            with contextlib.suppress(RelayFailedError):
                await made._running.aclose()
