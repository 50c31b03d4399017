"""The network drawn anew is a valid ONNX model, and agrees with the one that is shipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.hearing.silero_graph import STATE_SIZE, redrawn
from relay.hearing.silero_model import find_model


@pytest.mark.models
def test_it_agrees_with_the_shipped_network_on_any_input_and_state() -> None:
    import onnxruntime

    shipped = find_model().read_bytes()
    old, new = (
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        for model in (shipped, redrawn(shipped))
    )
    dice = np.random.default_rng(3)
    window = dice.normal(0, 0.2, (5, 576)).astype(np.float32)
    h, c = dice.normal(0, 0.5, (2, 1, 5, STATE_SIZE)).astype(np.float32)
    together = new.run(None, {"input": window, "h": h, "c": c})
    for row in range(5):
        one: dict[str, Any] = {"input": window[row : row + 1]}
        one |= {"h": h[:, row : row + 1], "c": c[:, row : row + 1]}
        for got, wanted in zip(together, old.run(None, one), strict=True):
            np.testing.assert_allclose(got.reshape(5, -1)[row], wanted.ravel(), atol=2e-5)


@pytest.mark.models
def test_it_is_a_valid_model() -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(redrawn(find_model().read_bytes()))
    onnx.checker.check_model(model, full_check=True)
    assert [output.name for output in model.graph.output] == ["speech_probs", "hn", "cn"]


@pytest.mark.models
def test_a_file_that_is_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no |not |cut "):
        redrawn(find_model().read_bytes()[:500_000])


@given(st.binary(max_size=60))
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no |not |cut "):
        redrawn(data)
