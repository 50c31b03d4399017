"""The network in numpy agrees with the one in ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from relay.hearing.silero_graph import STATE_SIZE, redrawn
from relay.hearing.silero_model import find_model
from relay.hearing.silero_numpy import NumpyNetwork


@pytest.mark.models
@pytest.mark.parametrize("loudness", [0.0, 0.01, 0.5])
def test_it_agrees_with_onnx_runtime_on_any_input_and_state(loudness: float) -> None:
    import onnxruntime

    shipped = find_model().read_bytes()
    session = onnxruntime.InferenceSession(redrawn(shipped), providers=["CPUExecutionProvider"])
    dice = np.random.default_rng(5)
    window = dice.normal(0, loudness, (7, 576)).astype(np.float32)
    hidden, cell = dice.normal(0, 0.5, (2, 7, STATE_SIZE)).astype(np.float32)
    heard = NumpyNetwork(shipped)(window, hidden, cell)
    state = {"h": hidden[np.newaxis], "c": cell[np.newaxis]}
    wanted = session.run(None, {"input": window, **state})
    for got, want in zip(heard, wanted, strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want.reshape(got.shape), atol=2e-5)


def test_a_file_without_the_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="no "):
        NumpyNetwork(b"")
