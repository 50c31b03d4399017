from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from relay.llm.extras import MissingExtraError


@pytest.mark.parametrize(
    ("provider", "package", "extra"),
    [
        ("gemini", "google.genai", "gemini"),
        ("gemini_legacy", "google.generativeai", "gemini-legacy"),
    ],
)
def test_a_missing_package_names_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, provider: str, package: str, extra: str
) -> None:
    for module in (f"relay.llm.{provider}", "relay.gemini_server"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    if package == "google.genai":
        monkeypatch.delattr("google.genai", raising=False)
    with pytest.raises(MissingExtraError, match=rf"talking-doll\[{extra}\]") as caught:
        importlib.import_module(f"relay.llm.{provider}")
    assert caught.value.extra == extra


def test_the_local_brain_needs_no_sdk() -> None:
    code = (
        "import relay.llm.local, sys; "
        "print([name for name in ('google.genai', 'httpx2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
