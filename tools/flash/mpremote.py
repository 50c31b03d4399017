"""Talks to a board through the mpremote command, the stable one of its two interfaces."""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.flash.build import BuiltFile
from tools.flash.errors import FlashError
from tools.flash.facts import BoardFacts, parse_facts
from tools.flash.plan import INCOMING, Plan
from tools.flash.ports import check_port
from tools.flash.process import Finished, run_module

_ONBOARD = Path(__file__).parent / "onboard"

#: The longest that a healthy board says nothing: hashing its files, or making a file system.
_SILENCE_S = 25.0

#: What mpremote and pyserial say, and what it means.
_MEANINGS = (
    (r"failed to access", "busy"),
    (r"multiple access on port|could not open port", "busy"),
    (r"No space left|ENOSPC|OSError: (?:\[Errno )?28\b", "full_suddenly"),
    (r"could not enter raw repl|could not exec command|timeout waiting", "no_micropython"),
    (r"damaged on its way", "damaged"),
    (r"MemoryError", "memory"),
)


class Mpremote:
    """The board at `port`. Each method is one mpremote process and interrupts what runs there."""

    def __init__(self, port: str, *, silence_s: float = _SILENCE_S) -> None:
        self.port = port
        self._silence_s = silence_s

    def inspect(self) -> BoardFacts:
        """What the board is and what is on it, in one round trip.

        Raises:
            FlashError: no board, no MicroPython, or somebody else has the port.
        """
        return parse_facts(self._run(["run", str(_ONBOARD / "survey.py")]))

    def install(self, plan: Plan, on_copy: Callable[[BuiltFile], None]) -> None:
        """Copies to incoming/, then switches. `on_copy` is called as each file begins.

        Raises:
            FlashError: it could not be done; another installation completes it.
        """
        uploads = plan.uploads()
        by_target = {f":{INCOMING}/{file.path}": file for file in uploads}

        def on_line(line: str) -> None:
            file = by_target.get(line.rpartition(" ")[2]) if line.startswith("cp ") else None
            if file is not None:
                on_copy(file)

        # The folder is only this user's: settings.json holds the Wi-Fi password.
        with tempfile.TemporaryDirectory(prefix="doll-") as folder:
            commands: list[str] = ["exec", _make_folders(uploads)]
            for file in uploads:
                local = Path(folder) / file.path
                local.parent.mkdir(parents=True, exist_ok=True)
                local.write_bytes(file.data)
                commands += ["+", "fs", "cp", str(local), f":{INCOMING}/{file.path}"]
            commands += ["+", "run", str(_ONBOARD / "switch.py")]
            self._run(commands, on_line)

    def reset(self) -> None:
        """Starts the board anew.

        Raises:
            FlashError: it could not be reached.
        """
        self._run(["reset"])

    def _run(self, commands: Sequence[str], on_line: Callable[[str], None] = lambda _: None) -> str:
        if importlib.util.find_spec("mpremote") is None:
            raise FlashError("not_installed", package="mpremote")
        finished = run_module(
            "mpremote",
            ["connect", self.port, *commands],
            silence_s=self._silence_s,
            on_line=on_line,
        )
        if finished.code != 0:
            raise self._meaning(finished)
        return finished.output

    def _meaning(self, finished: Finished) -> FlashError:
        """One sentence for what mpremote said, which is often a traceback."""
        try:
            check_port(self.port)
        except FlashError as error:
            return FlashError("unplugged") if error.key == "port_gone" else error
        for pattern, key in _MEANINGS:
            if re.search(pattern, finished.output):
                return FlashError(key, port=self.port)
        if finished.code is None:
            return FlashError("no_micropython", port=self.port)
        if re.search(r"SerialException|Errno (?:5|6|19|32)\b|device disconnected", finished.output):
            return FlashError("unplugged")
        lines = finished.output.splitlines() or ["?"]
        return FlashError("mpremote", text=lines[-1][:200])


def _make_folders(files: Sequence[BuiltFile]) -> str:
    """Source that makes incoming/ and the folders in it, as far as they are missing."""
    folders = {INCOMING}
    for file in files:
        parts = file.path.split("/")[:-1]
        folders.update("/".join([INCOMING, *parts[: n + 1]]) for n in range(len(parts)))
    return (
        "import os\nos.chdir('/')\n"
        f"for folder in {sorted(folders)!r}:\n"
        " try:\n  os.mkdir(folder)\n"
        " except OSError as e:\n  if e.errno != 17: raise\n"
    )
