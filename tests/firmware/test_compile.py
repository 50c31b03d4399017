"""Every file of the firmware compiles for the chips that it runs on.

The unix port accepts viper code that a board cannot run: constants over 0x3FFFFFFF, for example.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
FILES = sorted(p.relative_to(FIRMWARE).as_posix() for p in FIRMWARE.rglob("*.py"))


@pytest.mark.parametrize("arch", ["xtensawin", "rv32imc"])
@pytest.mark.parametrize("file", FILES)
def test_file_compiles(mpy_cross: str, tmp_path: Path, file: str, arch: str) -> None:
    result = subprocess.run(
        [mpy_cross, f"-march={arch}", "-o", tmp_path / "out.mpy", FIRMWARE / file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
