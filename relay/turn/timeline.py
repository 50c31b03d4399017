"""When things happened in a turn."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields


@dataclass(slots=True)
class Timeline:
    """Moments of one turn in seconds of the relay's monotonic clock; None where it did not happen.

    The first three are moments in the audio, put on the clock by when the frame that held them
    came in.
    """

    speech_start: float | None = None
    speech_end: float | None = None  #: the last voiced frame, or `listen stop` in manual mode
    endpoint: float | None = None  #: when the relay knew that the utterance was over
    transcript: float | None = None
    granted: float | None = None  #: the quota let the request go
    first_filler: float | None = None  #: the first frame of "hm, let me think"
    first_token: float | None = None
    first_clause: float | None = None
    first_audio: float | None = None  #: the first frame of the answer was handed to the socket
    last_audio: float | None = None  #: the newest frame, be it of a filler

    def mark(self, moment: str, now: float) -> None:
        """Note `moment`, once: a later call for the same one changes nothing."""
        if getattr(self, moment) is None:
            setattr(self, moment, now)

    def since_speech_end_ms(self) -> dict[str, int]:
        """What happened, in whole milliseconds from the end of the speech (before it: negative)."""
        zero = self.speech_end if self.speech_end is not None else self.endpoint
        if zero is None:
            zero = next((v for v in asdict(self).values() if v is not None), 0.0)
        return {
            field.name: round((moment - zero) * 1000)
            for field in fields(self)
            if (moment := getattr(self, field.name)) is not None
        }
