"""Kokoro's vocoder (the generator of its iSTFTNet), drawn anew for speed and for streaming.

The published graph does the same sums three times slower than they can be done: ONNX Runtime has no
fast kernel for 8-bit convolutions, but a very fast one for products of 8-bit matrices. So here the
tensors are (time, channels), a convolution over time is the shifted copies of its input side by
side, times a matrix, and what follows a product (scale, bias) is done inside it.

The second change makes streaming possible. Each of the 44 instance normalisations takes the mean
and the variance over the whole clause, which is not there yet when its first sound has to go out.
Here both are inputs: measured once per voice over some sentences, they take the place of the
clause's own. What is left is convolutions, which see 50 ms around each sample and no further, so a
clause made in pieces has no seams, and all clauses are equally loud.

The weights stay those of the published file, by their names in it. The architecture is that of
StyleTTS 2 (Li et al. 2023, https://github.com/yl4579/StyleTTS2, Modules/istftnet.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from relay.tts.onnx_builder import END, MICROSOFT, GraphBuilder, whole

#: Path of the generator in the names of weights, and in those of nodes.
WEIGHTS: Final = "decoder.decoder.generator"
NODES: Final = "/decoder/decoder/generator"

#: Channels of what comes in: features at 80 Hz, the harmonic source at 4.8 kHz (11 magnitudes and
#: 11 phases), and the half of the style that the decoder takes.
FEATURES: Final = 512
SOURCE: Final = 22
STYLE: Final = 128

#: Samples of the source and of the audio for one frame of features (80 Hz).
SOURCE_PER_FRAME: Final = 60
SAMPLES_PER_FRAME: Final = 300

#: Both stages: factor of upsampling, kernel of the block on the source.
STAGES: Final = ((10, 7), (6, 11))
#: Kernels of the three parallel blocks behind each stage, dilations of the three layers of each.
KERNELS: Final = (3, 7, 11)
DILATIONS: Final = (1, 3, 5)

#: Of the transform back to samples: a window of 20, moved by 5.
HOP: Final = 5
OVERLAP: Final = 4

EPSILON: Final = np.float32(1e-5)


@dataclass(frozen=True, slots=True)
class _Style:
    """Gain and offset of one normalisation, shape (1, channels) each; the gain includes the 1."""

    gain: str
    offset: str


class _Published:
    """The weights of the published model."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._values = {value.name: value for value in model.graph.initializer}
        self._nodes = {node.name: node for node in model.graph.node}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return numpy_helper.to_array(self._values[name])

    def slope(self, name: str) -> float:
        """The slope below zero of a LeakyRelu."""
        return float(helper.get_attribute_value(self._nodes[f"{NODES}/{name}"].attribute[0]))

    def convolution(self, path: str) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Weights (kernel, in, out) of seven bits and sign, and what they are to be scaled by."""
        node = self._nodes[f"{NODES}/{path}/Conv_quant"]
        weights = self[node.input[1]].astype(np.int16) - int(self[node.input[3]])
        scale = self[node.input[1].removesuffix("quantized") + "scale"]
        return weights.astype(np.int8).transpose(2, 1, 0), scale.astype(np.float32)


class VocoderGraph:
    """Builds the graph, for speaking or for measuring the statistics it then needs.

    Inputs: `features` (frames, 512), `source` (60 frames + 1, 22), `style` (1, 128), `mean` and
    `square` (1, channels of all normalisations): the means of what is normalised and of its square.
    Output: `audio` (300 frames,), 24 kHz. For measuring, `mean` and `square` are outputs instead.
    """

    def __init__(self, published: onnx.ModelProto, *, measuring: bool = False) -> None:
        self._of = _Published(published)
        self._graph = GraphBuilder()
        self._measuring = measuring
        self._styles = self._all_styles()
        self._statistics: dict[str, tuple[str, str]] = {}  # by the value that is normalised
        self._channels: list[int] = []

    def build(self) -> onnx.ModelProto:
        """The whole graph."""
        audio = self._audio(self._body())
        graph = self._graph
        graph.name(audio, "audio")
        total = sum(self._channels)
        inputs: dict[str, list[int | str]] = {
            "features": ["frames", FEATURES],
            "source": ["instants", SOURCE],
            "style": [1, STYLE],
        }
        pairs = list(self._statistics.values())
        if self._measuring:
            for name, values in zip(("mean", "square"), zip(*pairs, strict=True), strict=True):
                graph.name(graph.add("Concat", *values, axis=1), name)
            return graph.model(inputs, ["audio", "mean", "square"])
        return graph.model(inputs | {"mean": [1, total], "square": [1, total]}, ["audio"])

    def _all_styles(self) -> dict[str, _Style]:
        """Gains and offsets of all normalisations, by one product from the style of the voice."""
        graph, of = self._graph, self._of
        blocks = [f"noise_res.{number}" for number in range(len(STAGES))]
        blocks += [f"resblocks.{number}" for number in range(len(STAGES) * len(KERNELS))]
        paths = [
            f"{block}.adain{half}.{layer}"
            for block in blocks
            for half in (1, 2)
            for layer in range(len(DILATIONS))
        ]
        weights, scales, biases = [], [], []
        for path in paths:
            bias = of[f"{WEIGHTS}.{path}.fc.bias"].copy()
            bias[: len(bias) // 2] += 1
            biases.append(bias)
            weights.append(of[f"{WEIGHTS}.{path}.fc.weight_quantized"])
            scales.append(np.broadcast_to(of[f"{WEIGHTS}.{path}.fc.weight_scale"], bias.shape))
        quantised, scale, zero = graph.add_many("DynamicQuantizeLinear", 3, "style")
        flat = self._product(
            quantised,
            scale,
            zero,
            np.concatenate(weights, axis=1),
            np.concatenate(scales).astype(np.float32),
            np.concatenate(biases),
        )
        sizes = whole(*(len(bias) // 2 for bias in biases for _ in range(2)))
        parts = graph.add_many("Split", len(sizes), flat, sizes, axis=1)
        return {
            path: _Style(*pair)
            for path, pair in zip(paths, zip(parts[::2], parts[1::2], strict=True), strict=True)
        }

    def _body(self) -> str:
        """From features and source to (instants, 128)."""
        graph = self._graph
        sources = self._sources()
        value = "features"
        for stage, (factor, _) in enumerate(STAGES):
            suffix = f"_{stage}" if stage else ""
            slope = self._of.slope(f"LeakyRelu{suffix}")
            value = graph.add("LeakyRelu", value, alpha=slope)
            value = self._upsample(value, stage, f"{NODES}/Mul{suffix}_output_0", factor)
            if stage == len(STAGES) - 1:  # the source has one instant more
                value = graph.add("Concat", graph.slice(value, 1, 2), value, axis=0)
            value = graph.add("Add", value, sources[stage])
            blocks = [
                self._block(value, f"resblocks.{stage * len(KERNELS) + number}", kernel)
                for number, kernel in enumerate(KERNELS)
            ]
            value = graph.add("Mul", graph.add("Sum", *blocks), np.float32(1 / len(KERNELS)))
        return graph.add("LeakyRelu", value, alpha=self._of.slope("LeakyRelu_2"))

    def _sources(self) -> list[str]:
        """The harmonic source at the rate of each stage, through a block of its own."""
        graph, of = self._graph, self._of
        quantised, scale, zero = graph.add_many("DynamicQuantizeLinear", 3, "source")
        # Kernel 12, stride 6, three zeros before: rows of six instants, and each row's next one.
        padded = graph.add("Pad", quantised, whole(3, 0, 2, 0), zero)
        rows = graph.add("Reshape", padded, whole(-1, 6 * SOURCE))
        pairs = [graph.slice(rows, 0, -1), graph.slice(rows, 1, END)]
        columns = (graph.add("Concat", *pairs, axis=1), quantised)
        values = []
        for number, ((_, kernel), column) in enumerate(zip(STAGES, columns, strict=True)):
            weights, weight_scale = of.convolution(f"noise_convs.{number}")
            bias = of[f"{WEIGHTS}.noise_convs.{number}.bias"]
            flat = weights.reshape(-1, weights.shape[2])
            value = self._product(column, scale, zero, flat, weight_scale, bias)
            values.append(self._block(value, f"noise_res.{number}", kernel))
        return values

    def _block(self, value: str, path: str, kernel: int) -> str:
        """Three residual layers; each normalises, bends and convolves twice."""
        for layer, dilation in enumerate(DILATIONS):
            inner = value
            for half, spread in ((1, dilation), (2, 1)):
                inner = self._bend(inner, path, half, layer)
                inner = self._convolve(inner, path, f"convs{half}.{layer}", kernel, spread)
            value = self._graph.add("Add", inner, value)
        return value

    def _bend(self, value: str, path: str, half: int, layer: int) -> str:
        """Adaptive normalisation, then x + sin²(αx) / α, computed as (u + sin² u) / α, u = αx."""
        graph = self._graph
        alpha = self._of[f"{WEIGHTS}.{path}.alpha{half}.{layer}"].reshape(1, -1)
        style = self._styles[f"{path}.adain{half}.{layer}"]
        mean, square = self._statistics_of(value, alpha.shape[1])
        variance = graph.add("Sub", square, graph.add("Mul", mean, mean))
        variance = graph.add("Max", variance, np.float32(0))
        deviation = graph.add("Sqrt", graph.add("Add", variance, EPSILON))
        gain = graph.add("Div", graph.add("Mul", style.gain, alpha), deviation)
        offset = graph.add("Mul", style.offset, alpha)
        offset = graph.add("Sub", offset, graph.add("Mul", mean, gain))
        bent = graph.add("Add", graph.add("Mul", value, gain), offset)
        sine = graph.add("Sin", bent)
        bent = graph.add("Add", bent, graph.add("Mul", sine, sine))
        return graph.add("Mul", bent, (1 / alpha).astype(np.float32))

    def _statistics_of(self, value: str, channels: int) -> tuple[str, str]:
        """The means of `value` and of its square over time, shape (1, channels)."""
        if value not in self._statistics:
            graph, start = self._graph, sum(self._channels)
            if self._measuring:
                square = graph.add("Mul", value, value)
                pair = (
                    graph.add("ReduceMean", value, whole(0), keepdims=1),
                    graph.add("ReduceMean", square, whole(0), keepdims=1),
                )
            else:
                pair = (
                    graph.slice("mean", start, start + channels, axis=1),
                    graph.slice("square", start, start + channels, axis=1),
                )
            self._statistics[value] = pair
            self._channels.append(channels)
        return self._statistics[value]

    def _convolve(self, value: str, path: str, name: str, kernel: int, dilation: int) -> str:
        """A convolution over time that keeps the length."""
        graph = self._graph
        weights, weight_scale = self._of.convolution(f"{path}/{name}")
        quantised, scale, zero = graph.add_many("DynamicQuantizeLinear", 3, value)
        margin = dilation * (kernel // 2)
        padded = graph.add("Pad", quantised, whole(margin, 0, margin, 0), zero)
        taps = [
            graph.slice(padded, tap * dilation, (tap - kernel + 1) * dilation or END)
            for tap in range(kernel)
        ]
        columns = graph.add("Concat", *taps, axis=1)
        flat = weights.reshape(-1, weights.shape[2])
        bias = self._of[f"{WEIGHTS}.{path}.{name}.bias"]
        return self._product(columns, scale, zero, flat, weight_scale, bias)

    def _upsample(self, value: str, stage: int, weights_name: str, factor: int) -> str:
        """A transposed convolution of kernel 2 * factor: each block of `factor` outputs is a
        product of two neighbouring inputs. Half a block is cut at both ends."""
        graph = self._graph
        weights = self._of[weights_name].transpose(2, 0, 1)  # (kernel, in, out)
        inputs, outputs = weights.shape[1:]
        pair = np.concatenate((weights[:factor], weights[factor:]), axis=1)  # this one, the last
        flat = pair.transpose(1, 0, 2).reshape(2 * inputs, factor * outputs)
        this = graph.add("Pad", value, whole(0, 0, 1, 0))
        last = graph.add("Pad", value, whole(1, 0, 0, 0))
        blocks = graph.add("MatMul", graph.add("Concat", this, last, axis=1), flat)
        line = graph.add("Reshape", blocks, whole(-1, outputs))
        line = graph.slice(line, factor // 2, factor // 2 - factor)
        return graph.add("Add", line, self._of[f"{WEIGHTS}.ups.{stage}.bias"])

    def _audio(self, value: str) -> str:
        """The last convolution, to magnitudes and phases, and from those to samples."""
        graph, of = self._graph, self._of
        weights = of[f"{NODES}/Mul_2_output_0"].transpose(1, 2, 0)  # (in, kernel, out)
        inputs, kernel, outputs = weights.shape
        products = graph.add("MatMul", value, weights.reshape(inputs, kernel * outputs))
        margin = kernel // 2
        products = graph.add("Pad", products, whole(margin, 0, margin, 0))
        spectrum = graph.add("Sum", *self._shifted(products, kernel, outputs))
        spectrum = graph.add("Add", spectrum, of[f"{WEIGHTS}.conv_post.bias"])
        half = outputs // 2
        magnitude = graph.add("Exp", graph.slice(spectrum, 0, half, axis=1))
        phase = graph.add("Sin", graph.slice(spectrum, half, outputs, axis=1))
        parts = (
            graph.add("Mul", magnitude, graph.add("Cos", phase)),
            graph.add("Mul", magnitude, graph.add("Sin", phase)),
        )
        basis = of[f"{WEIGHTS}.stft.istft.stft.inverse_basis"][:, 0, :]
        basis = basis * of[f"{NODES}/istft/stft/Constant_19_output_0"]
        windows = graph.add("MatMul", graph.add("Concat", *parts, axis=1), basis)
        margin = OVERLAP - 1
        windows = graph.add("Pad", windows, whole(margin, 0, margin, 0))
        # Window n adds its part k to block n + k: the shifts run the other way.
        blocks = graph.add("Sum", *self._shifted(windows, OVERLAP, HOP, backwards=True))
        line = graph.add("Reshape", blocks, whole(-1))
        return graph.slice(line, OVERLAP * HOP // 2, -OVERLAP * HOP // 2)

    def _shifted(self, value: str, count: int, width: int, *, backwards: bool = False) -> list[str]:
        """`count` groups of `width` columns, each moved by one row against the one before."""
        graph = self._graph
        moved = []
        for number in range(count):
            row = count - 1 - number if backwards else number
            group = graph.slice(value, number * width, (number + 1) * width, axis=1)
            moved.append(graph.slice(group, row, (row - count + 1) or END))
        return moved

    def _product(
        self,
        quantised: str,
        scale: str,
        zero: str,
        weights: NDArray[np.int8],
        weight_scale: NDArray[np.float32],
        bias: NDArray[np.float32],
    ) -> str:
        """`quantised` (rows, n) times `weights` (n, columns), scaled back and with the bias."""
        no_zero = np.zeros(np.shape(weight_scale), np.int8)
        inputs = (quantised, weights, scale, weight_scale, zero, no_zero, bias)
        return self._graph.add("MatMulIntegerToFloat", *inputs, domain=MICROSOFT)
