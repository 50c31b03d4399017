"""What a doll remembers as one JSON object, piece by piece: it may be long.

    {"doll": {"id", "name"}, "exported": TIME, "summary": {"at", "text"} or null,
     "facts": [{"at", "text"}],
     "turns": [{"id", "at", "heard", "said",
                "course": {"timeline_ms", "outcome", "model", "fillers"} or null}]}

Times are ISO 8601 with their zone. `said` is what was really spoken; `course` how the turn went in
time, where that is known (`relay.memory.course`).
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import datetime, tzinfo

from relay.devices.records import DeviceRecord
from relay.memory.store import MemoryStore


async def pieces(store: MemoryStore, doll: DeviceRecord, zone: tzinfo) -> AsyncGenerator[str, None]:
    """The text, a turn at a time. Raises SQLAlchemyError."""

    def at(moment: float) -> str:
        return datetime.fromtimestamp(moment, zone).isoformat()

    kept = await store.load(doll.id, 0)
    head = {
        "doll": {"id": doll.id, "name": doll.name},
        "exported": datetime.now(zone).isoformat(timespec="seconds"),
        "summary": {"at": at(kept.summary.at), "text": kept.summary.text} if kept.summary else None,
        "facts": [{"at": at(fact.at), "text": fact.text} for fact in kept.facts],
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "turns": ['
    before = "\n"
    async for turn in store.all_turns(doll.id):
        row = {
            "id": turn.id,
            "at": at(turn.at),
            "heard": turn.heard,
            "said": turn.said,
            "course": None if turn.course is None else asdict(turn.course),
        }
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "\n]}\n"
