"""What can go wrong with a board: one family, one sentence each, in the person's language."""

from __future__ import annotations


class FlashError(Exception):
    """It could not be done. `key` names the sentence in texts.toml that says what to do now.

    `values` fill its gaps. They never hold a password or a token.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values
