"""MP3 as Microsoft's voices send it: 24 kHz, mono, 48 kbit/s."""

from __future__ import annotations

import io

import av
import numpy as np

from relay.audio import Pcm

RATE_HZ = 24_000


def encode(pcm: Pcm, rate_hz: int = RATE_HZ) -> bytes:
    """Frames without any tag before them, as in a stream."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as out:
        stream = out.add_stream("libmp3lame", rate=rate_hz, layout="mono")
        stream.bit_rate = 48_000
        frame = av.AudioFrame.from_ndarray(pcm.astype(np.int16)[None], format="s16p", layout="mono")
        frame.sample_rate = rate_hz
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
    return file.getvalue()
