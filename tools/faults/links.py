"""What happens to the way between a doll and its relay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from tools.faults.outcome import Fault, Outcome
from tools.faults.world import world
from tools.simulator.network import Network

_MOMENT_S = 0.7  # into the answer

#: The bytes of one message of 32 ms: WebSocket header, ADPCM state, samples.
_FRAME_BYTES = 264


async def _broken(
    do: Callable[[Network], None],
    undo: Callable[[Network], None] = lambda _: None,
    *,
    away_s: float = 0.0,
    network: Network | None = None,
) -> Outcome:
    """Break a link in mid-answer, mend it after a while, and see how the answer goes on."""
    network = network or Network()
    async with world() as w, w.witness() as other:
        doll = await w.doll(network)
        asking = asyncio.create_task(doll.ask())
        await doll.says("sound start")
        await asyncio.sleep(_MOMENT_S)
        do(network)
        broken = doll.now_ms
        await asyncio.sleep(away_s)
        undo(network)
        mended = doll.now_ms
        reply = await asking
        whole = doll.heard_whole()
        resumed = doll.first(broken, "turn resumed")
        noticed = doll.first(broken, "relay lost") or broken
        back = 0.0 if resumed is None else max(0, resumed - max(mended, noticed)) / 1000
        after = await doll.answers_whole()
        silent_s = 0 if resumed is None else (resumed - broken) / 1000
        return Outcome(
            back,
            whole,
            after,
            "nothing" if whole else "a part of the answer",
            reply.underruns,
            other.broken == 0 and other.answers > 0,
            f"resumed {silent_s:.1f} s after the break" if resumed is not None else "",
        )


async def _poor(network: Network, *, whole: bool = True) -> Outcome:
    """Talk over a network that is poor all the time."""
    async with world() as w, w.witness() as other:
        doll = await w.doll(network)
        reply = await doll.ask()
        heard = doll.heard_whole()
        lost = doll.count("relay lost")
        after = await doll.answers_whole()
        return Outcome(
            0.0,
            heard or not whole,
            after,
            "nothing" if heard and not reply.frames_lost else f"{reply.frames_lost} frames",
            reply.underruns,
            other.broken == 0 and other.answers > 0,
            f"first sound {reply.timeline.wait_ms} ms after the question, links lost: {lost}",
        )


async def _away() -> Outcome:
    """Away for 14 s: nearly as long as an answer waits."""
    return await _broken(_down, _up, away_s=14.0)


async def _long_away() -> Outcome:
    """Away for a minute, with nothing to come back to but the conversation."""
    network = Network()
    async with world() as w, w.witness() as other:
        doll = await w.doll(network)
        _down(network)
        network.drop()
        await asyncio.sleep(60)
        _up(network)
        mended = doll.now_ms
        await doll.board.until_state("idle", limit_s=60)
        back = (doll.now_ms - mended) / 1000
        return Outcome(back, True, await doll.answers_whole(), others=other.broken == 0)


async def _cut_at_bytes() -> Outcome:
    """Cut a link at a byte again and again, in one answer: headers, states, samples and texts."""
    network = Network()
    places = (0, 1, 3, 7, 131, _FRAME_BYTES - 1, _FRAME_BYTES)
    async with world() as w, w.witness() as other:
        doll = await w.doll(network)
        asking = asyncio.create_task(doll.ask())
        await doll.says("sound start")
        for place in places:
            again = asyncio.create_task(doll.says("turn resumed"))
            network.cut(2 * _FRAME_BYTES + place)
            await asyncio.wait({again, asking}, return_when=asyncio.FIRST_COMPLETED)
            again.cancel()
        reply = await asking
        whole = doll.heard_whole()
        cuts = doll.count("turn resumed")
        after = await doll.answers_whole()
        return Outcome(
            0.0, whole and cuts > 2, after, underruns=reply.underruns, others=other.broken == 0,
            seen=f"cut {cuts} times in one answer",
        )  # fmt: skip


async def _deaf() -> Outcome:
    """The relay hears nothing of the doll any more, and the doll asks it something."""
    network = Network()
    async with world() as w, w.witness() as other:
        doll = await w.doll(network)
        asking = asyncio.create_task(doll.ask())
        await doll.says("sound start")
        network.forget(up=True, down=False)
        await asking
        whole = doll.heard_whole()
        await doll.ask()
        told = doll.first(0, "turn: the answer is lost", "turn: the question is lost")
        sent = doll.first(0, "relay lost")
        back = 0.0 if told is None or sent is None else (told - sent) / 1000
        return Outcome(
            back, whole and told is not None, await doll.answers_whole(),
            "the question asked meanwhile", others=other.broken == 0,
        )  # fmt: skip


async def _slow_loris() -> Outcome:
    """Two hundred clients that send a byte of their request in a second."""
    async with world({"DOLL_LIMITS__REQUEST_TIMEOUT_S": "4"}) as w, w.witness() as other:
        doll = await w.doll()
        host, port = "127.0.0.1", w.port
        loris = [asyncio.create_task(_dribble(host, port)) for _ in range(200)]
        await doll.ask()
        whole = doll.heard_whole()
        ended = await asyncio.gather(*loris)
        after = await doll.answers_whole()
        return Outcome(
            0.0, whole and all(ended), after, others=other.broken == 0,
            seen=f"{sum(ended)} of {len(ended)} sent away",
        )  # fmt: skip


async def _dribble(host: str, port: int) -> bool:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        for byte in b"GET /xiaozhi/v1/ HTTP/1.1\r\nHost: doll\r\nX-Slow: slow\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            try:
                async with asyncio.timeout(1):
                    return not await reader.read(1) or True  # the relay has had enough
            except TimeoutError:
                continue
        return False
    except OSError:
        return True
    finally:
        writer.close()


def _down(network: Network) -> None:
    network.is_up = False
    network.drop()


def _up(network: Network) -> None:
    network.is_up = True


def _dark(network: Network) -> None:
    network.is_dark = True
    network.forget()


def _light(network: Network) -> None:
    network.is_dark = False


def _stall(network: Network) -> None:
    network.stalled = True


def _flow(network: Network) -> None:
    network.stalled = False


LINKS = (
    Fault(
        "delay 200 ± 100 ms each way", "talks",
        lambda: _poor(Network(delay_ms=100, jitter_ms=200)),
    ),
    Fault(
        "loss of 5 % of the packets", "talks",
        lambda: _poor(Network(delay_ms=30, loss=0.05)), quick=True,
    ),
    Fault(
        "2G: 48 kbit/s, 300 ms", "stutters: an answer takes longer than it lasts",
        lambda: _poor(Network(delay_ms=300, jitter_ms=100, bytes_per_s=6000), whole=False),
    ),
    Fault(
        "link reset in mid-answer", "resumes the answer",
        partial(_broken, lambda network: network.drop()),
    ),
    Fault("link away for 14 s", "waits, resumes the answer", _away),
    Fault("link away for 60 s", "asks every other second", _long_away),
    Fault(
        "the old link's bytes arrive behind the new link", "resumes the answer",
        partial(_broken, lambda network: network.drop(late_s=2.0)), quick=True,
    ),
    Fault(
        "half open: what the doll sends goes nowhere", "plays on; tells that the question is lost",
        _deaf,
    ),
    Fault(
        "half open: what the relay sends goes nowhere", "leaves the link after 6 s, resumes",
        partial(_broken, lambda network: network.forget(up=False, down=True)),
    ),
    Fault(
        "no sign of life for 10 s, also of new links", "leaves the link after 6 s, resumes",
        partial(_broken, _dark, _light, away_s=10.0),
    ),
    Fault(
        "all stands still for 2.5 s", "pauses and goes on",
        partial(_broken, _stall, _flow, away_s=2.5),
    ),
    Fault("link cut at a byte, again and again", "resumes each time", _cut_at_bytes, quick=True),
    Fault("slow loris: 200 clients", "talks; they are sent away", _slow_loris),
)  # fmt: skip
