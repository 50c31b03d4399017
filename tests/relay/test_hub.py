"""Models are downloaded from the hub, taken up again where they stopped, and checked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import pytest

from relay.hub import ATTEMPTS, WHISPERS, HubModel, pull
from relay.models import Model, ModelError, ModelFile
from relay.stt.settings import SttSettings

FILES = {"model.bin": bytes(range(256)) * 400, "config.json": b"{}"}
WANTED = HubModel(
    Model(
        "whisper-test",
        tuple(
            ModelFile(name, hashlib.sha256(content).hexdigest(), ())
            for name, content in FILES.items()
        ),
    ),
    "Somebody/faster-whisper-test",
    "0123abc",
    {name: len(content) for name, content in FILES.items()},
)


class Hub:
    """A hub on this machine: it redirects as the real one does, and can break off."""

    def __init__(self) -> None:
        self.files = dict(FILES)
        self.requests: list[tuple[str, str]] = []  #: path and range
        self.break_after: int | None = None  #: bytes of a body before the connection is cut
        self.ranges = True
        self.status = 200
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        prefix = "/Somebody/faster-whisper-test/resolve/0123abc/"
        if path.startswith(prefix):
            request.send_response(302)
            request.send_header("Location", f"{self.address}/stored/{path.removeprefix(prefix)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        wanted = request.headers.get("Range", "")
        self.requests.append((path.removeprefix("/stored/"), wanted))
        if self.status != 200:
            request.send_response(self.status)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        body = self.files[path.removeprefix("/stored/")]
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if self.ranges else 0
        request.send_response(206 if self.ranges else 200)
        request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        request.wfile.write(body[start:][: self.break_after])
        request.close_connection = True


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.server.serve_forever, args=(0.01,))
    thread.start()
    yield hub
    hub.server.shutdown()
    hub.server.server_close()
    thread.join()


def test_all_files_are_there_and_whole(hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    home = pull(WANTED, tmp_path, hub=hub.address, progress=lambda *step: seen.append(step))
    assert home == tmp_path / "whisper-test"
    assert {path.name: path.read_bytes() for path in home.iterdir()} == FILES
    assert seen[-1] == ("config.json", 2, 2)


def test_what_is_there_is_not_asked_for(hub: Hub, tmp_path: Path) -> None:
    pull(WANTED, tmp_path, hub=hub.address)
    hub.requests.clear()
    (tmp_path / "whisper-test" / "config.json").write_bytes(b"damaged")
    pull(WANTED, tmp_path, hub=hub.address)
    assert [name for name, _ in hub.requests] == ["config.json"]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = 40_000
    home = pull(WANTED, tmp_path, hub=hub.address)
    assert (home / "model.bin").read_bytes() == FILES["model.bin"]
    ranges = [wanted for name, wanted in hub.requests if name == "model.bin"]
    assert ranges == ["bytes=0-", "bytes=40000-", "bytes=80000-"]


def test_one_that_keeps_breaking_off_is_kept_for_the_next_time(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = 10
    with pytest.raises(ModelError, match="goes on where it stopped"):
        pull(WANTED, tmp_path, hub=hub.address)
    assert len(hub.requests) == ATTEMPTS
    hub.break_after = None
    hub.requests.clear()
    pull(WANTED, tmp_path, hub=hub.address)
    assert hub.requests[0] == ("model.bin", f"bytes={10 * ATTEMPTS}-")


def test_a_server_without_ranges_sends_the_whole(hub: Hub, tmp_path: Path) -> None:
    hub.ranges = False
    home = tmp_path / "whisper-test"
    home.mkdir()
    (home / "model.bin.download").write_bytes(b"the beginning of something else")
    pull(WANTED, tmp_path, hub=hub.address)
    assert (home / "model.bin").read_bytes() == FILES["model.bin"]


def test_another_file_than_the_published_is_refused_and_deleted(hub: Hub, tmp_path: Path) -> None:
    hub.files["model.bin"] = b"x" * len(FILES["model.bin"])
    with pytest.raises(ModelError, match="not the published model"):
        pull(WANTED, tmp_path, hub=hub.address)
    assert list((tmp_path / "whisper-test").iterdir()) == []


def test_no_more_is_taken_than_the_file_is_long(hub: Hub, tmp_path: Path) -> None:
    hub.files["config.json"] = b"{}" * 1_000_000
    home = pull(WANTED, tmp_path, hub=hub.address)
    assert (home / "config.json").read_bytes() == b"{}"


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (401, 1), (503, ATTEMPTS)])
def test_a_refusal_is_said_at_once_and_an_outage_is_tried_again(
    hub: Hub, tmp_path: Path, status: int, requests: int
) -> None:
    hub.status = status
    with pytest.raises(ModelError, match=rf"cannot be downloaded \({status}\)"):
        pull(WANTED, tmp_path, hub=hub.address)
    assert len(hub.requests) == requests


@pytest.mark.parametrize("address", ["http://example.org", "ftp://127.0.0.1", "file:///etc"])
def test_only_safe_addresses_are_asked(tmp_path: Path, address: str) -> None:
    with pytest.raises(ModelError, match="https://"):
        pull(WANTED, tmp_path, hub=address)


def test_the_mirror_of_the_hubs_own_tools_is_taken(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.address + "/")
    pull(WANTED, tmp_path)
    assert hub.requests


def test_every_model_knows_the_size_of_each_of_its_files() -> None:
    for model in WHISPERS.values():
        assert {file.name for file in model.model.files} == set(model.sizes)
        assert all(len(file.sha256) == 64 for file in model.model.files)
        assert len(model.revision) == 40


def test_every_model_that_may_be_set_is_known() -> None:
    assert get_args(SttSettings.model_fields["model"].annotation) == tuple(WHISPERS)
