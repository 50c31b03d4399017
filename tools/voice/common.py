"""What the commands of `doll voice` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from relay.errors import ProviderError
from relay.hearing.base import DetectorUnavailableError
from relay.llm.extras import MissingExtraError
from relay.tts.voices.voice import VoiceError


@contextmanager
def telling(command: str) -> Iterator[None]:
    """What the owner can mend is told in one line."""
    try:
        yield
    except (
        VoiceError,
        ProviderError,
        MissingExtraError,
        DetectorUnavailableError,
        OSError,
    ) as error:
        typer.secho(f"{command}: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
