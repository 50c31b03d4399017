"""Audio that comes along with a request: really decoded, so that a bad file is noticed."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass

import numpy as np

from relay.audio import Pcm

TOKENS_PER_SECOND = 32
_MAX_SECONDS = 300.0  # the service takes hours; a doll that sends minutes is broken
_RATES_HZ = range(8_000, 48_001)
_MAX_CHANNELS = 2
_SILENCE = 0.01  # of full scale: about -40 dB, above the noise of a cheap microphone
_BLOCK_S = 0.05


class SoundError(Exception):
    """This is not audio, or not what it is said to be."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What was sent. `samples` are mono."""

    mime: str
    rate_hz: int
    samples: Pcm

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / self.rate_hz

    @property
    def silent(self) -> bool:
        """Whether nobody says anything: its loudest twentieth of a second is no more than noise."""
        block = max(1, int(self.rate_hz * _BLOCK_S))
        whole = len(self.samples) // block * block
        blocks = (self.samples[:whole] if whole else self.samples).astype(np.float64) / 32768
        blocks = blocks.reshape(-1, block) if whole else blocks.reshape(1, -1)
        return bool(np.sqrt(np.mean(blocks**2, axis=1)).max(initial=0.0) < _SILENCE)


def decode(mime: str, data: bytes) -> Sound:
    """Read a file of 16-bit audio, WAV or FLAC. Raises SoundError."""
    kind = mime.partition(";")[0].strip().lower()
    if kind in ("audio/wav", "audio/x-wav", "audio/wave"):
        rate_hz, samples = _wav(data)
    elif kind in ("audio/flac", "audio/x-flac"):
        rate_hz, samples = _flac(data)
    else:
        raise SoundError(f"the MIME type {kind[:60]} is not supported by this fake (WAV or FLAC).")
    if rate_hz not in _RATES_HZ:
        raise SoundError("this fake takes rates of 8 to 48 kHz, mono or stereo.")
    if not len(samples):
        raise SoundError("it is empty.")
    if len(samples) > _MAX_SECONDS * rate_hz:
        raise SoundError("it is too long.")
    return Sound(kind, rate_hz, samples)


def _wav(data: bytes) -> tuple[int, Pcm]:
    try:
        with wave.open(io.BytesIO(data)) as file:
            if file.getsampwidth() != 2:
                raise SoundError("only 16-bit WAV is read by this fake.")
            frames = file.getnframes()
            raw = file.readframes(frames)
            channels, rate_hz = file.getnchannels(), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise SoundError(f"this is not WAV: {error}.") from None
    if len(raw) != frames * channels * 2:
        raise SoundError("the WAV file is shorter than its header says.")
    return rate_hz, _mono(np.frombuffer(raw, np.dtype("<i2")).reshape(-1, channels))


def _flac(data: bytes) -> tuple[int, Pcm]:
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: the package is there, its library is not
        raise SoundError("this fake reads FLAC with the package soundfile only.") from None
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if file.format != "FLAC":
                raise SoundError(f"this is {file.format} and not FLAC.")
            rate_hz = int(file.samplerate)
            if rate_hz not in _RATES_HZ or file.channels > _MAX_CHANNELS:
                raise SoundError("this fake takes rates of 8 to 48 kHz, mono or stereo.")
            # Hours of silence fit into kilobytes: no more is unpacked than is needed to see it.
            longest = int(_MAX_SECONDS * rate_hz) + 1
            samples: Pcm = file.read(longest, dtype="int16", always_2d=True)
            return rate_hz, _mono(samples)
    except soundfile.SoundFileError as error:
        raise SoundError(f"this is not FLAC: {error}.") from None


def _mono(channels: Pcm) -> Pcm:
    """The service mixes to one channel too. `channels`: shape (n, channels)."""
    if channels.shape[1] == 1:
        return channels[:, 0]
    mixed: Pcm = channels.mean(axis=1).astype(np.int16)
    return mixed
