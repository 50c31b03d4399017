"""Why a backup could not be made or restored."""

from __future__ import annotations


class BackupError(Exception):
    """`key` names a text of `texts.toml`; `facts` fill it."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts
