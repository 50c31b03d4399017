"""`doll voice try`: hear a voice before the doll has it."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from relay import wav
from relay.audio import Pcm
from relay.config import Settings, load
from relay.streaming import Deadlines
from relay.tts.voices.dialects import check_fits
from relay.tts.voices.shelf import VoiceShelf
from tools.texts import texts
from tools.voice.common import telling

#: A person who tries waits longer than a doll may.
_DEADLINES: Final = Deadlines(first_s=300.0, gap_s=60.0, total_s=600.0)

_RATE_HZ: Final = 24_000


def try_(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    text: Annotated[str, typer.Argument(help="What to say; a greeting by default.")] = "",
    language: Annotated[str, typer.Option(help="ko, en, …; the recording's.")] = "",
    out: Annotated[Path | None, typer.Option(help="The file; NAME.wav here.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="The relay's settings file; doll.toml here.")
    ] = None,
) -> None:
    """Let the voice server of the settings speak in a voice, into a WAV file."""
    settings = load(config)
    with telling("doll voice try"):
        asyncio.run(_try(settings, name, text, language, out))


async def _try(settings: Settings, name: str, text: str, language: str, out: Path | None) -> None:
    from relay.tts.voices.own import OwnTextToSpeech

    shelf = VoiceShelf.of(settings.relay.data)
    voice = shelf.get(name)
    check_fits(voice, settings.tts.own)
    language = language or voice.language
    text = text or texts(__file__, language)["try_text"]
    tts = OwnTextToSpeech(voice.name, shelf, settings.tts.own, _RATE_HZ, _DEADLINES)
    try:
        await tts.learn()
        started, first = time.monotonic(), 0.0
        chunks: list[Pcm] = []
        async with aclosing(tts.speak(text, language)) as speech:
            async for chunk in speech:
                first = first or time.monotonic() - started
                chunks.append(chunk)
        total = time.monotonic() - started
    finally:
        await tts.close()
    pcm = np.concatenate([*chunks, np.zeros(0, np.int16)])
    path = out or Path(f"{voice.name}.wav")
    path.write_bytes(wav.encode(pcm, _RATE_HZ))
    say = texts(__file__)
    seconds = len(pcm) / _RATE_HZ
    typer.echo(say["tried"].format(path=path, seconds=seconds, first=first, total=total))
    if total > seconds:
        typer.echo(say["slow"])
