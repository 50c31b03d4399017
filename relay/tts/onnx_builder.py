"""Writes down an ONNX graph node by node. Needs the `onnx` package; used once, at preparation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

#: A tensor of the graph by its name, or a constant.
Value = str | NDArray[Any] | np.generic

#: Behind the end of any axis, as ONNX writes it.
END = np.iinfo(np.int64).max

OPSET = 20
IR_VERSION = 9
#: Integer matrix products with float results live here, in ONNX Runtime itself.
MICROSOFT = "com.microsoft"


class GraphBuilder:
    """Collects the nodes and constants of one graph."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def add(self, op: str, *inputs: Value, domain: str = "", **attributes: Any) -> str:
        """Append a node with one output; the name of that output."""
        return self.add_many(op, 1, *inputs, domain=domain, **attributes)[0]

    def add_many(
        self, op: str, outputs: int, *inputs: Value, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Append a node with several outputs; their names."""
        names = [f"{op}_{len(self._nodes)}_{number}" for number in range(outputs)]
        given = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        self._nodes.append(helper.make_node(op, given, names, domain=domain, **attributes))
        return names

    def name(self, value: str, name: str) -> None:
        """Give `value` out of the graph as `name`."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))

    def slice(self, value: str, start: int, end: int, axis: int = 0) -> str:
        """`value[start:end]` along `axis`."""
        return self.add("Slice", value, whole(start), whole(end), whole(axis))

    def model(
        self, inputs: Mapping[str, Sequence[int | str]], outputs: Sequence[str]
    ) -> onnx.ModelProto:
        """The finished graph; all inputs and outputs are float32, those of `outputs` of any shape.

        `inputs` are shapes in which a string stands for a length that may change.
        """
        float32 = TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            "graph",
            [helper.make_tensor_value_info(name, float32, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, float32, None) for name in outputs],
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = IR_VERSION
        return model

    def _constant(self, value: NDArray[Any] | np.generic) -> str:
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = f"constant_{len(self._known)}"
            self._constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]


def whole(*numbers: int) -> NDArray[np.int64]:
    """Numbers as ONNX takes places, sizes and axes."""
    return np.array(numbers, np.int64)
