"""From a code to a token."""

from __future__ import annotations

import asyncio

import pytest

from relay.devices.pairing import Pairing, Pending
from relay.devices.records import RegistryError
from relay.devices.registry import Registry
from relay.devices.settings import PairingSettings
from relay.store.database import Database
from tests.relay.devices.conftest import Clock

DOLL = "24:6f:28:00:00:01"
UUID = "5c9ab9d1-0b7a-4b33-9d0b-6f8f3a1f0001"


async def begin(pairing: Pairing, device: str = DOLL, client: str = UUID) -> Pending:
    return await pairing.begin(device, client, "192.0.2.7")


async def test_a_confirmed_doll_gets_a_token_that_lets_it_in(
    pairing: Pairing, registry: Registry
) -> None:
    pending = await begin(pairing)
    assert await pairing.deliver(pending.ticket) is None, "nobody has confirmed it"
    record = await pairing.confirm(pending.code, source="cli", name="차차", persona="chacha")
    assert (record.id, record.name, record.persona) == (DOLL, "차차", "chacha")
    assert record.client_id == UUID
    token = await pairing.deliver(pending.ticket)
    assert token is not None
    assert await registry.check(DOLL, token) is not None
    assert await pairing.is_done(DOLL)
    assert await pairing.deliver(pending.ticket) is None, "it has it: there is no second one"


async def test_a_token_that_got_lost_on_its_way_is_made_anew(
    pairing: Pairing, registry: Registry
) -> None:
    pending = await begin(pairing)
    await pairing.confirm(pending.code, source="cli")
    lost = await pairing.deliver(pending.ticket)
    again = await begin(pairing)  # the doll has come back without it
    assert again.ticket == pending.ticket
    assert again.confirmed
    token = await pairing.deliver(again.ticket)
    assert lost is not None
    assert token is not None
    assert await registry.check(DOLL, lost) is None
    assert await registry.check(DOLL, token) is not None


async def test_a_doll_that_comes_back_keeps_its_code(pairing: Pairing) -> None:
    assert await begin(pairing) == await begin(pairing)


async def test_another_device_with_the_same_id_has_another_code_and_no_part_in_the_token(
    pairing: Pairing, registry: Registry
) -> None:
    doll = await begin(pairing)
    thief = await begin(pairing, client="another")
    nameless = await begin(pairing, client="")
    assert len({doll.code, thief.code, nameless.code}) == 3
    await pairing.confirm(doll.code, source="cli")
    for other in (thief, nameless):
        assert await pairing.deliver(other.ticket) is None
    assert await pairing.deliver(doll.ticket) is not None


async def test_without_a_client_id_nobody_can_take_over_what_was_begun(pairing: Pairing) -> None:
    first = await begin(pairing, client="")
    await pairing.confirm(first.code, source="cli")
    assert (await begin(pairing, client="")).ticket != first.ticket


async def test_a_code_expires(pairing: Pairing, clock: Clock) -> None:
    pending = await begin(pairing)
    clock.now += 599
    assert await pairing.status(pending.ticket) == pending
    clock.now += 1
    assert await pairing.status(pending.ticket) is None
    with pytest.raises(RegistryError) as error:
        await pairing.confirm(pending.code, source="cli")
    assert error.value.problem == "no_code"


async def test_a_confirmation_that_nobody_fetches_expires(pairing: Pairing, clock: Clock) -> None:
    pending = await begin(pairing)
    await pairing.confirm(pending.code, source="cli")
    clock.now += 600
    assert await pairing.deliver(pending.ticket) is None


async def test_a_code_is_good_once(pairing: Pairing) -> None:
    pending = await begin(pairing)
    await pairing.confirm(pending.code, source="cli")
    with pytest.raises(RegistryError) as error:
        await pairing.confirm(pending.code, source="cli")
    assert error.value.problem == "no_code"


async def test_guessing_is_limited_and_a_right_code_does_not_get_through_then(
    pairing: Pairing, clock: Clock
) -> None:
    pending = await begin(pairing)
    wrong = "000000" if pending.code != "000000" else "111111"
    for _ in range(5):
        with pytest.raises(RegistryError) as error:
            await pairing.confirm(wrong, source="192.0.2.9")
        assert error.value.problem == "no_code"
    for code in (wrong, pending.code):
        with pytest.raises(RegistryError) as error:
            await pairing.confirm(code, source="192.0.2.9")
        assert error.value.problem == "too_many_guesses"
        assert error.value.values["seconds"] == 600
    assert await pairing.confirm(pending.code, source="cli"), "others are not kept out by that"


async def test_the_guesses_of_many_add_up(pairing: Pairing) -> None:
    pending = await begin(pairing)
    wrong = "000000" if pending.code != "000000" else "111111"
    for number in range(20):
        with pytest.raises(RegistryError):
            await pairing.confirm(wrong, source=f"192.0.2.{number}")
    with pytest.raises(RegistryError) as error:
        await pairing.confirm(pending.code, source="another")
    assert error.value.problem == "too_many_guesses"


async def test_guesses_at_the_same_time_are_all_counted(pairing: Pairing) -> None:
    pending = await begin(pairing)
    codes = [f"{number:06}" for number in range(30) if f"{number:06}" != pending.code]
    results = await asyncio.gather(
        *(pairing.confirm(code, source="192.0.2.9") for code in codes), return_exceptions=True
    )
    problems = [result.problem for result in results if isinstance(result, RegistryError)]
    assert problems.count("no_code") == 5
    assert problems.count("too_many_guesses") == len(codes) - 5


async def test_places_are_limited(pairing: Pairing) -> None:
    for number in range(4):
        await pairing.begin(f"doll-{number}", "", "192.0.2.7")
    with pytest.raises(RegistryError) as error:
        await pairing.begin("doll-5", "", "192.0.2.7")
    assert error.value.problem == "too_many_pairings"
    for number in range(12):
        await pairing.begin(f"other-{number}", "", f"198.51.100.{number}")
    with pytest.raises(RegistryError):
        await pairing.begin("one-more", "", "203.0.113.1")


async def test_places_come_free_again(database: Database, registry: Registry, clock: Clock) -> None:
    pairing = Pairing(database, registry, PairingSettings(waiting=1))
    await begin(pairing)
    with pytest.raises(RegistryError):
        await begin(pairing, "doll-2")
    clock.now += 600
    await begin(pairing, "doll-2")


async def test_a_doll_that_was_reset_is_paired_again_under_its_name(
    pairing: Pairing, registry: Registry
) -> None:
    old = await registry.issue(DOLL, name="차차")
    pending = await begin(pairing)
    assert await registry.check(DOLL, old) is not None, "asking for a code changes nothing"
    record = await pairing.confirm(pending.code, source="cli")
    assert record.name == "차차"
    token = await pairing.deliver(pending.ticket)
    assert token is not None
    assert await registry.check(DOLL, old) is None


async def test_a_name_that_is_taken_leaves_the_code_as_it_was(
    pairing: Pairing, registry: Registry
) -> None:
    await registry.issue("other", name="차차")
    pending = await begin(pairing)
    with pytest.raises(RegistryError) as error:
        await pairing.confirm(pending.code, source="cli", name="차차")
    assert error.value.problem == "name_taken"
    assert (await pairing.confirm(pending.code, source="cli", name="초코")).name == "초코"


async def test_revoking_ends_what_was_begun(pairing: Pairing, registry: Registry) -> None:
    pending = await begin(pairing)
    await pairing.confirm(pending.code, source="cli")
    await registry.revoke(DOLL)
    assert await pairing.deliver(pending.ticket) is None
