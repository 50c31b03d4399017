"""Recordings that are made, not recorded: buzzing voices, noise, and files of many kinds."""

from __future__ import annotations

import io

import av
import numpy as np
from numpy.typing import NDArray

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.tts.voices.checks import Judgement, Recording, judge
from relay.wav import encode


def voice(seconds: float, hertz: float = 200.0, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    """A buzz with the spectrum of a voice: harmonics that fall by 6 dB an octave, and hiss."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    wobble = 2 * np.pi * hertz * time + 0.5 * np.sin(2 * np.pi * 5 * time)
    harmonics = range(1, int(0.45 * rate_hz / hertz))
    sound = sum(np.sin(number * wobble) / number for number in harmonics)
    hiss = np.random.default_rng(1).normal(0, 0.01, len(time))
    sound = np.asarray(sound) + hiss
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def noise(seconds: float, db: float, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    """White noise with an RMS of so many dB of full scale."""
    values = np.random.default_rng(2).normal(0, 10 ** (db / 20), round(seconds * rate_hz))
    return values.astype(np.float32)


def judged(samples: NDArray[np.float32], spoken: list[tuple[float, float]]) -> Judgement:
    """The judgement of a recording at 16 kHz in which somebody speaks in these seconds."""
    heard = np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
    speech = np.full(len(heard) // FRAME_SAMPLES, 0.01)
    for start_s, end_s in spoken:
        frames = slice(*(round(at * RATE_HZ / FRAME_SAMPLES) for at in (start_s, end_s)))
        speech[frames] = 0.99
    return judge(Recording(samples, RATE_HZ), heard, speech)


def file_of(
    pcm: Pcm, rate_hz: int, kind: str, codec: str, *, channels: int = 1, **options: str
) -> bytes:
    """A file as a phone makes it, by FFmpeg."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.layout = "mono" if channels == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(
            np.tile(pcm, (channels, 1)), "s16p", "mono" if channels == 1 else "stereo"
        )
        frame.rate = rate_hz
        fitting = av.AudioResampler(format=stream.format, layout=stream.layout, rate=rate_hz)
        size = stream.codec_context.frame_size or 1_024
        fifo = av.AudioFifo()
        for part in fitting.resample(frame):
            part.pts = None
            fifo.write(part)
        while (part := fifo.read(size) or fifo.read(0, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return out.getvalue()


def wav_of(samples: NDArray[np.float32], rate_hz: int = RATE_HZ) -> bytes:
    return encode(np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16), rate_hz)
