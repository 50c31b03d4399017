"""What Whisper hears: the log-mel spectrogram.

The same figures as OpenAI's whisper/audio.py and faster-whisper's feature extractor (there is a
test), in numpy alone: importing faster-whisper for them would load a video library with it.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from relay.audio import RATE_HZ, Pcm

#: Samples in a window (25 ms) and from one window to the next (10 ms).
WINDOW = 400
HOP = 160

#: Mel bands of all Whisper models up to large-v2; large-v3 and its kin have 128.
BANDS = 80

#: Frames in the 30 s that Whisper was trained on; it takes fewer, but not more.
MAX_FRAMES = 3000


def log_mel(utterance: Pcm, padding_s: float, bands: int = BANDS) -> NDArray[np.float32]:
    """The spectrogram of `utterance` (16 kHz) with `padding_s` of silence behind it.

    Shape (1, bands, n), n even, one frame per 10 ms and at most 3000; values about -1 to 2.
    """
    silence = WINDOW // 2 + round(padding_s * RATE_HZ)
    signal = utterance.astype(np.float32) / 32768
    padded = np.pad(signal, (0, silence))
    return log_mel_of(np.pad(padded, (WINDOW // 2, 0), mode="reflect"), bands)


def log_mel_of(signal: NDArray[np.float32], bands: int = BANDS) -> NDArray[np.float32]:
    """The same of samples that have WINDOW / 2 more at either end, which centre its frames."""
    frames = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[::HOP]
    frames = frames[: min(MAX_FRAMES, len(frames) // 2 * 2)]
    spectrum = np.fft.rfft(frames * _window(), axis=-1)
    power = spectrum.real**2 + spectrum.imag**2
    mel = np.log10(np.maximum(_filters(bands) @ power.T, 1e-10))
    # Whisper's own scaling: 80 dB below the loudest value is the floor.
    mel = (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0
    return np.ascontiguousarray(mel[None], dtype=np.float32)


@functools.cache
def _window() -> NDArray[np.float32]:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


@functools.cache
def _filters(bands: int) -> NDArray[np.float32]:
    """Triangular filters evenly spaced on Slaney's mel scale, each of area one (as in librosa).

    The scale is linear up to 1 kHz (3 mel per 200 Hz) and logarithmic above (27 mel per factor of
    6.4). Shape (bands, 201).
    """
    top = 15.0 + 27.0 * np.log(8.0) / np.log(6.4)  # 8 kHz
    mels = np.linspace(0.0, top, bands + 2)
    edges_hz = np.where(mels < 15.0, mels * 200 / 3, 1000.0 * 6.4 ** ((mels - 15.0) / 27.0))
    bins_hz = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    filters = np.maximum(0.0, np.minimum(rising, falling))
    filters *= (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None]
    return np.asarray(filters, dtype=np.float32)
