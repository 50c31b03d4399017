"""What mip installs is the whole firmware, and the log's specification covers what is logged."""

from __future__ import annotations

import json
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FIRMWARE = REPOSITORY / "firmware"


def test_the_package_holds_every_file_where_it_belongs() -> None:
    package = json.loads((FIRMWARE / "package.json").read_text())
    files = {
        path.relative_to(FIRMWARE).as_posix()
        for path in FIRMWARE.rglob("*")
        if path.is_file() and not any(part[0] in "._" for part in path.parent.parts)
    }
    files -= {"package.json", "ruff.toml"}
    assert {destination for destination, _ in package["urls"]} == files
    assert all(source == destination for destination, source in package["urls"])


def test_the_package_and_the_firmware_agree_on_the_version() -> None:
    package = json.loads((FIRMWARE / "package.json").read_text())
    text = (FIRMWARE / "doll" / "__init__.py").read_text()
    assert f'__version__ = "{package["version"]}"' in text


def test_every_line_that_is_logged_begins_with_words_of_the_specification() -> None:
    specification = (REPOSITORY / "docs" / "firmware-log.md").read_text(encoding="utf-8")
    calls = re.compile(r'log\.(?:error|warn|info)\(\s*"([^"]+)"')
    seen = 0
    for file in FIRMWARE.glob("doll/*.py"):
        for text in calls.findall(file.read_text(encoding="utf-8")):
            words = re.split(r"[%=:,]", text)[0].split()
            known = [" ".join(words[:2]), words[0] + " …"]
            assert any(re.search(rf"`[EWID] {start}", specification) for start in known), text
            seen += 1
    assert seen > 25
