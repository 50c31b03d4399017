"""The Silero v6 network: one step for many dolls in one call.

A few dolls are heard by numpy. With many, ONNX Runtime, where it is installed, takes a fifth less
time and leaves the interpreter alone meanwhile; it costs 34 MB, so it is loaded when they come.

The weights are Silero VAD v6 (MIT, github.com/snakers4/silero-vad), in the ONNX form that the
faster-whisper wheel carries in `assets/silero_vad_v6.onnx`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from relay.audio import FRAME_SAMPLES, Pcm
from relay.hearing.base import DetectorUnavailableError
from relay.hearing.silero_graph import STATE_SIZE, Floats, redrawn
from relay.hearing.silero_numpy import Heard, NumpyNetwork

#: Samples of the frame before that the network sees again in front of each frame.
CONTEXT_SAMPLES = 64

#: Frames of silence that a new stream begins with. From all zeros, the network takes up to 0.3 s
#: to notice somebody who speaks at once; after a little silence it is awake (measured).
WARM_UP_FRAMES = 16

#: Frames in one call from which on ONNX Runtime is worth its memory: some sixteen dolls that talk.
CROWD: Final = 12

_Network: TypeAlias = Callable[[Floats, Floats, Floats], Heard]

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
        """Load the model, which takes milliseconds. Raises DetectorUnavailableError.

        `threads` work inside one call for a crowd.
        """
        self._threads = threads
        self._for_a_crowd = False
        try:
            self._network: _Network = NumpyNetwork(find_model().read_bytes())
        except ValueError as error:
            raise DetectorUnavailableError(
                f"silero_vad_v6.onnx is not the file of faster-whisper 1.2.1: {error}; {_INSTALL}"
            ) from None
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
        if count >= CROWD and not self._for_a_crowd:
            self._for_a_crowd = True
            self._network = _onnx_network(self._threads) or self._network
        window = np.empty((count, CONTEXT_SAMPLES + FRAME_SAMPLES), np.float32)
        hidden = np.empty((count, STATE_SIZE), np.float32)
        cell = np.empty((count, STATE_SIZE), np.float32)
        for row, (frame, state) in enumerate(zip(frames, states, strict=True)):
            window[row, :CONTEXT_SAMPLES] = state.context
            window[row, CONTEXT_SAMPLES:] = frame
            hidden[row] = state.hidden
            cell[row] = state.cell
        window *= 1 / 32768
        probabilities, hidden, cell = self._network(window, hidden, cell)
        # Copies, because a row that is only a view would keep the whole batch in memory.
        after = [
            State(hidden[row].copy(), cell[row].copy(), frame[-CONTEXT_SAMPLES:].copy())
            for row, frame in enumerate(frames)
        ]
        return probabilities.tolist(), after


def _onnx_network(threads: int) -> _Network | None:
    """The same network in ONNX Runtime: a tenth of a second. None where it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would take a core from the recogniser to save microseconds here.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(
        redrawn(find_model().read_bytes()), options, providers=["CPUExecutionProvider"]
    )

    def network(window: Floats, hidden: Floats, cell: Floats) -> Heard:
        state = {"h": hidden[np.newaxis], "c": cell[np.newaxis]}
        probabilities, hidden, cell = session.run(None, {"input": window, **state})
        return Heard(probabilities, hidden[0], cell[0])

    return network


def find_model() -> Path:
    """Where the faster-whisper wheel keeps the model. It is not imported: that takes a second."""
    spec = importlib.util.find_spec("faster_whisper")
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / "assets" / "silero_vad_v6.onnx"
        if path.is_file():
            return path
    raise DetectorUnavailableError(f"Voice detection needs the Silero model; {_INSTALL}")
