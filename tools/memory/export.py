"""`doll memory export`: everything that a doll remembers, into a file (`relay.memory.export`)."""

from __future__ import annotations

import os
import sys
from datetime import tzinfo
from pathlib import Path
from typing import TextIO

from relay.devices.records import DeviceRecord
from relay.memory.export import pieces
from relay.memory.store import MemoryStore


async def export(
    store: MemoryStore, doll: DeviceRecord, zone: tzinfo, to: Path | None
) -> tuple[int, int]:
    """Write it to a new file that only its owner may read, or to standard output.

    How many turns and facts there were. Raises FileExistsError, and OSError.
    """
    if to is None:
        return await _write(store, doll, zone, sys.stdout)
    handle = os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        return await _write(store, doll, zone, file)


async def _write(
    store: MemoryStore, doll: DeviceRecord, zone: tzinfo, out: TextIO
) -> tuple[int, int]:
    amount = await store.amount(doll.id)
    async for piece in pieces(store, doll, zone):
        out.write(piece)
    return amount.turns, amount.facts
