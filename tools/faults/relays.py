"""What happens to a relay: its process, disk, database and clock; and to a doll."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from glob import glob
from pathlib import Path

from relay.store.database import FILE
from tools.faults.outcome import Fault, Outcome, SkippedError
from tools.faults.world import World, world
from tools.relay_process import RelayFailedError

_FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"


async def _ended(end: Callable[[World], None]) -> Outcome:
    """End the relay in mid-sentence, start it anew, and see what it knows."""
    async with world() as w:
        one, two = await w.doll(), await w.doll()
        await one.ask()
        asking = asyncio.create_task(one.ask())
        await one.says("sound start")
        await asyncio.sleep(1.0)
        end(w)
        await w.ended()
        await w.start()
        up = one.now_ms
        await asking
        back = one.first(up, "state idle", "turn: the answer is lost") or one.now_ms
        await two.board.until_state("idle")
        both = await one.answers_whole(), await two.answers_whole()
        history = next(p["history"] for p in reversed(w.prompts()) if p["history"])
        knows = sum(line.startswith("질문") for line in history) == 2 and history[-1] != ""
        return Outcome(
            max(0, back - up) / 1000, knows, both[0], "the rest of the answer that was being said",
            others=both[1], seen="the next prompt knows both questions" if knows else str(history),
        )  # fmt: skip


async def _stopped() -> Outcome:
    """Ask the relay to stop in mid-sentence, and start it anew."""
    async with world() as w:
        one, two = await w.doll(), await w.doll()
        asking = asyncio.create_task(one.ask())
        await one.says("sound start")
        w.relay.terminate()
        await asking
        whole = one.heard_whole()
        await w.ended()
        await w.start()
        up = one.now_ms
        for doll in (one, two):
            await doll.board.until_state("idle")
        back = (one.first(up, "state idle") or one.now_ms) - up
        both = await one.answers_whole(), await two.answers_whole()
        history = next(p["history"] for p in reversed(w.prompts()) if p["history"])
        knows = sum(line.startswith("질문") for line in history) == 1 and history[-1] != ""
        return Outcome(
            max(0, back) / 1000, whole and knows, both[0], others=both[1],
            seen="the next prompt knows question and answer" if knows else str(history),
        )  # fmt: skip


async def _stored(break_: Callable[[World], object], mend: Callable[[object], None]) -> Outcome:
    """Break what the relay writes to, talk on, mend it, and see that all was written."""
    async with world() as w, w.witness() as other:
        doll = await w.doll()
        await doll.ask()
        broken = break_(w)
        try:
            whole = [await doll.answers_whole() for _ in range(2)]
        finally:
            mend(broken)
        talks = await doll.answers_whole()
        await asyncio.sleep(6)  # the writer's longest pause between tries
        with sqlite3.connect(w.data / FILE) as database:
            query = "SELECT count(*) FROM turns WHERE device_id LIKE '%:02'"
            (kept,) = database.execute(query).fetchone()
        return Outcome(
            0.0, all(whole) and kept == 4, talks, others=other.broken == 0 and other.answers > 0,
            seen=f"{kept} of 4 turns written in the end",
        )  # fmt: skip


async def _disk_full() -> Outcome:
    """A file system of its own, filled to the last byte."""
    if os.geteuid() != 0:
        raise SkippedError("a file system of its own needs root")
    with tempfile.TemporaryDirectory(prefix="full-") as folder:
        _run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder)
        try:
            return await _on(Path(folder))
        finally:
            _run("umount", "-l", folder)


async def _on(folder: Path) -> Outcome:
    ballast = folder / "ballast"
    async with world(data=folder) as w, w.witness() as other:
        doll = await w.doll()
        await doll.ask()
        try:
            with ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(512))
        except OSError:
            pass
        whole = [await doll.answers_whole() for _ in range(2)]
        ballast.unlink()
        talks = await doll.answers_whole()
        await asyncio.sleep(6)
        with sqlite3.connect(folder / FILE) as database:
            query = "SELECT count(*) FROM turns WHERE device_id LIKE '%:02'"
            (kept,) = database.execute(query).fetchone()
        return Outcome(
            0.0, all(whole) and kept == 4, talks, others=other.broken == 0 and other.answers > 0,
            seen=f"{kept} of 4 turns written in the end",
        )  # fmt: skip


def _lock(w: World) -> sqlite3.Connection:
    lock = sqlite3.connect(w.data / FILE, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    return lock


def _unlock(lock: object) -> None:
    assert isinstance(lock, sqlite3.Connection)
    lock.execute("ROLLBACK")
    lock.close()


async def _corrupted() -> Outcome:
    """A database that is none: the relay says so and what to do, and changes nothing."""

    def spoil(w: World) -> None:
        w.data.mkdir(exist_ok=True)
        (w.data / FILE).write_bytes(b"this is no database" * 1000)

    with tempfile.TemporaryDirectory() as folder:
        try:
            async with world(data=Path(folder), prepare=spoil):
                return Outcome(0.0, kept=False, talks=False, lost="it started on rubbish")
        except RelayFailedError as error:
            said = "not a database" in str(error)
        (Path(folder) / FILE).unlink()  # the owner restores a backup; here, one without dolls
        async with world(data=Path(folder)) as w:
            doll = await w.doll()
            return Outcome(
                0.0,
                said,
                await doll.answers_whole(),
                "nothing; the relay does not start until it is mended",
            )


async def _clock_stepped() -> Outcome:
    """The wall clock goes a day on, and then two days back."""
    found = glob(_FAKETIME)  # noqa: PTH207 (the pattern is absolute)
    if not found:
        raise SkippedError("libfaketime is not installed (apt install libfaketime)")
    with tempfile.TemporaryDirectory() as folder:
        clock = Path(folder) / "clock"
        clock.write_text("+0")
        environment = {
            "LD_PRELOAD": str(found[0]), "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }  # fmt: skip
        async with world(environment) as w, w.witness() as other:
            doll = await w.doll()
            whole = []
            for step in ("+86400", "-86400"):
                asking = asyncio.create_task(doll.ask())
                await doll.says("sound start")
                clock.write_text(step)
                await asking
                whole.append(doll.heard_whole())
            return Outcome(
                0.0, all(whole) and not doll.count("relay lost"), await doll.answers_whole(),
                others=other.broken == 0,
            )  # fmt: skip


async def _wifi() -> Outcome:
    """The access point goes for 8 s in mid-answer."""
    async with world() as w, w.witness() as other:
        doll = await w.doll()
        asking = asyncio.create_task(doll.ask())
        await doll.says("sound start")
        doll.board.wifi(up=False)
        await asyncio.sleep(8)
        doll.board.wifi(up=True)
        mended = doll.now_ms
        await asking
        whole = doll.heard_whole()
        back = doll.first(mended, "turn resumed", "state idle") or mended
        return Outcome(
            (back - mended) / 1000, whole, await doll.answers_whole(), others=other.broken == 0,
            seen="resumed" if doll.count("turn resumed") else "",
        )  # fmt: skip


async def _power() -> Outcome:
    """The doll's plug is pulled in mid-answer."""
    async with world() as w, w.witness() as other:
        doll = await w.doll()
        asking = asyncio.create_task(doll.ask())
        await doll.says("sound start")
        await doll.board.power_cycle(off_s=1.0)
        asking.cancel()
        await asyncio.wait((asking,))
        await doll.board.ready()
        back = doll.now_ms / 1000  # its clock has begun anew
        return Outcome(
            back, kept=True, talks=await doll.answers_whole(), lost="the rest of the answer",
            others=other.broken == 0,
        )  # fmt: skip


def _run(*command: str) -> None:
    if subprocess.run(command, check=False, capture_output=True).returncode:
        raise SkippedError(f"{command[0]} is not allowed here")


RELAYS = (
    Fault(
        "relay killed (-9) in mid-sentence, restarted", "tells that the answer is lost",
        partial(_ended, lambda w: w.relay.kill()), quick=True,
    ),
    Fault(
        "relay stopped (SIGTERM) in mid-answer, restarted", "hears the answer to its end", _stopped,
    ),
    Fault("disk full", "talks; written once there is room", _disk_full),
    Fault(
        "SQLite locked by another process", "talks; written later",
        partial(_stored, _lock, _unlock),
    ),
    Fault("database corrupted at the start", "waits for its relay", _corrupted),
    Fault("clock stepped by a day, forward and back", "talks", _clock_stepped),
    Fault("Wi-Fi gone for 8 s", "resumes the answer", _wifi, quick=True),
    Fault("doll's plug pulled in mid-answer", "is ready after its start", _power),
)  # fmt: skip
