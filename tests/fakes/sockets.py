"""How a test connects as a doll does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from websockets.asyncio.client import connect


def doll_socket(url: str, headers: Mapping[str, str] | None = None, **options: Any) -> connect:
    """Connects to a relay's WebSocket, without compression, and takes all that comes at once.

    With the usual bounded queue a client that has stopped to receive in mid-answer does not see
    the relay's close frame behind the sound, and its own close waits for that for 10 s.
    """
    return connect(url, additional_headers=headers, compression=None, max_queue=None, **options)
