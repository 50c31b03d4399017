"""What can go wrong with a simulated doll, in one family."""

from __future__ import annotations


class SimulatorError(Exception):
    """The simulated doll could not do it; the message says what to do where that is known."""


class CrashError(SimulatorError):
    """The firmware ended with a traceback, which is in the message."""


class TurnError(SimulatorError):
    """A question got no complete reply."""
