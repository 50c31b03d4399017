"""Whether speech sounds complete: Smart Turn v3.2, one model and one thread for all dolls.

The model is pipecat-ai/smart-turn-v3 (BSD-2-Clause; on Whisper tiny's encoder; 23 languages, Korean
and English among them): 8 s of log-mel spectrogram in, the probability that the speaker has
finished out. One utterance takes some 45 ms of one core, in a batch no less, so they wait in line;
an answer that would come too late to shorten the silence is not worth waiting for.
"""

from __future__ import annotations

import time
from typing import Final, Self

import numpy as np
import structlog

from relay.audio import RATE_HZ, Pcm
from relay.errors import ProviderError
from relay.hearing.base import DetectorUnavailableError
from relay.models import Model, ModelError, ModelFile, ensure, models_directory
from relay.stt.features import WINDOW, log_mel_of
from relay.worker import Worker

_FILE = "smart-turn-v3.2-cpu.onnx"

#: pipecat-ai/smart-turn-v3 at revision f766f81d, 8.7 MB. The pipecat-ai wheel holds the same file;
#: nothing of that package is imported.
SMART_TURN = Model(
    "smart-turn",
    (
        ModelFile(
            _FILE,
            "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
            (("pipecat", f"audio/turn/smart_turn/data/{_FILE}"),),
        ),
    ),
)

#: What the model hears, at the end of it the speech.
WINDOW_S: Final = 8

#: Sure enough, from this probability on. Upstream takes 0.5.
THRESHOLD: Final = 0.7

#: Utterances that may wait. Behind so many the answer would come after the usual silence.
_WAITING: Final = 6


class SmartTurn:
    """A `MelodyDetector`. Made by `load`."""

    def __init__(self, engine: SmartTurnEngine, worker: Worker) -> None:
        self._engine = engine
        self._worker = worker

    @classmethod
    async def load(cls) -> Self:
        """Find, check and load the model. Raises DetectorUnavailableError."""
        worker = Worker("Smart Turn", _WAITING)
        try:
            return cls(await worker.run(SmartTurnEngine), worker)
        except BaseException:
            await worker.close()
            raise

    async def sounds_complete(self, utterance: Pcm) -> bool:
        """See `MelodyDetector.sounds_complete`."""
        asked = time.perf_counter()
        try:
            probability = await self._worker.run(self._engine.probability, utterance)
        except ProviderError:
            return False  # too many ask at once, or the relay stops
        except Exception:  # noqa: BLE001 (it only shortens a silence: without it, that is longer)
            structlog.get_logger().exception("smart turn failed")
            return False
        structlog.get_logger().debug(
            "smart turn",
            probability=round(probability, 3),
            ms=round((time.perf_counter() - asked) * 1000),
        )
        return probability >= THRESHOLD

    async def close(self) -> None:
        """See `MelodyDetector.close`."""
        await self._worker.close()


class SmartTurnEngine:
    """The model itself. Blocks; holds nothing of any utterance."""

    def __init__(self) -> None:
        """Load the model, which takes some 60 ms. Raises DetectorUnavailableError."""
        try:
            import onnxruntime

            path = ensure(SMART_TURN) / _FILE
        except ImportError as error:
            raise DetectorUnavailableError(
                "endpoint.smart_turn needs onnxruntime: pip install 'talking-doll[embedded]'"
            ) from error
        except ModelError as error:
            raise DetectorUnavailableError(
                "endpoint.smart_turn needs its model: `pip install --no-deps pipecat-ai==1.14.0` "
                f"(only the model in it is used), or put {_FILE} of "
                f"huggingface.co/pipecat-ai/smart-turn-v3 in {models_directory() / SMART_TURN.name}"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena would keep 100 MB for what runs once in some seconds.
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )

    def probability(self, utterance: Pcm) -> float:
        """How likely the speaker of `utterance` (16 kHz) has finished, 0 to 1."""
        window = np.zeros(WINDOW_S * RATE_HZ, np.float32)
        heard = utterance[-len(window) :]
        window[len(window) - len(heard) :] = heard
        window /= 32768
        window -= window.mean()
        window /= np.sqrt(window.var() + 1e-7)  # as Whisper's own feature extractor does
        features = log_mel_of(np.pad(window, WINDOW // 2, mode="reflect"))
        (probabilities,) = self._session.run(None, {"input_features": features})
        return float(probabilities[0, 0])
