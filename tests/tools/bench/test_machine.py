from __future__ import annotations

import pytest

from tools.bench.xtensa.machine import Machine, UnknownInstructionError

STACK = Machine.DATA + 1024


def machine(code: str, call: int = 0) -> Machine:
    return Machine(bytes.fromhex(code), bytearray(1024), lambda address, a, b: call)


def test_a_function_returns_and_is_counted() -> None:
    m = machine("36 41 00  22 a1 2c  1d f0")  # entry a1, 32; movi a2, 300; retw.n
    assert m.run([1, 2], STACK) == 300
    assert m.instructions == 3
    assert m.registers[1] == STACK - 32


def test_a_call_is_answered_from_outside() -> None:
    m = machine("36 41 00  e0 08 00  2d 0a  1d f0", call=77)  # callx8 a8; mov.n a2, a10
    assert m.run([1], STACK) == 77
    assert m.calls == 1


@pytest.mark.parametrize("code", ["00 00 00", "00 00 f0", "03 00 00", "f6 7e 00"])
def test_an_instruction_that_it_does_not_know_is_named(code: str) -> None:
    with pytest.raises(UnknownInstructionError, match="at 0x0"):
        machine(code + "00 00").run([], STACK)


def test_code_that_does_not_return_is_stopped() -> None:
    with pytest.raises(ValueError, match="did not return"):
        machine("06 ff ff 00").run([], STACK, limit=1000)  # j to itself


@pytest.mark.parametrize("code", ["22 22 00", "22 62 00", "2d f0"])
def test_memory_that_is_not_there_is_told(code: str) -> None:
    # l32i and s32i through a null pointer into the code, and code that ends.
    with pytest.raises((ValueError, IndexError, UnknownInstructionError)):
        machine(code).run([0xFFFF_0000], STACK)
