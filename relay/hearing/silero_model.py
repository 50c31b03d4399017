"""The Silero v6 network: one step for many dolls in one call.

The weights are Silero VAD v6 (MIT, github.com/snakers4/silero-vad), in the ONNX form that the
faster-whisper wheel carries in `assets/silero_vad_v6.onnx`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from relay.audio import FRAME_SAMPLES, Pcm
from relay.hearing.base import DetectorUnavailableError

Floats: TypeAlias = NDArray[np.float32]

#: Samples of the frame before that the network sees again in front of each frame.
CONTEXT_SAMPLES = 64

#: Width of the recurrent state.
STATE_SIZE = 128

#: Frames of silence that a new stream begins with. From all zeros, the network takes up to 0.3 s
#: to notice somebody who speaks at once; after a little silence it is awake (measured).
WARM_UP_FRAMES = 16

_INSTALL = "install it with: pip install 'talking-doll[embedded]'"


@dataclass(frozen=True, slots=True)
class State:
    """What the network remembers of one stream: about 1.2 KB. Nobody writes into its arrays."""

    hidden: Floats  #: shape (STATE_SIZE,)
    cell: Floats  #: shape (STATE_SIZE,)
    context: Pcm  #: shape (CONTEXT_SAMPLES,)


class SileroModel:
    """Holds the weights and nothing of any stream. `step` may run in any thread."""

    def __init__(self, threads: int = 1) -> None:
        """Load the model, which takes some 50 ms. Raises DetectorUnavailableError."""
        try:
            import onnxruntime
        except ImportError as error:
            raise DetectorUnavailableError(
                f"Voice detection needs onnxruntime; {_INSTALL}"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads would take a core from the recogniser to save microseconds here.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Errors only: the runtime would warn of outputs that are wider than the file declares.
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            batched(find_model().read_bytes()), options, providers=["CPUExecutionProvider"]
        )
        self._fresh = State(
            hidden=np.zeros(STATE_SIZE, np.float32),
            cell=np.zeros(STATE_SIZE, np.float32),
            context=np.zeros(CONTEXT_SAMPLES, np.int16),
        )
        silence = np.zeros(FRAME_SAMPLES, np.int16)
        for _ in range(WARM_UP_FRAMES):
            self._fresh = self.step([silence], [self._fresh])[1][0]

    def fresh(self) -> State:
        """The state of a stream that begins."""
        return replace(self._fresh)

    def step(
        self, frames: Sequence[Pcm], states: Sequence[State]
    ) -> tuple[list[float], list[State]]:
        """Take one frame of each of n streams: n probabilities and the n states that follow.

        The given states stay as they are, so a result that nobody wants can be dropped.
        """
        count = len(frames)
        window = np.empty((count, CONTEXT_SAMPLES + FRAME_SAMPLES), np.float32)
        hidden = np.empty((1, count, STATE_SIZE), np.float32)
        cell = np.empty((1, count, STATE_SIZE), np.float32)
        for row, (frame, state) in enumerate(zip(frames, states, strict=True)):
            window[row, :CONTEXT_SAMPLES] = state.context
            window[row, CONTEXT_SAMPLES:] = frame
            hidden[0, row] = state.hidden
            cell[0, row] = state.cell
        window *= 1 / 32768
        probabilities, hidden, cell = self._session.run(
            None, {"input": window, "h": hidden, "c": cell}
        )
        # Copies, because a row that is only a view would keep the whole batch in memory.
        after = [
            State(hidden[0, row].copy(), cell[0, row].copy(), frame[-CONTEXT_SAMPLES:].copy())
            for row, frame in enumerate(frames)
        ]
        return probabilities.tolist(), after


def find_model() -> Path:
    """Where the faster-whisper wheel keeps the model. It is not imported: that takes a second."""
    spec = importlib.util.find_spec("faster_whisper")
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / "assets" / "silero_vad_v6.onnx"
        if path.is_file():
            return path
    raise DetectorUnavailableError(f"Voice detection needs the Silero model; {_INSTALL}")


# The file declares the recurrent state as [1, 1, 128] four times (h, c, hn, cn). In protobuf, a
# dimension that is the number 1 is the bytes 08 01, and one of any size is 12 00 (a name, empty).
_STATE_OF_ONE = bytes.fromhex("120d 0a020801 0a020801 0a03088001")
_STATE_OF_MANY = bytes.fromhex("120d 0a020801 0a021200 0a03088001")

# The transpose in front of the LSTM: attribute "perm" of three integers (field 8, bytes 40 xx).
_ROWS_ARE_TIME = b"perm\x40\x00\x40\x02\x40\x01"
_ROWS_ARE_STREAMS = b"perm\x40\x02\x40\x00\x40\x01"


def batched(model: bytes) -> bytes:
    """The same network with its first axis turned from time into streams.

    As shipped, the encoder treats the rows of `input` alike and the LSTM then reads them as
    successive moments of one stream: the encoder's [rows, 128, 1] is transposed to the LSTM's
    [time = rows, batch = 1, 128]. One other permutation makes that [time = 1, batch = rows, 128],
    so that one call advances every stream by a frame, at half the cost of a call for each. Both
    edits keep the length of what they replace, so nothing else in the file moves and no package
    for editing ONNX is needed. The weights stay untouched.

    Raises DetectorUnavailableError if `model` is not the file that this was written for.
    """
    if model.count(_STATE_OF_ONE) != 4 or model.count(_ROWS_ARE_TIME) != 1:
        raise DetectorUnavailableError(
            f"silero_vad_v6.onnx is not the file of faster-whisper 1.2.1; {_INSTALL}"
        )
    model = model.replace(_STATE_OF_ONE, _STATE_OF_MANY)
    return model.replace(_ROWS_ARE_TIME, _ROWS_ARE_STREAMS)
