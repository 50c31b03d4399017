"""`doll voice serve`: the engine, on this machine's own address."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Final, Literal

import typer
import uvicorn

from relay.config import ConfigError
from relay.llm.extras import MissingExtraError
from relay.tts.voices.settings import LOCAL_PORT
from tools.texts import texts
from tools.voice.engine.app import create_app
from tools.voice.engine.base import Engine
from tools.voice.engine.chatterbox import ChatterboxEngine
from tools.voice.engine.qwen import QwenEngine

EngineName = Literal["qwen", "chatterbox"]

_ENGINES: Final[dict[EngineName, Callable[[str, str], Engine]]] = {
    "qwen": QwenEngine.load,
    "chatterbox": ChatterboxEngine.load,
}

#: Where the key comes from: a flag would stand in the list of processes.
KEY_VARIABLE: Final = "DOLL_VOICE_KEY"


def serve(
    engine: Annotated[EngineName, typer.Option(help="Which model speaks.")] = "qwen",
    model: Annotated[
        str, typer.Option(help="Its weights: a folder, or (qwen) a repository of the hub.")
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps …")] = "auto",
    host: Annotated[
        str, typer.Option(help=f"Another address than this machine's needs {KEY_VARIABLE}.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = LOCAL_PORT,
) -> None:
    """Speak in the voices that the relay sends, by a model on this machine (docs/voices.md)."""
    key = os.environ.get(KEY_VARIABLE, "")
    if host not in ("127.0.0.1", "localhost", "::1") and len(key) < 16:
        raise ConfigError(
            f"{KEY_VARIABLE}: who can reach {host} could use the voices; set it to a secret of 16 "
            "characters or more, and tts.own.api_key of the relay to the same"
        )
    say = texts(__file__)
    typer.echo(say["loading"].format(engine=engine))
    try:
        loaded = _ENGINES[engine](model, device)
    except MissingExtraError as error:
        raise ConfigError(str(error)) from None
    typer.echo(say["ready"].format(url=f"http://{host}:{port}"))
    uvicorn.run(
        create_app(loaded, engine, key), host=host, port=port, log_level="warning", access_log=False
    )
