"""What a doll is sent, encoded: messages and samples in, WebSocket messages out."""

from __future__ import annotations

import asyncio

from relay.audio import Pcm
from relay.wire.codecs import Encoder
from relay.wire.framing import Framing
from relay.wire.messages import RelayMessage, Tts, encode


class Output:
    """The counterpart of `Intake`. It belongs to one session: a session that goes on over a new
    connection takes its output along, so that the audio goes on as if nothing had happened."""

    def __init__(self, encoder: Encoder, framing: Framing, session_id: str) -> None:
        self.encoder = encoder
        self.session_id = session_id
        self._framing = framing
        self._spoken_samples = 0  # of this reply

    def message(self, message: RelayMessage) -> str:
        """One text message. `Tts(state="start")` begins a reply: the encoder and the playback
        position start anew."""
        if isinstance(message, Tts) and message.state == "start":
            self.encoder.reset()
            self._spoken_samples = 0
        return encode(message, self.session_id)

    async def audio(self, frame: Pcm) -> bytes:
        """One binary message from `encoder.frame_samples` samples at `encoder.rate_hz`.

        Raises ValueError for a frame of another length.
        """
        if self.encoder.heavy:
            loop = asyncio.get_running_loop()
            packet = await loop.run_in_executor(None, self.encoder.encode, frame)
        else:
            packet = self.encoder.encode(frame)
        position_ms = self._spoken_samples * 1000 // self.encoder.rate_hz
        self._spoken_samples += len(frame)
        return self._framing.pack(packet, position_ms)

    def block(self, data: bytes) -> bytes:
        """One binary message with something else in it."""
        return self._framing.pack(data, 0)

    def suits(self, other: Output) -> bool:
        """Whether a doll that understands `other` understands this one: same format and framing."""
        return type(self.encoder) is type(other.encoder) and type(self._framing) is type(
            other._framing
        )
