"""Silero's network drawn anew with the same weights, for many streams in one call.

As shipped, the rows of `input` are successive moments of one stream, and the encoder is five
convolutions over four positions at most, for which ONNX Runtime has no fast kernel: they were 84 %
of its time. Here each row is a stream of its own, and a convolution is what it is at such a
length: shifted copies side by side, times a matrix. That takes a quarter of the time, and the
results agree within the rounding of float32.

ONNX files are protobuf (onnx/onnx.proto3; protobuf.dev, "Encoding"). The little of it that is
needed is read and written here, since the `onnx` package would stay in memory for one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

#: Width of the recurrent state.
STATE_SIZE = 128

#: The weights that are read, and their shapes: output channels, input channels, positions.
_SHAPES = {
    "encoder.feature_extractor.forward_basis_buffer": (258, 1, 256),
    "encoder.conv_layers.0.weight": (128, 129, 3),
    "encoder.conv_layers.0.bias": (128,),
    "encoder.conv_layers.1.weight": (64, 128, 3),
    "encoder.conv_layers.1.bias": (64,),
    "encoder.conv_layers.2.weight": (64, 64, 3),
    "encoder.conv_layers.2.bias": (64,),
    "encoder.conv_layers.3.weight": (128, 64, 3),
    "encoder.conv_layers.3.bias": (128,),
    "decoder.conv1d.weight": (1, 128, 1),
    "decoder.conv1d.bias": (1,),
    "onnx::LSTM_209": (1, 512, 128),
    "onnx::LSTM_210": (1, 512, 128),
    "onnx::LSTM_211": (1, 1024),
}

# Fields of the messages, and of AttributeProto the types.
_MODEL_IR, _MODEL_GRAPH, _MODEL_OPSET, _OPSET_VERSION = 1, 7, 8, 2
_GRAPH_NODE, _GRAPH_NAME, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 2, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP, _NODE_ATTRIBUTE = 1, 2, 4, 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_TYPE = 1, 3, 4, 20
_TYPE_INT, _TYPE_STRING = 2, 3
_FLOAT, _INT64 = 1, 7
_IR_VERSION, _OPSET = 8, 18


def redrawn(shipped: bytes) -> bytes:
    """The network as an ONNX model, from the file that faster-whisper ships.

    Inputs: `input` (n, 576), `h` and `c` (1, n, 128); outputs: `speech_probs` (n), `hn` and `cn`
    (1, n, 128). Raises ValueError if `shipped` does not have the weights.
    """
    weights = read_weights(shipped)
    graph = _Graph()
    # The spectrum: four windows of 256 samples, 128 apart; the last one sees 64 mirrored samples.
    x = graph.add("Pad", "input", _whole(0, 0, 0, 64), mode="reflect")
    x = graph.add("Reshape", x, _whole(-1, 5, 128))
    x = graph.add("Concat", graph.slice(x, 0, 4), graph.slice(x, 1, 5), axis=2)
    x = graph.add("MatMul", x, weights["encoder.feature_extractor.forward_basis_buffer"][:, 0].T)
    real, imaginary = graph.slice(x, 0, 129, axis=2), graph.slice(x, 129, 258, axis=2)
    squares = [graph.add("Mul", part, part) for part in (real, imaginary)]
    x = graph.add("Sqrt", graph.add("Add", *squares))
    # Four positions, each with both neighbours.
    x = graph.add("Pad", x, _whole(0, 1, 0, 0, 1, 0))
    x = graph.add("Concat", *(graph.slice(x, at, at + 4) for at in range(3)), axis=2)
    x = _layer(graph, x, weights, 0, "MatMul", 0, 3)
    # Two positions of those four, then one of the two: it has no neighbour on its left.
    x = graph.add("Pad", x, _whole(0, 1, 0, 0, 0, 0))
    pair = [graph.add("Reshape", graph.slice(x, at, at + 3), _whole(-1, 1, 384)) for at in (0, 2)]
    x = _layer(graph, graph.add("Concat", *pair, axis=1), weights, 1, "MatMul", 0, 3)
    x = _layer(graph, graph.add("Reshape", x, _whole(-1, 128)), weights, 2, "Gemm", 1, 3)
    x = _layer(graph, x, weights, 3, "Gemm", 1, 2)
    # One moment of n streams.
    lstm = [weights[f"onnx::LSTM_{number}"] for number in (209, 210, 211)]
    x = graph.add("Unsqueeze", x, _whole(0))
    graph.node("LSTM", (x, *lstm, "", "h", "c"), ("y", "hn", "cn"), hidden_size=STATE_SIZE)
    x = graph.add("Relu", graph.add("Reshape", "y", _whole(-1, STATE_SIZE)))
    last = weights["decoder.conv1d.weight"][:, :, 0].T, weights["decoder.conv1d.bias"]
    x = graph.add("Sigmoid", graph.add("Gemm", x, *last))
    graph.node("Reshape", (x, _whole(-1)), ("speech_probs",))
    state = (1, 0, STATE_SIZE)
    return graph.model(
        {"input": (0, 576), "h": state, "c": state},
        {"speech_probs": (0,), "hn": state, "cn": state},
    )


def _layer(
    graph: _Graph, x: str, weights: dict[str, Floats], number: int, op: str, first: int, end: int
) -> str:
    """A convolution with the taps from `first` to `end`, and what is below zero cut off."""
    taps = weights[f"encoder.conv_layers.{number}.weight"][:, :, first:end]
    matrix = taps.transpose(2, 1, 0).reshape(-1, taps.shape[0])
    bias = weights[f"encoder.conv_layers.{number}.bias"]
    if op == "Gemm":
        return graph.add("Relu", graph.add(op, x, matrix, bias))
    return graph.add("Relu", graph.add("Add", graph.add(op, x, matrix), bias))


_Value: TypeAlias = str | Floats | NDArray[np.int64]


class _Graph:
    """Collects nodes and constants."""

    def __init__(self) -> None:
        self._fields: list[bytes] = [_field(_GRAPH_NAME, "silero")]
        self._count = 0

    def add(self, op: str, *inputs: _Value, **attributes: int | str) -> str:
        """A node with one output, which is given back by its name."""
        output = self._name()
        self.node(op, inputs, (output,), **attributes)
        return output

    def node(
        self, op: str, inputs: Sequence[_Value], outputs: Sequence[str], **attributes: int | str
    ) -> None:
        names = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        parts = [_field(_NODE_INPUT, name) for name in names]
        parts += [_field(_NODE_OUTPUT, name) for name in outputs]
        parts.append(_field(_NODE_OP, op))
        for name, value in attributes.items():
            is_text = isinstance(value, str)
            attribute = _field(_ATTRIBUTE_NAME, name)
            attribute += _field(_ATTRIBUTE_STRING if is_text else _ATTRIBUTE_INT, value)
            attribute += _field(_ATTRIBUTE_TYPE, _TYPE_STRING if is_text else _TYPE_INT)
            parts.append(_field(_NODE_ATTRIBUTE, attribute))
        self._fields.append(_field(_GRAPH_NODE, b"".join(parts)))

    def slice(self, value: str, start: int, end: int, axis: int = 1) -> str:
        """`value[start:end]` along `axis`."""
        return self.add("Slice", value, _whole(start), _whole(end), _whole(axis))

    def model(
        self, inputs: dict[str, tuple[int, ...]], outputs: dict[str, tuple[int, ...]]
    ) -> bytes:
        """The file. In the shapes, 0 is a length that may change."""
        fields = list(self._fields)
        fields += [_field(_GRAPH_INPUT, _described(*item)) for item in inputs.items()]
        fields += [_field(_GRAPH_OUTPUT, _described(*item)) for item in outputs.items()]
        return (
            _field(_MODEL_IR, _IR_VERSION)
            + _field(_MODEL_GRAPH, b"".join(fields))
            + _field(_MODEL_OPSET, _field(_OPSET_VERSION, _OPSET))
        )

    def _constant(self, value: Floats | NDArray[np.int64]) -> str:
        name = self._name()
        kind = _FLOAT if value.dtype == np.float32 else _INT64
        tensor = b"".join(_field(_TENSOR_DIMS, size) for size in value.shape)
        tensor += _field(_TENSOR_TYPE, kind) + _field(_TENSOR_NAME, name)
        tensor += _field(_TENSOR_RAW, np.ascontiguousarray(value).tobytes())
        self._fields.append(_field(_GRAPH_INITIALIZER, tensor))
        return name

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"


def _whole(*numbers: int) -> NDArray[np.int64]:
    """Numbers as ONNX takes places, sizes and axes."""
    return np.array(numbers, np.int64)


def _described(name: str, shape: tuple[int, ...]) -> bytes:
    """ValueInfoProto: a float tensor of that name and shape."""
    sizes = (_field(1, size) if size else _field(2, "n") for size in shape)
    dimensions = b"".join(_field(1, size) for size in sizes)
    tensor = _field(1, _FLOAT) + _field(2, dimensions)
    return _field(1, name) + _field(2, _field(1, tensor))


def _field(number: int, value: int | str | bytes) -> bytes:
    """One field: a whole number as it is, all else with its length in front."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; not below 0."""
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def read_weights(model: bytes) -> dict[str, Floats]:
    """The weights of `_SHAPES` in the file that faster-whisper ships.

    Raises ValueError if it does not have them.
    """
    found: dict[str, Floats] = {}
    try:
        for graph in _nested(memoryview(model), _MODEL_GRAPH):
            for tensor in _nested(graph, _GRAPH_INITIALIZER):
                name = b"".join(_nested(tensor, _TENSOR_NAME)).decode()
                if name in _SHAPES:
                    raw = b"".join(_nested(tensor, _TENSOR_RAW))
                    found[name] = np.frombuffer(raw, "<f4").reshape(_SHAPES[name])
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError("not an ONNX file") from error
    if missing := _SHAPES.keys() - found.keys():
        raise ValueError(f"no {', '.join(sorted(missing))}")
    return found


def _nested(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """The fields with a length of that number. Raises IndexError or ValueError for no protobuf."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        kind = key & 7
        if kind == 2:
            size, at = _read_varint(message, at)
            if at + size > len(message):
                raise ValueError("cut short")
            if key >> 3 == wanted:
                yield message[at : at + size]
            at += size
        elif kind == 0:
            _, at = _read_varint(message, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError("not protobuf")


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
