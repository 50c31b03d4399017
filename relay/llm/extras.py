"""A provider whose package is not installed says which extra brings it."""

from __future__ import annotations


class MissingExtraError(ImportError):
    """The package behind a provider is an optional extra, and it is not there."""

    def __init__(self, provider: str, extra: str, cause: ImportError) -> None:
        super().__init__(
            f"The {provider} provider needs the extra `{extra}`: "
            f"pip install 'talking-doll[{extra}]' ({cause})."
        )
        self.extra = extra
