"""What a doll is sent, encoded: messages and samples in, WebSocket messages out."""

from __future__ import annotations

import asyncio

from relay.audio import Pcm
from relay.metrics import traffic
from relay.wire.codecs import Encoder
from relay.wire.codecs.opus import OpusEncoder
from relay.wire.framing import Framing
from relay.wire.messages import RelayMessage, Tts, encode

#: From `tts start` to the first packet of Opus. A stock board empties its buffer in another task
#: than the one that fills it: what comes right behind is swallowed (xiaozhi-esp32-server issue 84).
SETTLE_S = 0.1


class Output:
    """The counterpart of `Intake`. It belongs to one session: a session that goes on over a new
    connection takes its output along, so that the audio goes on as if nothing had happened."""

    def __init__(self, encoder: Encoder, framing: Framing, session_id: str) -> None:
        self.encoder = encoder
        self.session_id = session_id
        self._framing = framing
        self._spoken_samples = 0  # of this reply
        self._settle_s = SETTLE_S if isinstance(encoder, OpusEncoder) else 0.0
        self._settled_at = 0.0  # on the loop's clock
        self._now = asyncio.get_running_loop().time

    def message(self, message: RelayMessage) -> str:
        """One text message. `Tts(state="start")` begins a reply: the encoder and the playback
        position start anew."""
        if isinstance(message, Tts) and message.state == "start":
            self.encoder.reset()
            self._spoken_samples = 0
            self._settled_at = self._now() + self._settle_s
        return encode(message, self.session_id)

    async def audio(self, frame: Pcm) -> bytes:
        """One binary message from `encoder.frame_samples` samples at `encoder.rate_hz`.

        The first one of a reply to a stock board waits until the board is ready for it. Raises
        ValueError for a frame of another length.
        """
        if (wait_s := self._settled_at - self._now()) > 0:
            await asyncio.sleep(wait_s)
        packet = self.encoder.encode(frame)
        position_ms = self._spoken_samples * 1000 // self.encoder.rate_hz
        self._spoken_samples += len(frame)
        traffic.frame_out()
        return self._framing.pack(packet, position_ms)

    def block(self, data: bytes) -> bytes:
        """One binary message with something else in it."""
        return self._framing.pack(data, 0)

    @property
    def form(self) -> str:
        """What a device has to understand, codec and framing, in words that another worker reads
        as this one does."""
        encoder, wrapping = self.encoder, type(self._framing).__name__
        name = type(encoder).__name__
        return f"{name} {encoder.rate_hz} {encoder.frame_samples} {wrapping}"
