"""`doll demo`: a relay and a simulated doll on this machine hold a short conversation."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from relay.turn.timeline import Timeline
from tools.relay_process import Event, RelayFailedError, running_relay
from tools.simulator.doll import SimulatedDoll
from tools.simulator.errors import SimulatorError
from tools.simulator.turn import Reply
from tools.texts import texts

_HERE = Path(__file__).parent
_QUESTIONS = [_HERE / "questions" / name for name in ("ko-name.wav", "en-arithmetic.wav")]

_DOLL = "24:6f:28:00:00:01"

console = Console(highlight=False, soft_wrap=True)


def demo(
    out: Annotated[Path, typer.Option(help="Where the answers go.")] = Path("demo-output"),
    question: Annotated[
        list[Path] | None, typer.Option(help="A WAV to ask instead; may be given again.")
    ] = None,
) -> None:
    """A simulated doll asks recorded questions, and answers aloud into WAV files."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    try:
        asyncio.run(_demo(out, question or _QUESTIONS, texts(__file__)))
    except (RelayFailedError, SimulatorError) as error:
        console.print(str(error), markup=False)
        raise typer.Exit(1) from None


async def _demo(out: Path, questions: list[Path], say: dict[str, str]) -> None:
    log: list[Event] = []
    turns = []
    with console.status(say["starting"]) as status:
        async with running_relay(on_event=log.append) as relay:
            url = await relay.url()
            brain = next((e["brain"] for e in log if e.get("event") == "ready"), "?")
            console.print("✓ " + say["ready"].format(brain=brain))
            token = (await relay.tokens(_DOLL))[_DOLL]
            async with SimulatedDoll(url, device_id=_DOLL, token=token, out=out) as doll:
                await doll.ready()
                console.print("✓ " + say["doll"] + "\n")
                for number, wav in enumerate(questions, 1):
                    status.update(f"{say['question']} {number}: {wav.name} …")
                    log.clear()
                    reply = await doll.ask(wav)
                    kept = out / f"{number}-{wav.stem}.wav"
                    reply.wav.rename(kept)
                    turn = _turn(wav, reply, kept, log)
                    _show(turn, reply, say)
                    turns.append(turn)
    (out / "report.json").write_text(
        json.dumps({"brain": brain, "turns": turns}, ensure_ascii=False, indent=2) + "\n", "utf-8"
    )
    console.print(say["saved"].format(folder=out))
    console.print(f"\n[bold]{say['next_title']}[/bold]")
    for key in ("next_gemini", "next_relay", "next_persona", "next_board"):
        console.print("  • " + say[key], markup=False)


def _turn(wav: Path, reply: Reply, kept: Path, log: list[Event]) -> dict[str, Any]:
    """One turn as `report.json` holds it: what both sides saw, in milliseconds."""
    relay = next((event for event in reversed(log) if event.get("event") == "turn"), {})
    moments = {name.name: relay[name.name] for name in fields(Timeline) if name.name in relay}
    return {
        "question_wav": str(wav),
        "transcript": reply.transcript,
        "reply": reply.text,
        "reply_wav": str(kept),
        "language": relay.get("language"),
        "timeline": {"relay_ms_after_speech": moments, "doll_ms": asdict(reply.timeline)},
        "doll": {
            "frames_sent": reply.frames_sent,
            "frames_played": reply.frames_played,
            "frames_lost": reply.frames_lost,
            "underruns": reply.underruns,
            "heap_per_frame": reply.heap_per_frame,
        },
    }


def _show(turn: dict[str, Any], reply: Reply, say: dict[str, str]) -> None:
    moments = turn["timeline"]["relay_ms_after_speech"]
    console.print(f"[dim]{say['question']}[/dim]  {turn['question_wav']}")
    console.print(f"[dim]{say['heard']}[/dim]  {turn['transcript'] or say['nothing']}")
    console.print(f"[dim]{say['answer']}[/dim]  [bold]{turn['reply']}[/bold]")
    names = ("transcript", "first_token", "first_audio", "last_audio")
    shown = {name: f"{moments[name]} ms" if name in moments else "–" for name in names}
    console.print("[dim]" + say["timeline"].format(**shown) + "[/dim]")
    console.print(
        "[dim]"
        + say["doll_account"].format(
            sent=reply.frames_sent,
            played=reply.frames_played,
            lost=reply.frames_lost,
            underruns=reply.underruns,
            heap=reply.heap_per_frame,
        )
        + "[/dim]\n"
    )
