"""What a doll remembers as one JSON object, written as it is read: it may be long.

    {"doll": {"id", "name"}, "exported": TIME, "summary": {"at", "text"} or null,
     "facts": [{"at", "text"}], "turns": [{"id", "at", "heard", "said"}]}

Times are ISO 8601 with their zone. `said` is what was really spoken.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TextIO

from relay.devices.records import DeviceRecord
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
    def at(moment: float) -> str:
        return datetime.fromtimestamp(moment, zone).isoformat()

    kept = await store.load(doll.id, 0)
    head = {
        "doll": {"id": doll.id, "name": doll.name},
        "exported": datetime.now(zone).isoformat(timespec="seconds"),
        "summary": {"at": at(kept.summary.at), "text": kept.summary.text} if kept.summary else None,
        "facts": [{"at": at(fact.at), "text": fact.text} for fact in kept.facts],
    }
    out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "turns": [')
    count = 0
    async for turn in store.all_turns(doll.id):
        row = {"id": turn.id, "at": at(turn.at), "heard": turn.heard, "said": turn.said}
        out.write((",\n" if count else "\n") + json.dumps(row, ensure_ascii=False))
        count += 1
    out.write("\n]}\n")
    return count, len(kept.facts)
