"""The embedded brain, which is always there."""

from relay.llm.local.model import LocalLanguageModel

__all__ = ["LocalLanguageModel"]
