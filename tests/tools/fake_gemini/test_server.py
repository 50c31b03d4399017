"""The fake by its own words; the SDKs' view of it is in tests/relay/llm."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools.fake_gemini.faults import Chance
from tools.fake_gemini.http import Pause, Reply, Request
from tools.fake_gemini.quota import Counting, Limits
from tools.fake_gemini.replies import KEY
from tools.fake_gemini.server import FakeGemini, Rules, Seen

BASE = 1_795_420_800.0  # a midnight on the Pacific coast
LITE = "gemini-3.5-flash-lite"


class Clock:
    def __init__(self) -> None:
        self.now = BASE

    def __call__(self) -> float:
        return self.now


def body(text: str = "안녕?") -> bytes:
    return json.dumps({"contents": [{"role": "user", "parts": [{"text": text}]}]}).encode()


async def post(
    fake: FakeGemini,
    model: str = LITE,
    verb: str = "generateContent",
    *,
    key: str | None = KEY,
    version: str = "v1beta",
    sent: bytes | None = None,
    **headers: str,
) -> Reply:
    if key is not None:
        headers["x-goog-api-key"] = key
    target = f"/{version}/models/{model}:{verb}"
    return await fake.handle(Request("POST", target, headers, body() if sent is None else sent))


def decoded(reply: Reply) -> Any:
    return json.loads(b"".join(part for part in reply.body if isinstance(part, bytes)))


def message(reply: Reply) -> str:
    text: str = decoded(reply)["error"]["message"]
    return text


async def test_an_answer_comes_in_each_of_its_forms() -> None:
    fake = FakeGemini()
    events = await post(fake, verb="streamGenerateContent?alt=sse")
    array = await post(fake, verb="streamGenerateContent")
    unary = await post(fake)
    assert events.content_type == "text/event-stream"
    assert len(decoded(array)) > 1
    assert decoded(unary)["candidates"][0]["content"]["parts"][0]["text"]


async def test_a_key_may_stand_in_the_address() -> None:
    fake = FakeGemini()
    assert (await post(fake, verb=f"generateContent?key={KEY}", key=None)).status == 200


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        ({"key": "AIzaWrong"}, 400, "API key not valid"),
        ({"key": None}, 403, "unregistered callers"),
        ({"model": "gemini-9"}, 404, "is not found"),
        ({"model": "gemini-2.0-flash"}, 404, "no longer available"),
        ({"model": "gemini-flash-latest", "version": "v1"}, 404, "is not found"),
        ({"verb": "embedContent"}, 404, "is not found"),
        ({"sent": b"{"}, 400, "Invalid JSON"),
        ({"x-server-timeout": "5"}, 400, "deadline 5s is too short. Minimum allowed"),
        ({"x-server-timeout": "soon"}, 400, "X-Server-Timeout"),
        ({"model": "gemini-3.1-pro-preview"}, 429, "limit: 0"),
    ],
)
async def test_what_is_refused_is_refused_in_the_services_words(
    arguments: dict[str, Any], status: int, why: str
) -> None:
    reply = await post(FakeGemini(Rules(limits=None)), **arguments)
    assert reply.status == status
    assert why in message(reply)


async def test_an_alias_is_known_where_it_should_be() -> None:
    assert (await post(FakeGemini(), "gemini-flash-latest")).status == 200


async def test_an_address_that_is_none_of_the_service_is_a_page() -> None:
    for target in ("/", "/v9/models", "/v1beta/tunedModels", "/%", "//[", "*", "/?" + "&" * 99):
        reply = await FakeGemini().handle(Request("GET", target, {"x-goog-api-key": KEY}, b""))
        assert (reply.status, reply.content_type) == (404, "text/html")


async def test_an_error_of_a_stream_without_events_is_wrapped() -> None:
    fake = FakeGemini(Rules(limits=Limits(requests_per_minute=0)))
    assert isinstance(decoded(await post(fake, verb="streamGenerateContent")), list)
    assert isinstance(decoded(await post(fake, verb="streamGenerateContent?alt=sse")), dict)
    assert isinstance(decoded(await post(fake, "gemini-9", "streamGenerateContent")), list)


async def test_a_quota_is_that_of_a_family() -> None:
    fake = FakeGemini(Rules(limits=Limits(requests_per_minute=0)))
    reply = await post(fake, "gemini-3-flash-preview")
    violation = decoded(reply)["error"]["details"][1]["violations"][0]
    assert violation["quotaDimensions"]["model"] == "gemini-3-flash"


@pytest.mark.parametrize(("window", "taken"), [("sliding", 15), ("minute", 30)])
async def test_each_model_has_its_minute(window: Any, taken: int) -> None:
    clock = Clock()
    fake = FakeGemini(Rules(limits=None, counting=Counting(window)), clock=clock)
    statuses = []
    for clock.now in [BASE + 59.9] * 20 + [BASE + 60.0] * 20:
        statuses.append((await post(fake)).status)
    assert statuses.count(200) == taken
    assert statuses.count(429) == 40 - taken
    assert (await post(fake, "gemini-3.1-flash-lite")).status == 200  # its allowance is its own


async def test_a_day_ends_at_midnight_pacific_and_says_so() -> None:
    clock = Clock()
    fake = FakeGemini(Rules(limits=Limits(requests_per_day=2)), clock=clock)
    clock.now = BASE + 15 * 3600 + 126.0
    assert [(await post(fake)).status for _ in range(3)] == [200, 200, 429]
    assert "retry in 8h57m54s" in message(await post(fake))
    clock.now = BASE + 24 * 3600
    assert (await post(fake)).status == 200


async def test_what_is_counted_is_what_was_sent_in_tokens() -> None:
    fake = FakeGemini(Rules(limits=Limits(tokens_per_minute=10)), clock=Clock())
    assert (await post(fake, sent=body("x" * 20))).status == 200
    assert "input_token_count" in message(await post(fake, sent=body("x" * 24)))
    assert (await post(fake, sent=body("x" * 20))).status == 200


async def test_a_request_that_failed_counts_and_one_that_was_wrong_does_not() -> None:
    fake = FakeGemini(Rules(limits=Limits(requests_per_minute=2)), clock=Clock())
    fake.play("503", "hang")
    assert (await post(fake)).status == 503
    assert (await post(fake, sent=b"{")).status == 400
    assert (await post(fake)).status is None
    assert (await post(fake)).status == 429


@pytest.mark.parametrize(("rejected", "status"), [(True, 429), (False, 200)])
async def test_a_refused_request_counts_if_that_is_the_rule(rejected: bool, status: int) -> None:
    clock = Clock()
    counting = Counting("sliding", rejected)
    fake = FakeGemini(Rules(limits=Limits(requests_per_minute=1), counting=counting), clock=clock)
    await post(fake)
    clock.now += 30
    assert (await post(fake)).status == 429
    clock.now += 30
    assert (await post(fake)).status == status


async def test_limits_may_be_those_of_one_model() -> None:
    rules = Rules(own_limits={LITE: Limits(requests_per_minute=0)})
    fake = FakeGemini(rules)
    assert (await post(fake)).status == 429
    assert (await post(fake, "gemini-3.8-flash")).status == 200


async def test_the_script_goes_before_chance_and_before_the_answer() -> None:
    fake = FakeGemini(Rules(chances=(Chance("500", 1.0),)))
    fake.play("503", Reply(418))
    assert [(await post(fake)).status for _ in range(3)] == [503, 418, 500]


async def test_the_same_seed_gives_the_same_day() -> None:
    async def day(seed: int) -> list[tuple[int | None, Any]]:
        fake = FakeGemini(Rules(chances=(Chance("503", 0.5),), seed=seed))
        return [(reply.status, reply.body) for reply in [await post(fake) for _ in range(20)]]

    assert await day(1) == await day(1)
    assert await day(1) != await day(2)


async def test_an_answer_takes_its_time() -> None:
    fake = FakeGemini(Rules(first_s=0.6, gap_s=0.02))
    steps = (await post(fake, verb="streamGenerateContent?alt=sse")).body
    assert steps[0] == Pause(0.6)
    assert {step for step in steps[1:] if isinstance(step, Pause)} == {Pause(0.02)}
    assert (await post(fake)).body[0] == Pause(0.6)
    fake.play("503")
    assert not any(isinstance(step, Pause) for step in (await post(fake)).body)


async def test_models_are_listed_page_by_page() -> None:
    fake = FakeGemini(Rules(retired=frozenset({"gemini-2.5-flash"})))

    async def get(target: str) -> Reply:
        return await fake.handle(Request("GET", target, {"x-goog-api-key": KEY}, b""))

    names, token = [], ""
    while True:
        page = decoded(await get(f"/v1beta/models?pageSize=4&pageToken={token or 0}"))
        names += [model["name"] for model in page["models"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert "models/gemini-3.5-flash-lite" in names
    assert "models/gemini-2.5-flash" not in names
    assert len(names) == len(set(names)) > 8
    one = decoded(await get("/v1beta/models/gemini-3.5-flash-lite"))
    assert "generateContent" in one["supportedGenerationMethods"]
    assert (await get("/v1beta/models/gemini-9")).status == 404
    assert (await get("/v1beta/models?pageSize=many")).status == 400
    assert (await get("/v1beta/models?pageSize=-1")).status == 400


async def test_tokens_are_counted_for_nothing() -> None:
    fake = FakeGemini(Rules(limits=Limits(requests_per_minute=0)))
    assert decoded(await post(fake, verb="countTokens"))["totalTokens"] == 3


async def test_an_observer_is_told_of_every_request_and_of_no_word() -> None:
    seen: list[Seen] = []
    fake = FakeGemini(Rules(limits=Limits(15, None, 500)), observe=seen.append, clock=Clock())
    fake.play("hang")
    await post(fake, sent=body("비밀"))
    await post(fake, key="AIzaSecret")
    assert [(one.status, one.fault, one.in_minute, one.today) for one in seen] == [
        (None, "hang", 1, 1),
        (400, None, 0, 0),
    ]
    assert "비밀" not in repr(seen)
    assert "Secret" not in repr(seen)
