"""Models from the hub where their authors publish them: `doll models pull`.

The same digests are pinned here as everywhere else, so it does not matter which mirror answers. A
download that was cut off goes on where it stopped.
"""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from relay.models import BLOCK, WHISPER_BASE, Model, ModelError, ModelFile, digest, models_directory

#: The hub, and the variable by which its own tools are pointed to a mirror.
HUB: Final = "https://huggingface.co"
HUB_VARIABLE: Final = "HF_ENDPOINT"

#: Without a byte for so long, the hub is gone.
SILENCE_S: Final = 30.0

#: How often a download that breaks off is taken up again.
ATTEMPTS: Final = 5

#: Called with the file's name, the bytes that are there and the bytes that there will be.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model of the hub at one revision, and how large its files are."""

    model: Model
    repository: str
    revision: str
    sizes: Mapping[str, int]  #: bytes, by file name

    def url(self, hub: str, name: str) -> str:
        """Where one file is."""
        return f"{hub}/{self.repository}/resolve/{self.revision}/{name}"


def _whisper(name: str, **digests: str) -> Model:
    files = {key.replace("_", "."): value for key, value in digests.items()}
    return Model(name, tuple(ModelFile(file, sha256, ()) for file, sha256 in files.items()))


_TOKENIZER = "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
_VOCABULARY = "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"

#: What `stt.model` may name: Whisper for CTranslate2 (MIT). Larger ones hear better and are slower.
WHISPERS: Final[Mapping[str, HubModel]] = {
    "base": HubModel(
        WHISPER_BASE,
        "Systran/faster-whisper-base",
        "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        {
            "model.bin": 145_217_532,
            "config.json": 2_309,
            "tokenizer.json": 2_203_239,
            "vocabulary.txt": 459_861,
        },
    ),
    "small": HubModel(
        _whisper(
            "whisper-small",
            model_bin="3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
            config_json="b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828",
            tokenizer_json=_TOKENIZER,
            vocabulary_txt=_VOCABULARY,
        ),
        "Systran/faster-whisper-small",
        "536b0662742c02347bc0e980a01041f333bce120",
        {
            "model.bin": 483_546_902,
            "config.json": 2_370,
            "tokenizer.json": 2_203_239,
            "vocabulary.txt": 459_861,
        },
    ),
    "large-v3-turbo": HubModel(
        _whisper(
            "whisper-large-v3-turbo",
            model_bin="e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da",
            config_json="b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e",
            tokenizer_json="297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd",
            vocabulary_json="c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1",
        ),
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf",
        {
            "model.bin": 1_617_884_929,
            "config.json": 2_263,
            "tokenizer.json": 2_710_337,
            "vocabulary.json": 1_068_114,
        },
    ),
}


def pull(
    wanted: HubModel,
    directory: Path | None = None,
    *,
    hub: str = "",
    progress: Progress | None = None,
) -> Path:
    """Download what is missing of `wanted`; the directory that holds it, every file checked.

    `directory` holds the models (`models_directory` without it); `hub` is a mirror's address, or
    that of HF_ENDPOINT, or the hub itself. Blocks, for minutes. Raises ModelError.
    """
    hub = (hub or os.environ.get(HUB_VARIABLE) or HUB).rstrip("/")
    if not _is_safe(hub):
        raise ModelError(f"{hub} is no address of a model hub; it begins with https://.")
    home = (models_directory() if directory is None else directory) / wanted.model.name
    try:
        home.mkdir(parents=True, exist_ok=True)
        for file in wanted.model.files:
            path = home / file.name
            if not path.is_file() or digest(path) != file.sha256:
                url, size = wanted.url(hub, file.name), wanted.sizes[file.name]
                _file(file, size, url, path, progress or _silently)
    except OSError as error:
        raise ModelError(
            f"The model cannot be kept in {home} ({error.strerror or error}); make room there or "
            "set DOLL_MODELS to another directory."
        ) from error
    return home


def _file(file: ModelFile, size: int, url: str, path: Path, progress: Progress) -> None:
    part = path.with_name(f"{file.name}.download")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _continue(url, part, size, lambda there: progress(file.name, there, size))
            break
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
            status = error.code if isinstance(error, urllib.error.HTTPError) else None
            refused = status is not None and status < 500
            if attempt == ATTEMPTS or refused:
                reason = getattr(error, "reason", None) or error
                raise ModelError(
                    f"{url} cannot be downloaded ({status or reason}); try again, it goes on where "
                    f"it stopped, or set {HUB_VARIABLE} to a mirror."
                ) from error
    if digest(part) != file.sha256:
        part.unlink()
        raise ModelError(
            f"{url} is not the published model (its digest differs); it was deleted. "
            f"Try again, or set {HUB_VARIABLE} to another mirror."
        )
    part.replace(path)


def _continue(url: str, part: Path, size: int, progress: Callable[[int], None]) -> None:
    """Append to `part` what it lacks. Raises what the network and the disk raise."""
    there = part.stat().st_size if part.exists() else 0
    if there >= size:
        return  # the digest tells whether it is right
    request = urllib.request.Request(url, headers={"Range": f"bytes={there}-"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=SILENCE_S) as answer:  # noqa: S310
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            there = 0  # a server without ranges sends the whole
        with part.open("ab" if there else "wb") as out:
            while there < size and (block := answer.read(min(BLOCK, size - there))):
                out.write(block)
                there += len(block)
                progress(there)
    if there < size:
        raise http.client.IncompleteRead(b"", size - there)


def _silently(_name: str, _there: int, _whole: int) -> None:
    """No progress is shown."""


def _is_safe(address: str) -> bool:
    """Plain http only on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    )
