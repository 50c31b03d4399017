"""`doll voice remove`: the recording, what was made of it, and what the server keeps."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from relay.config import Settings, load
from relay.errors import ProviderError
from relay.llm.extras import MissingExtraError
from relay.tts.voices.shelf import VoiceShelf
from relay.tts.voices.voice import OwnVoice, VoiceError
from tools.texts import texts
from tools.voice.common import telling


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="The relay's settings file; doll.toml here.")
    ] = None,
) -> None:
    """Delete a voice, its recording included, here and at the voice server."""
    settings = load(config)
    say = texts(__file__)
    with telling("doll voice remove"):
        shelf = VoiceShelf.of(settings.relay.data)
        voice = _described(shelf, name)
        if not yes and not typer.confirm(say["remove_sure"].format(name=name)):
            typer.echo(say["kept"])
            raise typer.Exit(1)
        # Here first: whatever becomes of the server, the doll speaks with it no more.
        shelf.remove(name)
        typer.echo(say["removed"].format(name=name))
        if voice is not None and not asyncio.run(_forget(settings, shelf, voice)):
            raise typer.Exit(1)


def _described(shelf: VoiceShelf, name: str) -> OwnVoice | None:
    """None for a voice that is there and cannot be read: it can be deleted all the same."""
    try:
        return shelf.get(name)
    except VoiceError:
        if not shelf.folder(name).is_dir():
            raise
        return None


async def _forget(settings: Settings, shelf: VoiceShelf, voice: OwnVoice) -> bool:
    """Have the server delete it; False if that could not be had."""
    say = texts(__file__)
    try:
        from relay.tts.voices.server import VoiceServer

        server = VoiceServer(settings.tts.own, shelf)
        try:
            deleted = await server.forget(voice)
        finally:
            await server.close()
    except (ProviderError, MissingExtraError) as error:
        typer.echo(say["not_forgotten"].format(why=error, key=voice.key), err=True)
        return False
    said = "keeps_none" if not server.keeps else "forgotten" if deleted else "not_there"
    typer.echo(say[said].format(server=server.name))
    return True
