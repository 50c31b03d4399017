"""Where it is kept how people speak: a folder for each, which is deleted as a whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from relay.persona.base import Exchange
from relay.persona.learning.index import Index
from relay.persona.learning.manner import LearnedManner
from relay.persona.learning.style import Style

_ABOUT, _EXCHANGES, _INDEX = "manner.json", "exchanges.json", "index.npz"

_FORMAT = 1

#: A name is one part of a path.
_NAME = re.compile(r"[^\W_](?:[\w-]|\.(?=\w)){0,60}")

#: Of `exchanges.json`: 100,000 of them have some 20 MB.
_MAX_BYTES = 256 * 1024**2


class ShelfError(ValueError):
    """What was learned cannot be kept or used; the message names the file and says why."""


class LearnedShelf:
    """Manners by the name of the persona that they are for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> tuple[str, ...]:
        """For whom there is one, sorted."""
        return tuple(sorted(path.parent.name for path in self._folder.glob(f"[!.]*/{_ABOUT}")))

    def version(self, name: str) -> tuple[int, int] | None:
        """Changes whenever it is learned anew; None where there is none."""
        if not _NAME.fullmatch(name):
            return None
        try:
            status = (self._folder / name / _ABOUT).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def save(self, name: str, manner: LearnedManner) -> Path:
        """Keep a manner, in place of one that there was; there whole or not at all.

        Raises ShelfError.
        """
        place = self._place(name)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=f".{name}~", dir=self._folder))
        except OSError as error:
            raise ShelfError(f"{self._folder}: {error.strerror}.") from None
        try:
            pairs = [(exchange.heard, exchange.said) for exchange in manner.exchanges]
            _write(made / _EXCHANGES, pairs)
            np.savez(made / _INDEX, allow_pickle=False, **manner.index.arrays())
            about = {
                "format": _FORMAT,
                "speaker": manner.speaker,
                "style": asdict(manner.style),
                "examples": [(exchange.heard, exchange.said) for exchange in manner.examples],
            }
            _write(made / _ABOUT, about)
            if place.exists():
                shutil.rmtree(place)
            made.rename(place)  # of 0700: only who runs the relay reads what people wrote
        except OSError as error:
            raise ShelfError(f"{made}: {error.strerror}.") from None
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return place

    def load(self, name: str) -> LearnedManner:
        """What was learned. Raises ShelfError."""
        place = self._place(name)
        try:
            about = _read(place / _ABOUT)
            if about["format"] != _FORMAT:
                raise ValueError(f"format {about['format']}")
            exchanges = _exchanges(_read(place / _EXCHANGES))
            with np.load(place / _INDEX, allow_pickle=False) as arrays:
                index = Index.from_arrays(arrays, len(exchanges))
            lists = ("endings", "openers", "favourites")
            style = about["style"] | {key: tuple(about["style"][key]) for key in lists}
            return LearnedManner(
                speaker=str(about["speaker"]),
                style=Style(**style),
                examples=_exchanges(about["examples"]),
                exchanges=exchanges,
                index=index,
            )
        except OSError as error:
            raise ShelfError(f"{place} cannot be read: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise ShelfError(
                f"{place} is damaged ({error}): learn it again, or delete it with "
                f"`doll persona forget {name}`."
            ) from None

    def forget(self, name: str) -> bool:
        """Delete all that was learned for `name`, also what a crash has left half written.

        Whether there was anything. Raises ShelfError.
        """
        place = self._place(name)
        found = False
        for path in (place, *self._folder.glob(f".{name}~*")):
            if path.is_dir():
                found = True
                try:
                    shutil.rmtree(path)
                except OSError as error:
                    raise ShelfError(f"{path} was not deleted: {error.strerror}.") from None
        return found

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ShelfError(f"{name!r} is no name: letters, digits, - and _, up to 60 of them.")
        return self._folder / name


def _write(path: Path, value: Any) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> Any:
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{path.name} is too large")
    return json.loads(path.read_text(encoding="utf-8"))


def _exchanges(pairs: Any) -> tuple[Exchange, ...]:
    return tuple(Exchange(str(heard), str(said)) for heard, said in pairs)
