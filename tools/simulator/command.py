"""`doll sim`: a doll on this machine against any relay."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from relay.config import load
from relay.devices.records import RegistryError
from relay.store.database import StoreError
from tools.pairing import has_database, is_here, issue
from tools.simulator.console import Item, LogLine, PlainLine
from tools.simulator.doll import SimulatedDoll
from tools.simulator.errors import SimulatorError
from tools.simulator.interactive import talk
from tools.simulator.network import Network
from tools.simulator.turn import AskMode, Reply
from tools.texts import texts


def sim(
    relay: Annotated[str, typer.Option(help="Address of the relay.")] = (
        "ws://127.0.0.1:8000/xiaozhi/v1/"
    ),
    wav: Annotated[
        list[Path] | None, typer.Option(help="A question; may be given again. None: a prompt.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the replies.")] = Path("sim-output"),
    mode: Annotated[AskMode, typer.Option(help="How the doll is spoken to.")] = AskMode.HOLD,
    token: Annotated[
        str, typer.Option(envvar="DOLL_TOKEN", help="Its token; asked for here.")
    ] = "",
    device_id: Annotated[str, typer.Option(help="The doll's id.")] = "24:6f:28:00:00:01",
    delay_ms: Annotated[float, typer.Option(help="Delay of the network, each way.", min=0)] = 0,
    jitter_ms: Annotated[float, typer.Option(help="Up to so much more, at random.", min=0)] = 0,
    limit_s: Annotated[float, typer.Option(help="Longest wait for one reply.")] = 60.0,
    json_: Annotated[bool, typer.Option("--json", help="Report as one JSON object.")] = False,
    verbose: Annotated[bool, typer.Option(help="Show the doll's own log on stderr.")] = False,
) -> None:
    """Run a simulated doll: the real firmware, WAV files in, WAV files out."""
    try:
        token = token or _token(relay, device_id)
    except (StoreError, RegistryError, SQLAlchemyError) as error:
        print(f"doll sim: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    doll = SimulatedDoll(
        relay,
        device_id=device_id,
        token=token,
        hands_free=mode is AskMode.HANDS_FREE,
        out=out,
        network=Network(delay_ms=delay_ms, jitter_ms=jitter_ms) if delay_ms or jitter_ms else None,
        on_item=_show if verbose or not wav else None,
    )
    report: dict[str, Any] = {
        "name": "sim",
        "relay": relay.split("?")[0],
        "device_id": device_id,
        "mode": str(mode),
        "turns": [],
        "error": None,
    }
    try:
        if wav:
            asyncio.run(_ask_all(doll, wav, mode, limit_s, report["turns"], quiet=json_))
        else:
            asyncio.run(talk(doll, mode, limit_s))
    except (SimulatorError, OSError) as error:
        report["error"] = str(error)
    except KeyboardInterrupt:
        report["error"] = "interrupted"
    if json_:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    if report["error"]:
        print(f"doll sim: {report['error']}", file=sys.stderr)
        raise typer.Exit(1)


def _token(relay_url: str, device_id: str) -> str:
    """What the relay lets this doll in with, if the relay is here; else the doll says a code."""
    relay = load().relay
    if not is_here(relay_url) or not has_database(relay):
        return ""
    return asyncio.run(issue(relay, device_id, suggestion="sim"))


async def _ask_all(
    doll: SimulatedDoll,
    questions: list[Path],
    mode: AskMode,
    limit_s: float,
    turns: list[dict[str, Any]],
    *,
    quiet: bool,
) -> None:
    async with doll:
        await doll.ready()
        for question in questions:
            reply = await doll.ask(question, mode, limit_s=limit_s)
            turns.append(turn_report(question, reply))
            if not quiet:
                print(f"{question}\n{describe(reply, texts(__file__))}\n")


def turn_report(question: Path, reply: Reply) -> dict[str, Any]:
    """A turn as the JSON report has it."""
    fields = asdict(reply)
    return {
        "question_wav": str(question),
        "reply": reply.text,
        "reply_wav": str(fields.pop("wav")),
        **fields,
        "timeline": {**fields["timeline"], "wait": reply.timeline.wait_ms},
    }


def describe(reply: Reply, text: dict[str, str]) -> str:
    """A turn in a few lines for a person."""
    sound = str(reply.wav)
    if reply.timeline.wait_ms is not None:
        sound += ", " + text["wait"].format(ms=reply.timeline.wait_ms)
    account = text["account"].format(
        sent=reply.frames_sent,
        played=reply.frames_played,
        lost=reply.frames_lost,
        underruns=reply.underruns,
        heap=reply.heap_per_frame,
    )
    lines = [
        (text["heard"], reply.transcript or text["nothing"]),
        (text["said"], reply.text or text["nothing"]),
        (text["sound"], sound),
        (text["frames"], account),
        *((text["note"], warning) for warning in reply.warnings),
    ]
    return "\n".join(f"  {label}  {line}" for label, line in lines)


def _show(item: Item) -> None:
    if isinstance(item, LogLine):
        print(f"[doll] {item.level} {item.message}", file=sys.stderr)
    elif isinstance(item, PlainLine):
        print(item.text, file=sys.stderr)
