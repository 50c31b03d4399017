"""`make fuzz`: lets atheris (libFuzzer) look for inputs that break a parser, for as long as given.

python -m tests.fuzz.run [SECONDS each] [NAME …]
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

_RUNS = re.compile(r"Done (\d+) runs in (\d+) second")


def main() -> int:
    """Fuzz each target in a process of its own; the exit status is the number that broke."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    from tests.fuzz.targets import TARGETS

    broken = 0
    for name in sys.argv[2:] or TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            for number, seed in enumerate(TARGETS[name].seeds):
                (Path(folder) / str(number)).write_bytes(seed)
            command = [sys.executable, "-m", "tests.fuzz.run", "--one", name, folder]
            flags = [f"-max_total_time={seconds}", "-max_len=4096", "-rss_limit_mb=2048"]
            made = subprocess.run([*command, *flags], capture_output=True, text=True)
        said = made.stdout + made.stderr
        runs = _RUNS.search(said)
        if made.returncode or runs is None:
            broken += 1
            print(f"{name}: BROKEN\n{said[-4000:]}")
        else:
            print(f"{name}: {int(runs[1]):,} inputs in {runs[2]} s, nothing broke", flush=True)
    return broken


def _one(name: str, arguments: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["relay"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *arguments], TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
