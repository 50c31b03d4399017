"""What a whole relay of the cloud takes: a real process, after two turns against fakes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import pytest

from relay.audio import FRAME_SAMPLES
from relay.store.database import Database
from relay.wire.codecs.adpcm import AdpcmEncoder
from tests.fakes.edge import serving_edge
from tests.fakes.gemini import KEY, serving_gemini
from tests.fakes.openai_audio import MODEL, serving_audio
from tools.bench.doll import bench_doll
from tools.relay_process import running_relay
from tools.simulator.wav import read_question

_QUESTION = Path(__file__).parents[2] / "tools" / "demo" / "questions" / "ko-name.wav"
_RELAY = ("-m", "tools.cli", "relay")

#: What none of them needs.
_HEAVY = ("onnxruntime_pybind11", "_ctranslate2", "libavcodec", "tokenizers")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measured on Linux")


async def test_gemini_and_a_voice_server_take_no_more_memory_than_documented(
    tmp_path: Path,
) -> None:
    async with serving_audio() as audio:
        voice = {
            "DOLL_TTS__PROVIDER": "openai",
            "DOLL_TTS__OPENAI__BASE_URL": audio.url,
            "DOLL_TTS__OPENAI__MODEL": MODEL,
            "DOLL_TTS__OPENAI__VOICE": "low",
        }
        resident_mb, loaded = await _after_two_turns(voice, tmp_path)
    # Measured: 140 MB, and 136 in an environment with nothing but the cloud flavour. The rest is
    # for other versions of what is imported.
    assert resident_mb <= 147
    assert not [name for name in loaded if name.startswith((*_HEAVY, "_http_parser"))]


async def test_gemini_and_edges_voices_take_no_more_memory_than_documented(tmp_path: Path) -> None:
    async with serving_edge() as edge:
        # The package has no setting for its address.
        program = (
            "import edge_tts.communicate, tools.cli;"
            f"edge_tts.communicate.WSS_URL = {edge.url!r}; tools.cli.main()"
        )
        resident_mb, loaded = await _after_two_turns(
            {"DOLL_TTS__PROVIDER": "edge"}, tmp_path, ("-c", program, "relay")
        )
        assert len(edge.asked) >= 2
    # Measured: 149 MB, and 144 in an environment with nothing but the cloud flavour.
    assert resident_mb <= 154
    assert not [name for name in loaded if name.startswith(_HEAVY)]


async def _after_two_turns(
    voice: Mapping[str, str], data: Path, command: Sequence[str] = _RELAY
) -> tuple[float, set[str]]:
    """Resident MB of the relay, and the names of the files that it has loaded."""
    # As at every start but the first, which also loads the migrations.
    await (await Database.open(data)).close()
    encoder, pcm = AdpcmEncoder(), read_question(_QUESTION)
    ends = range(FRAME_SAMPLES, len(pcm), FRAME_SAMPLES)
    frames = [encoder.encode(pcm[end - FRAME_SAMPLES : end]) for end in ends]
    async with serving_gemini() as gemini:
        environment = {
            "GEMINI_API_KEY": KEY,
            "DOLL_LLM__GEMINI__BASE_URL": gemini.url,
            "DOLL_STT__PROVIDER": "gemini",
            **voice,
        }
        async with running_relay(environment=environment, data=data, command=command) as relay:
            url = await relay.url()
            token = (await relay.tokens("doll-1"))["doll-1"]
            async with bench_doll(url, "doll-1", token) as doll:
                for _ in range(2):
                    await doll.push_to_talk(frames)
            process = psutil.Process(relay.pid)
            resident_mb = process.memory_info().rss / 2**20
            return resident_mb, {Path(each.path).name for each in process.memory_maps()}
