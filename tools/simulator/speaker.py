"""What the simulated speaker plays: a stream of samples on the doll's own clock. Sans-I/O."""

from __future__ import annotations

import numpy as np

from relay.audio import RATE_HZ, Pcm

#: What is kept of the stream: longer replies lose their beginning.
MAX_KEPT_S = 300


class Speaker:
    """Keeps the latest part of the stream that the board's I2S sends, silence included.

    The amplifier plays without a gap from the moment it is opened, so a sample's place in the
    stream is its time.
    """

    def __init__(self) -> None:
        self.rate_hz = RATE_HZ
        self._opened_ms = 0
        self._opened = False
        self._kept = bytearray()
        self._dropped = 0  # frames before the kept ones
        self._format(16, 1)

    def open(self, t_ms: int, rate_hz: int, bits: int, channels: int) -> None:
        """The board made its I2S object at `t_ms`, of 16 or 32 bits and one or two channels.

        The first samples may have come before this news, on another pipe. A second object begins
        a new stream.
        """
        if self._opened:
            self._kept.clear()
            self._dropped = 0
        self._opened = True
        self._opened_ms = t_ms
        self.rate_hz = rate_hz
        self._format(bits, channels)

    def _format(self, bits: int, channels: int) -> None:
        self._bits = bits
        self._channels = channels
        self._bytes_per_frame = bits // 8 * channels

    @property
    def end(self) -> int:
        """How many frames have come in all."""
        return self._dropped + len(self._kept) // self._bytes_per_frame

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the stream, cut anywhere."""
        self._kept += data
        # Dropped by the second, not by the byte: moving what is left costs time.
        if len(self._kept) > (MAX_KEPT_S + 1) * self.rate_hz * self._bytes_per_frame:
            self.forget(self.end - MAX_KEPT_S * self.rate_hz)

    def forget(self, frame: int) -> None:
        """Drops what was played before `frame`."""
        n = max(0, min(frame, self.end) - self._dropped)
        del self._kept[: n * self._bytes_per_frame]
        self._dropped += n

    def frame_at(self, t_ms: float) -> int:
        """The frame that plays at a time on the board's clock."""
        return max(0, round((t_ms - self._opened_ms) * self.rate_hz / 1000))

    def time_of(self, frame: int) -> int:
        """When a frame plays, in ms on the board's clock."""
        return self._opened_ms + round(frame * 1000 / self.rate_hz)

    def cut(self, start: int, stop: int) -> tuple[int, Pcm]:
        """The left channel of frames `start` to `stop`, as far as they are kept.

        Returns the first one's place in the stream, and the samples.
        """
        first = min(max(start, self._dropped), self.end)
        last = min(max(stop, first), self.end)
        size = self._bytes_per_frame
        data = bytes(self._kept[(first - self._dropped) * size : (last - self._dropped) * size])
        samples = np.frombuffer(data, f"<i{self._bits // 8}").reshape(-1, self._channels)[:, 0]
        return first, (samples >> (self._bits - 16)).astype(np.int16)
