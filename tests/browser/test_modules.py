"""The page's modules by themselves, in the Node.js that comes with Playwright."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from tests.browser.chromium import node

MODULES = sorted((Path(__file__).parent / "modules").glob("*.test.mjs"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_does_what_its_tests_say(module: Path) -> None:
    done = subprocess.run(
        [node(), "--test", str(module)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
