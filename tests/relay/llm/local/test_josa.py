from __future__ import annotations

import pytest

from relay.llm.local import josa


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("차차은(는) 인형", "차차는 인형"),
        ("몽은(는) 인형", "몽은 인형"),
        ("진주이(가) 왔어", "진주가 왔어"),
        ("수안이(가) 왔어", "수안이 왔어"),
        ("칠을(를)", "칠을"),
        ("오을(를)", "오를"),
        ("차차과(와) 몽과(와)", "차차와 몽과"),
        ("차차아(야), 몽아(야)", "차차야, 몽아"),
        ("칠(이)야", "칠이야"),
        ("오(이)야", "오야"),
        ("서울(으)로", "서울로"),
        ("부산(으)로", "부산으로"),
        ("바다(으)로", "바다로"),
        ("7은(는) 5은(는)", "7은 5는"),
        ("Tom은(는) Jo은(는)", "Tom은 Jo는"),
        ("(은)는 그대로", "(은)는 그대로"),
        ("은(는)", "는"),
    ],
)
def test_chooses_the_particle_by_the_ending(text: str, resolved: str) -> None:
    assert josa.resolve(text) == resolved
