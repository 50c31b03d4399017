"""The published Kokoro model as the engine wants it: two graphs, and what a voice sounds like.

`front.onnx` turns phonemes into features of a whole clause, and is the published graph up to there.
`vocoder.onnx` turns features into sound, a piece at a time (see `vocoder_graph`); its statistics
are measured here for each voice. All of it is made once, on the machine that uses it, in a process
of its own: making it takes memory and a package that speaking does not.

Run as `python -m relay.tts.kokoro_split SOURCE TARGET`.
"""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from relay.models import KOKORO, Model, ModelError, ModelFile, ensure

FRONT: Final = "front.onnx"
VOCODER: Final = "vocoder.onnx"
STATISTICS: Final = "statistics.npz"
#: The digests of the three.
MADE: Final = "made.json"

#: Where the published graph is cut: behind the durations, the features and the harmonic source.
CUTS: Final = {
    "durations": "/encoder/Clip_output_0",
    "features": "/decoder/decoder/decode.3/Div_4_output_0",
    "source": "/decoder/decoder/generator/Concat_3_output_0",
}

#: Spoken to measure the statistics of each voice: some ten seconds of ordinary talk.
SAMPLES: Final = (
    ("안녕, 만나서 반가워. 오늘은 뭐 하고 놀까?", "ko"),
    ("Hello, nice to meet you. What shall we play today?", "en"),
)

#: A slow machine takes a minute.
TIME_LIMIT_S: Final = 600.0

#: What is made depends on these sources and on the published model.
_SOURCES: Final = ("kokoro_split.py", "vocoder_graph.py", "onnx_builder.py")


def prepared(published: Path) -> Path:
    """The directory with the three files, made now if they are not there yet or are damaged.

    `published` holds the files of `relay.models.KOKORO`; the directory is inside it. Making takes
    some twenty seconds. Blocks. Raises ModelError.
    """
    home = published / f"streaming-{_version()}"
    if _is_whole(home):
        return home
    try:
        making = Path(tempfile.mkdtemp(prefix="streaming-", suffix=".partial", dir=published))
    except OSError as error:
        raise ModelError(
            f"The voice cannot be prepared in {published} ({error.strerror}); make it writable or "
            "set DOLL_MODELS to another directory."
        ) from error
    try:
        _make_apart(published, making)
        shutil.rmtree(home, ignore_errors=True)
        try:
            making.rename(home)
        except OSError:  # another process was faster
            if not _is_whole(home):
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    for old in published.glob("streaming-????????"):
        if old != home:
            shutil.rmtree(old, ignore_errors=True)
    return home


def _version() -> str:
    digest = sha256(KOKORO.files[0].sha256.encode())
    for name in _SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:8]


def _is_whole(home: Path) -> bool:
    """Whether all three files are there and are what was written; cheap the second time."""
    try:
        digests = json.loads((home / MADE).read_text(encoding="utf-8"))
        files = tuple(ModelFile(name, digests[name], ()) for name in (FRONT, VOCODER, STATISTICS))
        ensure(Model(home.name, files), home.parent)
    except (OSError, ValueError, KeyError, TypeError, ModelError):
        return False
    return True


def _make_apart(published: Path, target: Path) -> None:
    command = [sys.executable, "-m", "relay.tts.kokoro_split", str(published), str(target)]
    try:
        done = subprocess.run(  # noqa: S603 (this very interpreter and module)
            command, capture_output=True, timeout=TIME_LIMIT_S, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"Preparing the voice took over {TIME_LIMIT_S:g} s; try again.") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"The Kokoro model in {published} cannot be prepared: {reason}")


def make(published: Path, target: Path) -> None:
    """Write the three files and their digests to `target`, which exists."""
    import onnx
    from onnx import helper

    from relay.tts.vocoder_graph import VocoderGraph

    model = onnx.load(published / KOKORO.files[0].name)
    onnx.save(VocoderGraph(model, measuring=True).build(), target / "measuring.onnx")
    onnx.save(VocoderGraph(model).build(), target / VOCODER)
    graph = model.graph
    # (1, channels, time) as published; the vocoder has time first.
    for name in ("features", "source"):
        squeezed = f"{name}_squeezed"
        axis = helper.make_tensor(f"{name}_axis", onnx.TensorProto.INT64, [1], [0])
        graph.initializer.append(axis)
        graph.node.append(helper.make_node("Squeeze", [CUTS[name], axis.name], [squeezed]))
        graph.node.append(helper.make_node("Transpose", [squeezed], [name], perm=[1, 0]))
    graph.node.append(helper.make_node("Identity", [CUTS["durations"]], ["durations"]))
    names = list(CUTS)
    graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    front = onnx.utils.Extractor(model).extract_model(["tokens", "style", "speed"], names)
    onnx.save(front, target / FRONT)
    del model, graph, front
    gc.collect()
    measured = _measure(published, target)
    np.savez(target / STATISTICS, allow_pickle=False, **measured)
    (target / "measuring.onnx").unlink()
    digests = {
        name: sha256((target / name).read_bytes()).hexdigest()
        for name in (FRONT, VOCODER, STATISTICS)
    }
    (target / MADE).write_text(json.dumps(digests), encoding="utf-8")


def _measure(published: Path, target: Path) -> dict[str, NDArray[np.float32]]:
    """Per voice, shape (2, channels): the means of what is normalised and of its square."""
    from relay.tts.kokoro_engine import STYLE, numbered, session, vocabulary, voice_styles
    from relay.tts.phonemes import to_phonemes

    front = session(target / FRONT, threads=2)
    vocoder = session(target / "measuring.onnx", threads=2)
    numbers = vocabulary(published)
    clauses = [numbered(to_phonemes(*sample), numbers) for sample in SAMPLES]
    measured = {}
    for voice, styles in voice_styles(published).items():
        results = []
        for clause in clauses:
            style = styles[len(clause) - 1]
            features, source = front.run(
                ["features", "source"],
                {
                    "tokens": np.array([[0, *clause, 0]], np.int64),
                    "style": style,
                    "speed": np.ones(1, np.float32),
                },
            )
            inputs = {"features": features, "source": source, "style": style[:, :STYLE]}
            pair = vocoder.run(["mean", "square"], inputs)
            results.append((len(features), np.concatenate(pair)))
        measured[voice] = _mean(results)
    return measured


def _mean(
    results: Sequence[tuple[int, NDArray[np.float32]]],
) -> NDArray[np.float32]:
    """The mean of some values, weighed by their lengths."""
    lengths = [length for length, _ in results]
    mean = np.average(np.stack([value for _, value in results]), axis=0, weights=lengths)
    return np.asarray(mean, np.float32)


if __name__ == "__main__":
    onnxruntime.set_default_logger_severity(3)
    make(Path(sys.argv[1]), Path(sys.argv[2]))
