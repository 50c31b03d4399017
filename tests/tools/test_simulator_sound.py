from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relay.audio import Pcm
from tools.simulator import sound as sound_module
from tools.simulator.errors import SimulatorError
from tools.simulator.sound import Sound

FAKE = Path(__file__).parent / "fake_sounddevice/sounddevice.py"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The fake `sounddevice`, in place of the real one."""
    spec = importlib.util.spec_from_file_location("sounddevice", FAKE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def tone(rate_hz: int, seconds: float) -> Pcm:
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    return (8000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)


async def test_what_the_microphone_hears_is_recorded_sample_by_sample(device: Any) -> None:
    device.hears = tone(16_000, 0.5)
    with Sound().recording() as recording:
        pass
    assert recording.pcm().dtype == np.int16
    assert recording.pcm().tolist() == device.hears.tolist()
    assert not recording.full


async def test_a_microphone_that_cannot_do_16_khz_is_resampled(device: Any) -> None:
    device.rates["input"] = [44_100, 48_000]
    device.hears = tone(44_100, 1)
    with Sound().recording() as recording:
        pass
    pcm = recording.pcm()
    assert len(pcm) == 16_000
    middle = slice(1000, -1000)  # the filter rings at the ends
    assert np.abs(pcm[middle].astype(int) - tone(16_000, 1)[middle]).max() < 50


async def test_a_recording_ends_by_itself_at_its_limit(
    device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_module, "MAX_RECORDING_S", 1)
    device.hears = tone(16_000, 1.5)
    with Sound().recording() as recording:
        await recording.over.wait()
    assert recording.full
    assert recording.pcm().tolist() == device.hears[:16_000].tolist()


async def test_a_recording_ends_when_the_microphone_is_unplugged(device: Any) -> None:
    device.hears = tone(16_000, 0.1)
    device.unplugged = True
    with Sound().recording() as recording:
        await recording.over.wait()
    assert not recording.full
    assert len(recording.pcm()) == 1600


@pytest.mark.parametrize("samples", [0, 16_000])
async def test_a_microphone_that_gives_nothing_or_zeros_is_told(device: Any, samples: int) -> None:
    device.hears = np.zeros(samples, np.int16)
    with Sound().recording() as recording:
        pass
    with pytest.raises(SimulatorError, match="is it muted"):
        recording.pcm()


async def test_the_last_reply_is_silenced_before_the_microphone_opens(device: Any) -> None:
    with Sound().recording():
        pass
    assert device.log == ["stop", "record"]


async def test_no_microphone_is_one_sentence(device: Any) -> None:
    device.rates["input"] = []
    with (
        pytest.raises(SimulatorError, match=r"no microphone can be opened \(Error querying"),
        Sound().recording(),
    ):
        pass


def test_speakers_play_at_16_khz_or_else_at_their_own_rate(device: Any) -> None:
    device.rates["output"] = [48_000, 16_000]
    Sound().play(tone(16_000, 0.1))
    device.rates["output"] = [48_000]
    Sound().play(tone(16_000, 0.1))
    assert device.log == ["play 1600 samples at 16000 Hz", "play 4800 samples at 48000 Hz"]


def test_no_speakers_are_one_sentence(device: Any) -> None:
    device.rates["output"] = []
    with pytest.raises(SimulatorError, match="no speakers can be opened"):
        Sound().play(tone(16_000, 0.1))


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SimulatorError, match=r"pip install 'talking-doll\[sound\]'"):
        Sound()
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    with pytest.raises(SimulatorError, match=r"마이크.*pip install 'talking-doll\[sound\]'"):
        Sound()


def test_without_portaudio_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = "raise OSError('PortAudio library not found')"  # as the real package does
    (tmp_path / "sounddevice.py").write_text(broken)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SimulatorError, match="apt install libportaudio2"):
        Sound()
