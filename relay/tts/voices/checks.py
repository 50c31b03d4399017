"""Whether a recording is good enough to imitate a voice, and what is wrong with it. Sans-I/O.

Findings carry figures; the words for them belong to whoever shows them (`tools/voice/texts.toml`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.tts.voices import pitch

#: Seconds of speech. Qwen3-TTS says three are enough; more than half a minute helps none of them.
SHORTEST_S: Final = 3.0
LONGEST_S: Final = 30.0

#: Speech over what is heard in the pauses, in dB. A quiet living room has some 30.
NOISY_DB: Final = 15.0
CLEAN_DB: Final = 25.0

#: Loudness of the speech, RMS in dB of full scale: below the first there is more hiss than voice.
TOO_QUIET_DB: Final = -45.0
QUIET_DB: Final = -35.0

#: The share of the samples of speech that stand at the end of the scale.
CLIPPED: Final = 0.001
A_LITTLE_CLIPPED: Final = 0.0001
FULL_SCALE: Final = 0.985

#: Telephones and voice messages end at 4 kHz. This is the power above that over the whole, in dB:
#: speech has some -30 with its s and t, what passed a telephone has nothing.
NARROW_DB: Final = -52.0
NARROW_HZ: Final = (4_200.0, 7_000.0)
LOWEST_RATE_HZ: Final = 16_000

#: Semitones between the two halves of what may be two people. One person who reads lively stays
#: within some four; a man and a woman are about ten apart.
TWO_VOICES_SEMITONES: Final = 7.0
TWO_VOICES_SHARE: Final = 0.15

SPEECH: Final = 0.5  #: probability from which a frame is speech
SILENCE: Final = 0.15  #: and below which it is none


@dataclass(frozen=True, slots=True)
class Recording:
    """Mono samples, full scale 1, at the rate at which they were recorded."""

    samples: NDArray[np.float32]
    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate_hz


class Kind(StrEnum):
    """What can be wrong. Each has a text in both languages."""

    SILENT = "silent"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LOW_RATE = "low_rate"
    NARROW = "narrow"
    NOISY = "noisy"
    A_LITTLE_NOISY = "a_little_noisy"
    CLIPPED = "clipped"
    A_LITTLE_CLIPPED = "a_little_clipped"
    TOO_QUIET = "too_quiet"
    QUIET = "quiet"
    TWO_VOICES = "two_voices"


#: What an engine makes the best of. Everything else should be recorded again.
_BEARABLE: Final = frozenset(
    {Kind.NARROW, Kind.A_LITTLE_NOISY, Kind.A_LITTLE_CLIPPED, Kind.QUIET, Kind.TWO_VOICES}
)

#: Without these there is no voice to imitate, whatever the owner says.
_HOPELESS: Final = frozenset({Kind.SILENT, Kind.TOO_SHORT})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that could be better, with the figure that says so."""

    kind: Kind
    value: float = 0.0  #: in the unit of the limit that it passes

    @property
    def bearable(self) -> bool:
        """It is worth saying, and no reason to refuse."""
        return self.kind in _BEARABLE

    @property
    def hopeless(self) -> bool:
        """Nothing can be made of the recording, even if its owner insists."""
        return self.kind in _HOPELESS


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found, and the figures of a recording that is fine."""

    findings: tuple[Finding, ...]
    speech_s: float
    snr_db: float  #: at most 60
    loudness_db: float  #: RMS of the speech, of full scale
    start_s: float  #: where the speech begins and ends
    end_s: float


def judge(recording: Recording, heard: Pcm, speech: NDArray[np.float64]) -> Judgement:
    """Judge a recording.

    `heard` is the same at 16 kHz, `speech` how likely each frame of it (512 samples) is speech.
    """
    if len(speech) != len(heard) // FRAME_SAMPLES:
        raise ValueError("one probability for each whole frame is needed")
    frames = heard[: len(speech) * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES) / 32768
    power = np.square(frames).mean(axis=1) if len(frames) else np.zeros(0)
    spoken = speech >= SPEECH
    frame_s = FRAME_SAMPLES / RATE_HZ
    speech_s = float(spoken.sum()) * frame_s
    if speech_s < 0.3:
        return Judgement((Finding(Kind.SILENT),), speech_s, 0.0, -100.0, 0.0, 0.0)
    where = np.flatnonzero(spoken)
    start_s, end_s = where[0] * frame_s, (where[-1] + 1) * frame_s
    voice = float(power[spoken].mean())
    snr_db, loudness_db = _snr_db(power, speech, voice), _decibels(voice)
    found = [
        *_length(speech_s, recording.rate_hz),
        *_bandwidth(recording, start_s, end_s),
        *_between(snr_db, (NOISY_DB, Kind.NOISY), (CLEAN_DB, Kind.A_LITTLE_NOISY)),
        *_clipping(recording, start_s, end_s),
        *_between(loudness_db, (TOO_QUIET_DB, Kind.TOO_QUIET), (QUIET_DB, Kind.QUIET)),
        *_voices(heard, spoken),
    ]
    return Judgement(tuple(found), speech_s, snr_db, loudness_db, start_s, end_s)


def _length(speech_s: float, rate_hz: int) -> list[Finding]:
    found = []
    if speech_s < SHORTEST_S:
        found.append(Finding(Kind.TOO_SHORT, speech_s))
    elif speech_s > LONGEST_S:
        found.append(Finding(Kind.TOO_LONG, speech_s))
    if rate_hz < LOWEST_RATE_HZ:
        found.append(Finding(Kind.LOW_RATE, rate_hz))
    return found


def _between(value: float, bad: tuple[float, Kind], fair: tuple[float, Kind]) -> list[Finding]:
    """The finding of the lower limit that `value` is below, or of the other one."""
    for limit, kind in (bad, fair):
        if value < limit:
            return [Finding(kind, value)]
    return []


def _snr_db(power: NDArray[np.float64], speech: NDArray[np.float64], voice: float) -> float:
    """Speech over noise. The noise is what is heard in the pauses, away from the words.

    Phones fade the noise out in long pauses, and words ring on behind their end; so a pause counts
    from its second frame. Who speaks without a pause has the softest frames in their place.
    """
    pause = speech < SILENCE
    inner = pause & np.roll(pause, 1) & np.roll(pause, -1)
    inner[[0, -1]] = pause[[0, -1]]
    noise = np.median(power[inner]) if inner.sum() >= 8 else np.quantile(power, 0.05)
    return min(60.0, _decibels(max(voice - noise, 1e-12) / max(float(noise), 1e-12)))


def _clipping(recording: Recording, start_s: float, end_s: float) -> list[Finding]:
    samples = _part(recording, start_s, end_s)
    share = float((np.abs(samples) >= FULL_SCALE).mean())
    if share > CLIPPED:
        return [Finding(Kind.CLIPPED, share)]
    return [Finding(Kind.A_LITTLE_CLIPPED, share)] if share > A_LITTLE_CLIPPED else []


def _bandwidth(recording: Recording, start_s: float, end_s: float) -> list[Finding]:
    """Nothing above 4 kHz: a telephone, whatever rate the file has."""
    if recording.rate_hz < LOWEST_RATE_HZ:
        return []  # said already
    size = 2_048
    samples = _part(recording, start_s, end_s)
    whole = samples[: len(samples) // size * size].reshape(-1, size)
    if not len(whole):
        return []
    power = np.square(np.abs(np.fft.rfft(whole * np.hanning(size), axis=1))).mean(axis=0)
    hz = np.fft.rfftfreq(size, 1 / recording.rate_hz)
    low, high = NARROW_HZ
    above = _decibels(power[(hz >= low) & (hz <= high)].sum() / max(power.sum(), 1e-12))
    return [Finding(Kind.NARROW, above)] if above < NARROW_DB else []


def _voices(heard: Pcm, spoken: NDArray[np.bool_]) -> list[Finding]:
    """Two people, if they are far enough apart in pitch (see `pitch`)."""
    # A pause of 0.2 s ends a stretch: between people who take turns there is nearly always one.
    ends = np.flatnonzero(np.diff(np.concatenate(([0], spoken.astype(np.int8), [0]))))
    stretches: list[list[int]] = []
    for start, end in ends.reshape(-1, 2):
        if stretches and start - stretches[-1][1] <= 6:
            stretches[-1][1] = int(end)
        else:
            stretches.append([int(start), int(end)])
    parts = [
        pitch.track(heard[start * FRAME_SAMPLES : end * FRAME_SAMPLES] / 32768, RATE_HZ)
        for start, end in stretches
    ]
    apart, share = pitch.registers(parts)
    if apart > TWO_VOICES_SEMITONES and share > TWO_VOICES_SHARE:
        return [Finding(Kind.TWO_VOICES, apart)]
    return []


def _part(recording: Recording, start_s: float, end_s: float) -> NDArray[np.float32]:
    start, end = round(start_s * recording.rate_hz), round(end_s * recording.rate_hz)
    return recording.samples[start:end]


def _decibels(power: float) -> float:
    return float(10 * np.log10(max(power, 1e-12)))
