"""When each frame of a reply may go out, and how much of the reply has been heard."""

from __future__ import annotations

#: A delay below this is none: a clock that cannot resolve it would be waited for without end.
_NEGLIGIBLE_S = 1e-6

#: Frames leave in groups of up to so long, but half the head start at most: one wake-up of the
#: turn, one write and one packet on the air for all of them.
GROUP_S = 0.12


class Pacer:
    """Lets frames run ahead of their playback by `head_start_s`, and no further.

    The doll buffers what it has not played: too little and a slow network is heard, too much and
    its buffer overflows, and a barge-in has more to throw away. Playback is taken to begin when the
    first frame goes out. Where the source starved, so that playback caught up with it, playback is
    taken to go on when the next frame goes out, and from there on frames get the full head start
    again. What waits goes out in groups (`GROUP_S`), so the head start is short by up to one.

    Sans-I/O: `now` is in seconds on any clock that does not run backwards.
    """

    def __init__(self, frame_s: float, head_start_s: float) -> None:
        if frame_s <= 0 or head_start_s < 0:
            raise ValueError("frame_s must be above 0, and head_start_s not below it")
        self._frame_s = frame_s
        self._head_start_s = head_start_s
        group = int(min(GROUP_S, head_start_s / 2) / frame_s)
        self._behind_s = max(group - 1, 0) * frame_s  # the first of a group waits for the others
        self._frames = 0
        self._origin = 0.0  # when frame 0 would have begun, had no gap come before the newest frame

    def delay(self, now: float) -> float:
        """Seconds until the next frame may go out; 0 if it may go at once."""
        if not self._frames:
            return 0.0
        wait = self._origin + self._frames * self._frame_s - self._head_start_s - now
        return wait + self._behind_s if wait > _NEGLIGIBLE_S else 0.0

    def sent(self, now: float) -> None:
        """One more frame went out."""
        sent_s = self._frames * self._frame_s
        if not self._frames or now - self._origin > sent_s:
            self._origin = now - sent_s
        self._frames += 1

    def played_s(self, now: float) -> float:
        """Seconds of the reply that have been played by now, if the doll plays without a delay."""
        if not self._frames:
            return 0.0
        return min(max(now - self._origin, 0.0), self._frames * self._frame_s)

    def remaining_s(self, now: float) -> float:
        """Seconds of what was sent that are still to be played."""
        return self._frames * self._frame_s - self.played_s(now)
