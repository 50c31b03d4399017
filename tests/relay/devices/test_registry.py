"""Who may come in, and until when."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import select

from relay.devices.records import MAX_SETTINGS_BYTES, About, RegistryError, digest
from relay.devices.registry import Registry
from relay.store.database import Database
from relay.store.tables import devices, metadata, tokens

DOLL, OTHER = "24:6f:28:00:00:01", "24:6f:28:00:00:02"


async def test_a_doll_comes_in_with_its_token_and_with_nothing_else(registry: Registry) -> None:
    token = await registry.issue(DOLL, name="차차")
    other = await registry.issue(OTHER)
    record = await registry.check(DOLL, token)
    assert record is not None
    assert (record.id, record.name) == (DOLL, "차차")
    for wrong in (
        "",
        other,
        token[:-1],
        token + "x",
        token.upper(),
        "x" * 10_000,
        "\udcff",
        "토큰",
    ):
        assert await registry.check(DOLL, wrong) is None
    assert await registry.check("nobody", token) is None


async def test_a_token_has_256_random_bits_and_only_its_hash_is_kept(
    registry: Registry, database: Database
) -> None:
    made = {await registry.issue(DOLL) for _ in range(20)}
    assert len(made) == 20
    assert all(len(token) == 43 for token in made)
    token = await registry.issue(DOLL)
    async with database.reading() as connection:
        rows = [(await connection.execute(select(t))).all() for t in metadata.sorted_tables]
        everything = str(rows)
    assert token not in everything
    assert digest(token) in everything


async def test_a_new_token_ends_the_one_before(registry: Registry) -> None:
    old = await registry.issue(DOLL, name="차차")
    new = await registry.issue(DOLL)
    assert await registry.check(DOLL, old) is None
    record = await registry.check(DOLL, new)
    assert record is not None
    assert record.name == "차차", "it is still the same doll"


async def test_a_rotated_token_ends_the_old_one_only_when_the_doll_has_it(
    registry: Registry,
) -> None:
    old = await registry.issue(DOLL)
    await registry.check(DOLL, old)
    lost = await registry.rotate(DOLL)
    assert await registry.check(DOLL, old) is not None, "the doll may not have got the new one"
    new = await registry.rotate(DOLL)
    assert await registry.check(DOLL, lost) is None, "that one was never used"
    assert await registry.check(DOLL, new) is not None
    assert await registry.check(DOLL, old) is None


async def test_settling_needs_the_right_token(registry: Registry) -> None:
    old = await registry.issue(DOLL)
    await registry.rotate(DOLL)
    await registry.settle(DOLL, "made up")
    assert await registry.check(DOLL, old) is not None


async def test_a_wish_for_a_new_token_is_kept_until_the_doll_has_it(registry: Registry) -> None:
    token = await registry.issue(DOLL)
    await registry.check(DOLL, token)
    await registry.ask_rotation(DOLL)
    new = await registry.rotate(DOLL)
    assert (await registry.good([DOLL]))[DOLL][0].rotate, "it may not have arrived"
    await registry.settle(DOLL, new)
    assert not (await registry.good([DOLL]))[DOLL][0].rotate


async def test_a_revoked_doll_is_out_and_known_and_can_be_let_in_again(registry: Registry) -> None:
    token = await registry.issue(DOLL, name="차차", persona="chacha-en")
    await registry.revoke(DOLL)
    assert await registry.check(DOLL, token) is None
    assert DOLL not in await registry.good([DOLL])
    assert (await registry.find("차차")).revoked is not None
    again = await registry.issue(DOLL)
    assert await registry.check(DOLL, token) is None
    record = await registry.check(DOLL, again)
    assert record is not None
    assert (record.name, record.persona, record.revoked) == ("차차", "chacha-en", None)


async def test_a_removed_doll_leaves_nothing(registry: Registry, database: Database) -> None:
    token = await registry.issue(DOLL)
    await registry.remove(DOLL)
    assert await registry.check(DOLL, token) is None
    assert await registry.all() == []
    async with database.reading() as connection:
        for table in (devices, tokens):
            assert (await connection.execute(select(table))).all() == []


async def test_two_dolls_never_have_one_name(registry: Registry) -> None:
    await registry.issue(DOLL, name="차차")
    with pytest.raises(RegistryError) as error:
        await registry.issue(OTHER, name=" 차차 ")
    assert error.value.problem == "name_taken"
    await registry.issue(OTHER, suggestion="차차")
    await registry.issue("third", suggestion="차차")
    assert [record.name for record in await registry.all()] == ["차차", "차차 2", "차차 3"]
    with pytest.raises(RegistryError):
        await registry.change(OTHER, name="차차")
    assert (await registry.change(DOLL, name="차차")).name == "차차", "its own name it may keep"


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\x00b", "a\x1b[31mb", "a\u202eb"])
async def test_a_name_is_one_short_printable_line(registry: Registry, name: str) -> None:
    await registry.issue(DOLL)
    with pytest.raises(RegistryError) as error:
        await registry.change(DOLL, name=name)
    assert error.value.problem == "bad_name"


async def test_what_is_changed_is_there_and_the_rest_stays(registry: Registry) -> None:
    await registry.issue(DOLL, name="차차", persona="chacha")
    await registry.change(DOLL, language="en", settings={"volume": 40, "말": ["하나"]})
    record = await registry.change(DOLL, persona="")
    assert (record.name, record.persona, record.language) == ("차차", "", "en")
    assert record.settings == {"volume": 40, "말": ["하나"]}
    assert await registry.find(DOLL) == record


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"language": "xx"}, "bad_language"),
        ({"settings": {"x": "y" * MAX_SETTINGS_BYTES}}, "bad_settings"),
        ({"settings": {"x": float("nan")}}, "bad_settings"),
        ({"settings": {"x": object()}}, "bad_settings"),
        ({"instruction": "가" * 8_001}, "bad_instruction"),
        ({"instruction": "half \ud800"}, "bad_instruction"),
        ({"instruction": "nothing\0"}, "bad_instruction"),
    ],
)
async def test_what_cannot_be_is_refused(
    registry: Registry, changes: dict[str, object], problem: str
) -> None:
    await registry.issue(DOLL)
    with pytest.raises(RegistryError) as error:
        await registry.change(DOLL, **changes)  # type: ignore[arg-type]
    assert error.value.problem == problem


@pytest.mark.parametrize("device_id", ["", "a b", "x" * 65, "차차", "a\n"])
async def test_a_device_id_is_short_and_ascii(registry: Registry, device_id: str) -> None:
    with pytest.raises(RegistryError) as error:
        await registry.issue(device_id)
    assert error.value.problem == "no_device_id"


async def test_who_is_not_known_cannot_be_changed(registry: Registry) -> None:
    for wish in (
        registry.change(DOLL, name="x"),
        registry.revoke(DOLL),
        registry.remove(DOLL),
        registry.rotate(DOLL),
        registry.ask_rotation(DOLL),
        registry.find(DOLL),
    ):
        with pytest.raises(RegistryError) as error:
            await wish
        assert error.value.problem == "unknown_device"


async def test_an_id_is_found_before_a_name(registry: Registry) -> None:
    await registry.issue(DOLL, name=OTHER)
    await registry.issue(OTHER, name="차차")
    assert (await registry.find(OTHER)).id == OTHER


async def test_what_a_doll_says_of_itself_is_kept(registry: Registry, clock: object) -> None:
    await registry.issue(DOLL)
    await registry.seen({DOLL: About("uuid", "0.2.0", "esp32s3"), "nobody": About()})
    await registry.seen({DOLL: About()})
    (record,) = await registry.all()
    assert (record.client_id, record.firmware, record.board) == ("uuid", "0.2.0", "esp32s3")
    assert record.last_seen == 1_800_000_000


async def test_the_generation_grows_with_what_connected_dolls_must_follow(
    registry: Registry,
) -> None:
    token = await registry.issue(DOLL)
    await registry.check(DOLL, token)
    before = await registry.generation()
    await registry.seen({DOLL: About("uuid")})
    await registry.check(DOLL, token)
    await registry.find(DOLL)
    assert await registry.generation() == before
    for change in (
        registry.change(DOLL, persona="chacha-en"),
        registry.ask_rotation(DOLL),
        registry.revoke(DOLL),
        registry.remove(DOLL),
    ):
        await change
        assert await registry.generation() > before
        before = await registry.generation()


async def test_a_thousand_and_more_dolls_are_looked_up_at_once(registry: Registry) -> None:
    await registry.issue(DOLL)
    ids = [f"x{number}" for number in range(2500)]
    assert list(await registry.good([*ids, DOLL])) == [DOLL]


async def test_settings_are_json_in_the_database(registry: Registry, database: Database) -> None:
    await registry.issue(DOLL)
    await registry.change(DOLL, settings={"a": 1})
    async with database.reading() as connection:
        assert json.loads((await connection.execute(select(devices.c.settings))).scalar_one()) == {
            "a": 1
        }


async def test_a_generation_is_read_again_only_where_something_was_written(
    tmp_path: Path,
) -> None:
    here, elsewhere = await Database.open(tmp_path), await Database.open(tmp_path)
    registry, other = Registry(here), Registry(elsewhere)
    await registry.issue(DOLL)
    assert here.stamp() is None  # two transactions may leave the same times
    os.utime(tmp_path / "doll.db-wal", (1_000_000, 1_000_000))
    first = await registry.generation()
    assert here.stamp() is not None
    assert await registry.generation() == first
    await other.issue(OTHER)
    assert await registry.generation() > first
    await here.close()
    await elsewhere.close()
