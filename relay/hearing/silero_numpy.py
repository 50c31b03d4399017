"""Silero's network in numpy: the matrices of `silero_graph.py`, without ONNX Runtime.

ONNX Runtime is 34 MB in memory for a network of 1 MB. What numpy takes longer for one stream is
less than a hop to another thread (56 µs instead of 45; at 64 streams 13 µs each instead of 10).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from relay.hearing.silero_graph import STATE_SIZE, Floats, read_weights


class Heard(NamedTuple):
    """What one step of n streams comes to."""

    probabilities: Floats  #: (n,), of voice, 0 to 1
    hidden: Floats  #: (n, STATE_SIZE)
    cell: Floats  #: (n, STATE_SIZE)


class _Layer(NamedTuple):
    """A convolution as a matrix, and what is added to it."""

    matrix: Floats  #: taps times input channels, output channels
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        y: Floats = x.reshape(-1, len(self.matrix)) @ self.matrix
        y += self.bias
        return np.maximum(y, 0, out=y)


class NumpyNetwork:
    """Holds the weights and nothing of any stream. May be called in any thread."""

    def __init__(self, shipped: bytes) -> None:
        """`shipped` is faster-whisper's file. Raises ValueError if the weights are not in it."""
        weights = read_weights(shipped)
        # Copies throughout, or they would keep the whole file in memory.
        self._spectrum = weights["encoder.feature_extractor.forward_basis_buffer"][:, 0].T.copy()
        taps = ((0, 3), (0, 3), (1, 3), (1, 2))  # those that ever see more than padding
        self._layers = [_layer(weights, number, *ends) for number, ends in enumerate(taps)]
        both = [weights[name][0] for name in ("onnx::LSTM_209", "onnx::LSTM_210")]
        self._lstm = np.concatenate(both, axis=1).T.copy()
        self._lstm_bias: Floats = weights["onnx::LSTM_211"].reshape(2, 4 * STATE_SIZE).sum(0)
        self._last = weights["decoder.conv1d.weight"][0, :, 0].copy()
        self._last_bias = weights["decoder.conv1d.bias"].copy()

    def __call__(self, window: Floats, hidden: Floats, cell: Floats) -> Heard:
        """One moment of n streams: `window` (n, 576), `hidden` and `cell` (n, STATE_SIZE)."""
        count = len(window)
        # The spectrum: four windows of 256 samples, 128 apart; the last sees 64 mirrored samples.
        padded = np.concatenate((window, window[:, -2:-66:-1]), axis=1)
        spans = sliding_window_view(padded, 256, axis=1)[:, ::128]
        parts = spans.reshape(-1, 256) @ self._spectrum
        parts *= parts  # real parts, then imaginary ones
        # Four positions between two of padding, each with both neighbours.
        around = np.zeros((count, 6, 129), np.float32)
        around[:, 1:5] = np.sqrt(parts[:, :129] + parts[:, 129:]).reshape(count, 4, 129)
        first, second, third, fourth = self._layers
        x = first(_neighbours(around, 1))
        # Two positions of those four, then one of the two: it has no neighbour on its left.
        around = np.zeros((count, 5, STATE_SIZE), np.float32)
        around[:, 1:] = x.reshape(count, 4, STATE_SIZE)
        x = fourth(third(second(_neighbours(around, 2))))
        return self._recurrent(x, hidden, cell)

    def _recurrent(self, x: Floats, hidden: Floats, cell: Floats) -> Heard:
        """One moment of the LSTM; its gates are in ONNX's order: input, output, forget, new."""
        gates = np.concatenate((x, hidden), axis=1) @ self._lstm
        gates += self._lstm_bias
        kept, new = gates[:, : 3 * STATE_SIZE], np.tanh(gates[:, 3 * STATE_SIZE :])
        into, out, forget = np.split(_sigmoid(kept), 3, axis=1)
        cell = forget * cell + into * new
        hidden = out * np.tanh(cell)
        return Heard(_sigmoid(np.maximum(hidden, 0) @ self._last + self._last_bias), hidden, cell)


def _layer(weights: dict[str, Floats], number: int, first: int, end: int) -> _Layer:
    """The convolution of that number with the taps from `first` to `end`."""
    taps = weights[f"encoder.conv_layers.{number}.weight"][:, :, first:end]
    matrix = taps.transpose(2, 1, 0).reshape(-1, taps.shape[0])
    return _Layer(matrix.copy(), weights[f"encoder.conv_layers.{number}.bias"].copy())


def _neighbours(x: Floats, step: int) -> Floats:
    """Three positions side by side, at every `step`-th: (n, positions, 3 times channels)."""
    count, _, channels = x.shape
    spans = sliding_window_view(x.reshape(count, -1), 3 * channels, axis=1)
    return spans[:, :: step * channels]


def _sigmoid(x: Floats) -> Floats:
    # By tanh, which does not overflow.
    y: Floats = np.tanh(x * np.float32(0.5))
    y += 1
    y *= np.float32(0.5)
    return y
