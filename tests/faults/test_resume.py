"""What a lost link does to a turn: the real firmware, the real relay, real sockets between them."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relay.audio import Pcm
from relay.config import RelaySettings
from tools.pairing import issue

Worlds = Callable[..., Any]

DOLL = "24:6f:28:00:00:01"


def assert_each_sample_played_once(w: Any) -> None:
    assert w.count("reply start") == w.count("played ") == 1
    assert len(w.relay.tts.calls) == len(w.relay.llm.requests) == 1
    np.testing.assert_array_equal(w.played(), w.relay.tts.spoken())


@pytest.mark.parametrize(
    ("moment", "after_s"),
    [
        ("heard", 0.0),  # before that, the end of the question may be lost with the link
        ("reply start", 0.0),
        ("sound start", 0.0),
        ("sound start", 0.7),
        ("sound start", 1.4),
        ("reply stop", 0.0),
    ],
    ids=lambda value: str(value),
)
async def test_wherever_the_link_breaks_each_sample_is_played_once(
    world: Worlds, question: Pcm, moment: str, after_s: float
) -> None:
    async with world() as w:
        w.when(moment, lambda: w.drop(after_s))
        await w.doll.ask(question)
        assert w.count("relay lost") == 1
        assert_each_sample_played_once(w)


@pytest.mark.parametrize("moment", ["listen stop", "sound start"])
async def test_an_answer_waits_while_the_link_is_away(
    world: Worlds, question: Pcm, moment: str
) -> None:
    async with world() as w:
        w.when(moment, lambda: w.drop(0.5, away_s=4.0))
        reply = await w.doll.ask(question)
        assert w.count("state connecting") == 2  # at power-on, and now
        assert w.count("turn resumed") == 1
        assert reply.text == "그건 나도 잘 모르겠어."
        assert_each_sample_played_once(w)


async def test_two_breaks_in_one_answer(world: Worlds, question: Pcm) -> None:
    async with world() as w:
        w.when("sound start", lambda: w.drop(0.4))
        w.when("turn resumed", lambda: w.drop(0.6))
        await w.doll.ask(question)
        assert w.count("turn resumed") == 2
        assert_each_sample_played_once(w)


async def test_a_link_that_dies_without_a_word_is_left_and_the_answer_goes_on(
    world: Worlds, question: Pcm
) -> None:
    async with world() as w:
        # The relay goes on to speak into the void, to the end: it cannot know.
        w.when("sound start", w.network.forget)
        await w.doll.ask(question)
        assert w.count("relay lost 1006 the relay is silent") == 1
        assert_each_sample_played_once(w)


async def test_a_network_that_stands_still_for_a_moment_costs_no_sample(
    world: Worlds, question: Pcm
) -> None:
    async with world() as w:

        def stand_still() -> None:
            w.network.stalled = True
            asyncio.get_running_loop().call_later(2.5, setattr, w.network, "stalled", False)

        w.when("sound start", stand_still)
        reply = await w.doll.ask(question)
        assert reply.underruns == 1
        assert w.count("relay lost") == 0
        assert_each_sample_played_once(w)


async def test_a_doll_that_comes_too_late_is_ready_and_only_what_it_heard_is_remembered(
    world: Worlds, question: Pcm
) -> None:
    async with world(resume_s=1.0) as w:
        w.relay.llm.pieces = ["첫째 문장이 여기 있어. ", "둘째 문장도 따라왔어."]
        w.when("sound start", lambda: w.drop(1.3, away_s=3.0))
        await w.doll.ask(question)
        assert w.count("turn: the answer is lost") == 1
        assert w.count("turn resumed") == 0
        assert await w.relay.dolls.memory.flush()
        (turn,) = (await w.relay.dolls.memory.store.load(DOLL, 10)).turns
        assert turn.heard == "안녕"
        assert turn.said.endswith("…")  # cut off in its first sentence, which is told to the word
        assert "첫째 문장이 여기 있어.".startswith(turn.said[:-1])
        w.relay.llm.pieces = ["또 왔네."]
        assert (await w.doll.ask(question)).text == "또 왔네."


async def test_a_question_goes_on_after_a_break_with_what_the_microphone_kept(
    world: Worlds, question: Pcm
) -> None:
    long = np.tile(question, 6)
    async with world() as w:
        w.when("listen start", lambda: w.drop(1.0))
        reply = await w.doll.ask(long)
        assert w.count("turn: the link broke, listening anew") == 1
        assert w.count("listen start") == 2
        assert reply.text == "그건 나도 잘 모르겠어."
        assert_each_sample_played_once(w)
        heard = w.relay.services.stt.calls[-1].utterance
        assert 0 < len(heard) < len(long)


async def test_a_question_that_ends_while_the_link_is_away_is_lost_and_told(
    world: Worlds, question: Pcm
) -> None:
    async with world() as w:
        w.when("listen start", lambda: w.drop(0.0, away_s=3.0))
        reply = await w.doll.ask(question)
        assert "turn: the question is lost" in reply.warnings
        assert w.relay.llm.requests == []
        assert (await w.doll.ask(question)).text == "그건 나도 잘 모르겠어."


@asynccontextmanager
async def relay_process(
    port: int, data: Path, stdin: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "tests.fakes.relay", str(port), str(data)),
        stdin=stdin,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        while b"listening" not in (line := await process.stderr.readline()):
            assert line, "the relay ended"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_relay_that_was_killed_and_restarted_finds_a_doll_that_is_ready(
    world: Worlds, question: Pcm, unused_tcp_port: int, tmp_path: Path
) -> None:
    port = unused_tcp_port
    token = await issue(RelaySettings(data=tmp_path), DOLL)
    url = f"ws://127.0.0.1:{port}/xiaozhi/v1/"
    async with relay_process(port, tmp_path) as first, world(url, token) as w:
        w.when("sound start", first.kill)
        asking = asyncio.create_task(w.doll.ask(question))
        await first.wait()
        async with relay_process(port, tmp_path):
            reply = await asking
            assert "turn: the answer is lost" in reply.warnings
            assert (await w.doll.ask(question)).text == "그건 나도 잘 모르겠어."


async def test_a_relay_that_is_asked_to_stop_lets_its_doll_hear_the_answer_to_its_end(
    world: Worlds, question: Pcm, unused_tcp_port: int, tmp_path: Path
) -> None:
    port = unused_tcp_port
    token = await issue(RelaySettings(data=tmp_path), DOLL)
    url = f"ws://127.0.0.1:{port}/xiaozhi/v1/"
    async with relay_process(port, tmp_path) as first, world(url, token) as w:
        w.when("sound start", first.terminate)
        reply = await w.doll.ask(question)
        assert not reply.warnings
        assert reply.text == "그건 나도 잘 모르겠어."
        assert reply.frames_lost == 0
        assert await first.wait() in (0, -signal.SIGTERM)
        async with relay_process(port, tmp_path):
            await w.doll.ready()
            assert (await w.doll.ask(question)).text == "그건 나도 잘 모르겠어."
            assert w.count("relay lost 1001") == 1
            waits = [int(line.split("=")[1]) for line in w.lines if line.startswith("relay retry")]
            assert max(waits, default=0) <= 2000, "it waited as if it were unwanted"
    with closing(sqlite3.connect(tmp_path / "doll.db")) as database:
        said = database.execute("SELECT heard, said FROM turns ORDER BY id").fetchall()
    assert said == [("안녕", "그건 나도 잘 모르겠어.")] * 2, "one conversation"


async def test_a_relay_that_stops_does_not_wait_for_a_doll_that_is_lost(
    world: Worlds, question: Pcm, unused_tcp_port: int, tmp_path: Path
) -> None:
    port = unused_tcp_port
    token = await issue(RelaySettings(data=tmp_path), DOLL)
    url = f"ws://127.0.0.1:{port}/xiaozhi/v1/"
    async with relay_process(port, tmp_path) as relay, world(url, token) as w:
        w.when("sound start", lambda: w.drop(away_s=60.0))
        asking = asyncio.create_task(w.doll.ask(question))
        assert relay.stderr is not None
        while b"waiting for the doll" not in await relay.stderr.readline():
            pass
        relay.terminate()
        log = await relay.stderr.read()
        assert b"timeout" not in log, "it was stopped by force"
        assert await relay.wait() in (0, -signal.SIGTERM)
        asking.cancel()
        await asyncio.wait((asking,))


async def test_a_relay_that_is_reloaded_stays_the_same_process_and_its_doll_loses_nothing(
    world: Worlds, question: Pcm, unused_tcp_port: int, tmp_path: Path
) -> None:
    port = unused_tcp_port
    token = await issue(RelaySettings(data=tmp_path), DOLL)
    url = f"ws://127.0.0.1:{port}/xiaozhi/v1/"
    async with relay_process(port, tmp_path) as relay, world(url, token) as w:
        w.when("sound start", lambda: relay.send_signal(signal.SIGHUP))
        reply = await w.doll.ask(question)
        assert not reply.warnings
        assert reply.frames_lost == 0
        assert relay.stderr is not None
        while b"listening" not in (line := await relay.stderr.readline()):
            assert line, "the relay ended"
        assert relay.returncode is None
        await w.doll.ready()
        assert (await w.doll.ask(question)).text == "그건 나도 잘 모르겠어."
        assert w.count("relay lost 1001") == 1
        relay.terminate()
        assert await relay.wait() in (0, -signal.SIGTERM)
    with closing(sqlite3.connect(tmp_path / "doll.db")) as database:
        said = database.execute("SELECT heard, said FROM turns ORDER BY id").fetchall()
    assert said == [("안녕", "그건 나도 잘 모르겠어.")] * 2, "one conversation"


async def test_a_relay_whose_terminal_is_closed_ends(unused_tcp_port: int, tmp_path: Path) -> None:
    theirs, ours = pty.openpty()
    try:
        async with relay_process(unused_tcp_port, tmp_path, stdin=ours) as relay:
            relay.send_signal(signal.SIGHUP)
            assert await relay.wait() == 0
    finally:
        os.close(theirs)
        os.close(ours)
