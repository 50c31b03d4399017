"""How `doll persona` ends when something cannot be done: with one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from relay.persona import PersonaError
from relay.persona.learning.messages import ExportError
from relay.persona.learning.shelf import ShelfError
from tools.devices import store
from tools.persona.editing import EditError


@contextmanager
def telling(command: str) -> Iterator[None]:
    """End the command with one sentence if it could not be done."""
    with store.telling(command):
        try:
            yield
        except (ExportError, ShelfError, EditError) as error:
            raise PersonaError(str(error)) from None
