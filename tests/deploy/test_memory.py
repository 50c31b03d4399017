"""What a whole relay of the cloud takes: a real process, after two turns against fakes."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from relay.audio import FRAME_SAMPLES
from relay.store.database import Database
from relay.wire.codecs.adpcm import AdpcmEncoder
from tests.fakes.gemini import KEY, serving_gemini
from tests.fakes.openai_audio import MODEL, serving_audio
from tools.bench.doll import bench_doll
from tools.relay_process import running_relay
from tools.simulator.wav import read_question

#: Measured: 140 MB, and 136 in an environment with nothing but the cloud flavour. The rest is for
#: other versions of what is imported.
MOST_MB = 147

_QUESTION = Path(__file__).parents[2] / "tools" / "demo" / "questions" / "ko-name.wav"


@pytest.mark.skipif(sys.platform != "linux", reason="measured on Linux")
async def test_a_relay_of_the_cloud_takes_no_more_memory_than_documented(tmp_path: Path) -> None:
    # As at every start but the first, which also loads the migrations.
    await (await Database.open(tmp_path)).close()
    encoder, pcm = AdpcmEncoder(), read_question(_QUESTION)
    ends = range(FRAME_SAMPLES, len(pcm), FRAME_SAMPLES)
    frames = [encoder.encode(pcm[end - FRAME_SAMPLES : end]) for end in ends]
    async with serving_gemini() as gemini, serving_audio() as audio:
        environment = {
            "GEMINI_API_KEY": KEY,
            "DOLL_LLM__GEMINI__BASE_URL": gemini.url,
            "DOLL_STT__PROVIDER": "gemini",
            "DOLL_TTS__PROVIDER": "openai",
            "DOLL_TTS__OPENAI__BASE_URL": audio.url,
            "DOLL_TTS__OPENAI__MODEL": MODEL,
            "DOLL_TTS__OPENAI__VOICE": "low",
        }
        async with running_relay(environment=environment, data=tmp_path) as relay:
            url = await relay.url()
            token = (await relay.tokens("doll-1"))["doll-1"]
            async with bench_doll(url, "doll-1", token) as doll:
                for _ in range(2):
                    await doll.push_to_talk(frames)
            process = psutil.Process(relay.pid)
            resident_mb = process.memory_info().rss / 2**20
            loaded = {Path(each.path).name for each in process.memory_maps()}
    assert resident_mb <= MOST_MB
    heavy = ("onnxruntime_pybind11", "_ctranslate2", "libavcodec", "tokenizers", "_http_parser")
    assert not [name for name in loaded if name.startswith(heavy)]
