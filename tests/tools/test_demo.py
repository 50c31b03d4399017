"""`doll demo` as a person runs it: real models, real firmware, real sockets, no key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
MODULE = [sys.executable, "-m", "tools.cli", "demo"]


@pytest.mark.models
@pytest.mark.timeout(300)
def test_the_demo_holds_a_conversation_in_korean_and_english(tmp_path: Path) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DOLL_") and name not in ("GEMINI_API_KEY", "OPENAI_API_KEY")
    }
    done = subprocess.run(
        [*MODULE, "--out", str(tmp_path / "out")],
        cwd=tmp_path,
        env={**environment, "LANG": "ko_KR.UTF-8", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    turns = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["turns"]
    korean, english = turns
    assert "이름" in korean["transcript"]
    assert "차차" in korean["reply"]
    assert (korean["language"], english["language"]) == ("ko", "en")
    assert "welve" in english["reply"]
    for turn in turns:
        assert turn["reply"] in done.stdout.replace("\n", " ")
        assert turn["doll"]["frames_lost"] == 0
        assert turn["doll"]["heap_per_frame"] <= 0  # -1: a collection came in between
        moments = turn["timeline"]["relay_ms_after_speech"]
        assert moments["transcript"] <= moments["first_token"] <= moments["first_audio"]
        with wave.open(str(tmp_path / turn["reply_wav"])) as file:
            assert file.getframerate() == 16_000
            pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert np.sqrt(np.mean(pcm.astype(float) ** 2)) > 300


def test_a_relay_that_cannot_start_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "doll.toml").write_text("[relay]\nprot = 1\n")
    done = subprocess.run(
        MODULE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "relay.prot: there is no such setting" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
