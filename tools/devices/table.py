"""The dolls as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from relay.config import Settings
from relay.devices.records import DeviceRecord


def table(records: Sequence[DeviceRecord], settings: Settings, words: Mapping[str, str]) -> Table:
    """A row for each doll; the times are those of `persona.timezone`."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("name", "persona", "seen", "firmware", "board", "id"):
        made.add_column(words[f"column_{column}"])
    zone = ZoneInfo(settings.persona.timezone)
    for record in records:
        row = (
            record.name,
            record.persona or f"({settings.persona.name})",
            _seen(record, zone, words),
            record.firmware or "–",
            record.board or "–",
            record.id,
        )
        made.add_row(*(Text(shown(cell)) for cell in row))
    return made


def _seen(record: DeviceRecord, zone: ZoneInfo, words: Mapping[str, str]) -> str:
    if record.revoked is not None:
        return words["is_revoked"]
    if record.last_seen is None:
        return words["never"]
    return datetime.fromtimestamp(record.last_seen, zone).strftime("%Y-%m-%d %H:%M")


def shown(text: str) -> str:
    """`text` for the terminal: what a device says about itself must not steer the terminal."""
    return "".join(c if c.isprintable() else "·" for c in text)
