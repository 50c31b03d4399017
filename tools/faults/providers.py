"""Brains and voices that hang, lie, or are not there. The relay asks them by its real clients."""

from __future__ import annotations

import asyncio
from functools import partial

from tools.fake_gemini.http import Journal, Pause, Reply, Request, Step, serving
from tools.faults.outcome import Fault, Outcome
from tools.faults.world import world


async def _answers(reply: Reply, *, voice: bool = False) -> Outcome:
    """A brain or a voice that is asked over the network answers like this."""

    async def handle(request: Request) -> Reply:  # noqa: ARG001
        return reply

    async with serving(handle, Journal(keep=10)) as url:
        return await _asked(f"{url}/v1", voice=voice)


async def _asked(url: str, *, voice: bool = False) -> Outcome:
    name = "TTS" if voice else "LLM"
    environment = {
        f"DOLL_{name}__PROVIDER": "openai", f"DOLL_{name}__OPENAI__BASE_URL": url,
        f"DOLL_{name}__OPENAI__MODEL": "any",
    }  # fmt: skip
    if voice:
        environment |= {"DOLL_TTS__OPENAI__VOICE": "any"}
    async with world(environment) as w:
        one, two = await w.doll(), await w.doll()
        replies = await asyncio.gather(one.ask(), two.ask())  # neither holds the other up
        waits = [reply.timeline.wait_ms for reply in replies]
        again = await one.ask()
        spoke = [reply.frames_played > 0 for reply in (*replies, again)]
        wait = "none" if waits[0] is None else f"{waits[0] / 1000:.1f} s"
        return Outcome(
            0.0, spoke[0], spoke[2], others=spoke[1],
            seen=f"first sound after {wait}, then {(again.timeline.wait_ms or 0) / 1000:.1f} s",
        )  # fmt: skip


_STREAM, _PCM = "text/event-stream", "audio/pcm"
_DRIP = (b'data: {"choices":[{"delta":{}}]}\n\n', Pause(1.0)) * 60
_ENDLESS = (bytes(65_536),) * 400
_NAN = b"\x00\x00\xc0\x7f" * 12_000  # floats where 16-bit samples are promised


def _brain(
    how: str, *body: bytes | Step | Pause, form: str = _STREAM, status: int | None = 200
) -> Fault:
    reply = Reply(status, form, body)
    return Fault(f"brain {how}", "asks the embedded brain", partial(_answers, reply))


def _voice(how: str, does: str, *body: bytes | Step, form: str = _PCM) -> Fault:
    reply = Reply(content_type=form, body=body)
    return Fault(f"voice {how}", does, partial(_answers, reply, voice=True))


_ANOTHER = "the next voice speaks"

PROVIDERS = (
    _brain("hangs before its headers", Step.HANG, status=None),
    _brain("sends headers and nothing more", Step.HANG),
    _brain("drips empty pieces", *_DRIP),
    _brain("answers with wrong JSON", b'data: {"choices": 7}\n\n'),
    _brain("answers with a web page", b"<html>welcome</html>", form="text/html"),
    Fault(
        "brain's name is not known (DNS)", "asks the embedded brain",
        partial(_asked, "http://nowhere.invalid/v1"),
    ),
    _voice("hangs after its headers", _ANOTHER, Step.HANG),
    _voice("sends no audio", _ANOTHER),
    _voice("sends JSON for audio", _ANOTHER, b'{"detail":"sorry"}', form="application/json"),
    _voice("sends 26 MB for a clause", "cuts it off", *_ENDLESS),
    _voice("sends floats, all of them NaN", "plays what came", _NAN),
)  # fmt: skip
