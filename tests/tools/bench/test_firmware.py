from __future__ import annotations

import json

import pytest

from tools.bench import firmware
from tools.bench.routines import routines


async def test_a_short_run_measures_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firmware, "_HEAP_S", 3.0)
    report = json.loads((await firmware.measure(3.0)).as_json())
    result, baseline = report["result"], report["baseline"]
    assert result["heap_bytes_per_frame_up"] == result["heap_bytes_per_frame_down"] == 0
    for jitter in firmware.JITTERS_MS:
        assert result[f"jitter_{jitter}_ms_frames_lost"] == 0
        assert result[f"jitter_{jitter}_ms_frames_down"] == baseline["direct_frames_down"] > 0
        assert result[f"jitter_{jitter}_ms_frames_up"] > 0
    for routine in routines():
        figure = f"{routine.name}_us_per_frame"
        assert 0 < result[figure] < baseline[figure]
        assert result[f"{routine.name}_xtensa_instructions_per_{routine.per}"] > 1
    assert {goal["name"] for goal in report["goals"]} >= {
        "heap_per_frame_up",
        "heap_per_frame_down",
    }
