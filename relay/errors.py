"""The one vocabulary of provider failures: it decides retry, fallback and what the doll says."""

from __future__ import annotations

from enum import StrEnum


class ErrorKind(StrEnum):
    """Why a provider could not do its work."""

    RATE = "rate"  #: too many requests just now; waiting helps
    QUOTA = "quota"  #: the allowance of the day (or all of it) is used up
    AUTH = "auth"  #: the key is missing, wrong, or not allowed to do this
    NETWORK = "network"  #: not reached, cut off, or too slow
    SERVER = "server"  #: reached, and it failed
    BAD_REQUEST = "bad_request"  #: it refused what we sent; the same request fails again
    BLOCKED = "blocked"  #: the content was refused


class ProviderError(Exception):
    """A provider failed.

    `message` is for the log: one sentence, with what to do where that is known, and never a secret
    or a response object that holds one. `retry_after_s` is set where the provider said when to come
    back.
    """

    def __init__(
        self, kind: ErrorKind, message: str, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after_s = retry_after_s


class ModelGoneError(ProviderError):
    """The provider has no such model, or has it no longer: it need not be asked again."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.BAD_REQUEST, message)
