"""Sounds for measurements and tests, made from nothing but numbers and the recordings at hand.

All are mono, 16 kHz, float64 with a power of one (0 dB), so that `mixed` can set how loud they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm

Sound: TypeAlias = NDArray[np.float64]

#: A minor, F, C, G: two beats each, in semitones above A2 (110 Hz).
_CHORDS = ((0, 12, 15, 19), (-4, 8, 12, 15), (3, 10, 15, 19), (-2, 10, 14, 17))
_BEAT_S = 0.5


def pink_noise(samples: int, seed: int = 0) -> Sound:
    """Noise whose power falls by 3 dB an octave, as that of most rooms and fans."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    spectrum[: max(1, 20 * samples // RATE_HZ)] = 0  # below 20 Hz there is no sound
    return _even(np.fft.irfft(spectrum, samples))


def music(samples: int, seed: int = 0) -> Sound:
    """Chords with harmonics, a melody, a bass, a kick drum and a hi-hat, 120 beats a minute."""
    random = np.random.default_rng(seed)
    sound = np.zeros(samples + 4 * RATE_HZ)
    beat = int(_BEAT_S * RATE_HZ)
    for number in range(samples // beat + 1):
        at = number * beat
        chord = _CHORDS[number // 2 % len(_CHORDS)]
        if number % 2 == 0:
            for semitone in chord:
                _add(sound, at, 0.25 * _note(semitone, 2 * _BEAT_S, random))
        for half in (0, beat // 2):
            semitone = 24 + chord[random.integers(len(chord))]
            _add(sound, at + half, 0.5 * _note(semitone, _BEAT_S / 2, random))
            _add(sound, at + half, 0.3 * _burst(0.03, random))
        _add(sound, at, 1.2 * _kick())
    return _even(sound[:samples])


def singing(samples: int, seed: int = 0) -> Sound:
    """A hummed tune: a pulse train with vibrato through the formants of "ah" and "oo"."""
    random = np.random.default_rng(seed)
    time = np.arange(samples) / RATE_HZ
    tune = 12 + random.choice([0, 2, 3, 5, 7, 8, 10], samples // (RATE_HZ // 2) + 1)
    pitch = np.repeat(tune, RATE_HZ // 2)[:samples] + 0.3 * np.sin(2 * np.pi * 5.5 * time)
    phase = 2 * np.pi * np.cumsum(110 * 2 ** (pitch / 12)) / RATE_HZ
    source = sum(np.sin(n * phase) / n for n in range(1, 16))
    spectrum = np.fft.rfft(source)
    hz = np.fft.rfftfreq(samples, 1 / RATE_HZ)
    shape = sum(
        gain / (1 + ((hz - at) / 90) ** 2) for at, gain in ((500, 1), (900, 0.6), (2600, 0.2))
    )
    return _even(np.fft.irfft(spectrum * shape, samples))


def babble(voices: Sequence[Pcm], samples: int, seed: int = 0) -> Sound:
    """A television in another room: six speakers at once, dull, and smeared by the echo."""
    random = np.random.default_rng(seed)
    sound = np.zeros(samples)
    for _ in range(6):
        line = np.concatenate([voices[n] for n in random.permutation(len(voices))]).astype(float)
        sound += np.resize(np.roll(line, int(random.integers(len(line)))), samples)
    tail = random.standard_normal(RATE_HZ // 2) * np.exp(
        -np.arange(RATE_HZ // 2) / (0.12 * RATE_HZ)
    )
    size = 1 << (samples + len(tail)).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.fft.rfft(tail, size)
    spectrum /= 1 + (np.fft.rfftfreq(size, 1 / RATE_HZ) / 1200) ** 2
    return _even(np.fft.irfft(spectrum, size)[:samples])


def mixed(speech: Pcm, noise: Sound, snr_db: float) -> Pcm:
    """`speech` with `noise` over it; its level is that of the frames in which somebody speaks."""
    gain = speech_rms(speech) / 10 ** (snr_db / 20)
    return (speech + noise[: len(speech)] * gain).clip(-32768, 32767).astype(np.int16)


def at_level(noise: Sound, db: float) -> Pcm:
    """`noise` alone, at so many dB of full scale."""
    return (noise * 32768 * 10 ** (db / 20)).clip(-32768, 32767).astype(np.int16)


def speech_rms(speech: Pcm) -> float:
    """The level of the loud half of the frames, in steps of a sample."""
    whole = len(speech) // FRAME_SAMPLES * FRAME_SAMPLES
    power = np.square(speech[:whole].reshape(-1, FRAME_SAMPLES).astype(float)).mean(axis=1)
    loud = power[power > power.max() / 1000]  # within 30 dB of the loudest
    return float(np.sqrt(loud.mean()))


def trimmed(speech: Pcm, *, below_db: float = -45.0) -> Pcm:
    """`speech` without the silence before and after: 10 ms that are 45 dB below the loudest."""
    block = RATE_HZ // 100
    whole = len(speech) // block * block
    power = np.square(speech[:whole].reshape(-1, block).astype(float)).mean(axis=1)
    voiced = np.flatnonzero(power > power.max() * 10 ** (below_db / 10))
    return speech[voiced[0] * block : (voiced[-1] + 1) * block]


def _note(semitone: int, seconds: float, random: np.random.Generator) -> Sound:
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    hz = 110 * 2 ** (semitone / 12)
    tone = sum(
        np.sin(2 * np.pi * n * hz * time + random.uniform(0, 6)) / n**1.5 for n in range(1, 8)
    )
    return np.asarray(tone * np.exp(-3 * time) * np.minimum(1, time / 0.01))


def _burst(seconds: float, random: np.random.Generator) -> Sound:
    samples = int(seconds * RATE_HZ)
    noise = np.diff(random.standard_normal(samples + 1))
    return np.asarray(noise * np.exp(-np.arange(samples) / (samples / 4)))


def _kick() -> Sound:
    time = np.arange(int(0.2 * RATE_HZ)) / RATE_HZ
    return np.asarray(
        np.sin(2 * np.pi * (50 * time + 4 * (1 - np.exp(-30 * time)))) * np.exp(-18 * time)
    )


def _add(sound: Sound, at: int, part: Sound) -> None:
    sound[at : at + len(part)] += part


def _even(sound: Sound) -> Sound:
    return np.asarray(sound / np.sqrt(np.square(sound).mean()))
