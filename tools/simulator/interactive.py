"""A simulated doll under a person's hands: a prompt for button, questions and Wi-Fi."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from relay.audio import Pcm
from tools.simulator.console import LineSplitter
from tools.simulator.doll import SimulatedDoll
from tools.simulator.errors import CrashError, SimulatorError
from tools.simulator.sound import MAX_RECORDING_S, Recording, Sound
from tools.simulator.turn import AskMode
from tools.simulator.wav import read_question
from tools.texts import texts


async def talk(doll: SimulatedDoll, mode: AskMode, limit_s: float) -> None:
    """Obeys lines from standard input until it ends.

    Raises:
        SimulatorError: the doll could not be started, or its firmware failed.
    """
    text = texts(__file__)
    try:
        sound, no_sound = Sound(), ""
    except SimulatorError as error:
        sound, no_sound = None, str(error)
    async with doll, _typed_lines() as lines:
        print(text["help"].strip("\n"))
        if sound is None:
            print(f"  ({no_sound})")
        while (line := await _next(lines, doll)) not in (None, "q", "quit"):
            assert line is not None
            try:
                if line == "help":
                    print(text["help"].strip("\n"))
                elif line in ("t", "talk"):
                    if sound is None:
                        raise SimulatorError(no_sound)
                    await doll.ready()
                    question = await _record(sound, lines, doll, text)
                    await _ask(doll, question, mode, limit_s, sound)
                elif not _handle(doll, line):
                    await _ask(doll, Path(line), mode, limit_s, sound)
            except CrashError:
                raise
            except SimulatorError as error:
                print(f"  {error}")


async def _next(lines: asyncio.Queue[str | None], doll: SimulatedDoll) -> str | None:
    """The next line, unless the doll fails before it comes."""
    line = asyncio.create_task(lines.get())
    failure = asyncio.create_task(doll.failure())
    try:
        await asyncio.wait((line, failure), return_when=asyncio.FIRST_COMPLETED)
        return line.result() if line.done() else failure.result()
    finally:
        line.cancel()
        failure.cancel()


async def _record(
    sound: Sound, lines: asyncio.Queue[str | None], doll: SimulatedDoll, text: dict[str, str]
) -> Pcm:
    """What a person says into this machine's microphone, up to the next line or the limit."""
    with sound.recording() as recording:
        print(f"  {text['speak'].format(s=MAX_RECORDING_S)}", flush=True)
        await _end_of(recording, lines, doll)
    if recording.full:
        print(f"  {text['full'].format(s=MAX_RECORDING_S)}")
    return recording.pcm()


async def _end_of(
    recording: Recording, lines: asyncio.Queue[str | None], doll: SimulatedDoll
) -> None:
    line = asyncio.create_task(_next(lines, doll))
    over = asyncio.create_task(recording.over.wait())
    try:
        await asyncio.wait((line, over), return_when=asyncio.FIRST_COMPLETED)
        if line.done() and line.result() is None:
            lines.put_nowait(None)  # the end of the input is the end of the prompt, too
    finally:
        line.cancel()
        over.cancel()


async def _ask(
    doll: SimulatedDoll, question: Path | Pcm, mode: AskMode, limit_s: float, sound: Sound | None
) -> None:
    reply = await doll.ask(question, mode, limit_s=limit_s)
    print(f"  {reply.wav}")
    if sound is not None and reply.timeline.first_audio is not None:
        sound.play(read_question(reply.wav))


def _handle(doll: SimulatedDoll, line: str) -> bool:
    """Does what a line asks for at once; False if it is the name of a file."""
    actions: dict[str, Callable[[], None]] = {
        "": doll.tap,
        "hold": doll.press,
        "release": doll.release,
        "wifi up": lambda: doll.wifi(up=True),
        "wifi down": lambda: doll.wifi(up=False),
    }
    if line not in actions:
        return False
    actions[line]()
    return True


@asynccontextmanager
async def _typed_lines() -> AsyncIterator[asyncio.Queue[str | None]]:
    """Lines from standard input as they are typed; None at its end.

    No thread waits for them: one that sits in input() would keep the program from ending.
    """
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    splitter = LineSplitter()
    stdin = sys.stdin.fileno()
    loop = asyncio.get_running_loop()

    def take() -> None:
        data = os.read(stdin, 4096)
        for line in splitter.feed(data) if data else [*splitter.finish(), None]:
            lines.put_nowait(None if line is None else line.strip())
        if not data:
            loop.remove_reader(stdin)

    try:
        loop.add_reader(stdin, take)
    except OSError as error:  # a regular file cannot be waited for
        raise SimulatorError("without --wav, commands come from a terminal or a pipe") from error
    try:
        yield lines
    finally:
        loop.remove_reader(stdin)
