"""As much of an Xtensa LX processor as viper's code needs.

The encodings are those of the Xtensa Instruction Set Architecture Reference Manual: 24-bit
instructions, and the 16-bit ones of the density option, told apart by their lowest four bits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

_WORD = 0xFFFF_FFFF

#: Constants of the instructions that compare with a small number (BEQI and the like).
_B4CONST = (-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256)


class UnknownInstructionError(Exception):
    """The code holds an instruction that this machine does not know."""


class Machine:
    """Runs a function of the windowed calling convention, and counts its instructions.

    `memory` begins at `DATA`, the code at 0. `call` is asked for the result of each call that the
    code makes: it gets the address and the first two arguments.
    """

    DATA = 0x100_0000

    def __init__(
        self, code: bytes, memory: bytearray, call: Callable[[int, int, int], int]
    ) -> None:
        self._code = code
        self._memory = memory
        self._call = call
        self._shift = 0
        self.registers = [0] * 16
        self.pc = 0
        self.counts: Counter[int] = Counter()  #: how often the instruction at each place ran
        self.calls = 0

    @property
    def instructions(self) -> int:
        """How many instructions have run."""
        return self.counts.total()

    def run(self, arguments: list[int], stack: int, limit: int = 10_000_000) -> int:
        """Call the function at 0; its result. Its stack grows down from the address `stack`.

        Raises:
            UnknownInstructionError: the code does what no viper code did when this was written.
            ValueError: it has not returned after `limit` instructions, or reads what is not there.
        """
        self.registers[1] = stack
        self.registers[2 : 2 + len(arguments)] = [value & _WORD for value in arguments]
        self.pc = 0
        for _ in range(limit):
            self.counts[self.pc] += 1
            if self._step():
                return self.registers[2]
        raise ValueError(f"the code did not return after {limit} instructions")

    def load(self, address: int, size: int) -> int:
        """`size` bytes of the memory or the code."""
        source, at = (
            (self._memory, address - self.DATA) if address >= self.DATA else (self._code, address)
        )
        if at + size > len(source):
            raise ValueError(f"there is nothing at {address:#x}")
        return int.from_bytes(source[at : at + size], "little")

    def store(self, address: int, value: int, size: int) -> None:
        """Put the low `size` bytes of `value` into the memory."""
        at = address - self.DATA
        if at < 0 or at + size > len(self._memory):
            raise ValueError(f"there is no memory at {address:#x}")
        self._memory[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    def _step(self) -> bool:
        """Run one instruction; whether it was the return."""
        pc = self.pc
        op0 = self._code[pc] & 15
        size = 2 if op0 >= 8 else 3
        word = self.load(pc, size)
        self.pc = pc + size
        if word in (0xF01D, 0x000090):  # retw.n, retw
            return True
        fields = (word >> 4 & 15, word >> 8 & 15, word >> 12 & 15)  # t, s, r
        if size == 2:
            done = self._narrow(op0, *fields)
        elif op0 == 0:
            done = self._arithmetic(word, *fields)
        elif op0 == 1:
            offset = (word >> 8) - 0x1_0000
            self._set(fields[0], self.load((pc + 3 & ~3) + 4 * offset & _WORD, 4))
            done = True
        elif op0 == 2:
            done = self._memory_or_immediate(word >> 16, *fields)
        elif op0 in (6, 7):
            done = self._jump(pc, op0, word, *fields)
        else:
            done = False
        if not done:
            raise UnknownInstructionError(f"{word:0{2 * size}x} at {pc:#x}")
        return False

    def _set(self, register: int, value: int) -> None:
        self.registers[register] = value & _WORD

    def _signed(self, register: int) -> int:
        return signed(self.registers[register])

    def _narrow(self, op0: int, t: int, s: int, r: int) -> bool:
        a = self.registers
        if op0 == 8:  # l32i.n
            self._set(t, self.load(a[s] + 4 * r & _WORD, 4))
        elif op0 == 9:  # s32i.n
            self.store(a[s] + 4 * r & _WORD, a[t], 4)
        elif op0 == 10:  # add.n
            self._set(r, a[s] + a[t])
        elif op0 == 11:  # addi.n
            self._set(r, a[s] + (t or -1))
        elif op0 == 12 and not t & 8:  # movi.n, -32 to 95
            value = (t & 7) << 4 | r
            self._set(s, value - 128 if value >= 96 else value)
        elif op0 == 12:  # beqz.n, bnez.n
            if (a[s] == 0) != bool(t & 4):
                self.pc += 2 + ((t & 3) << 4 | r)
        elif op0 == 13 and r == 0:  # mov.n
            self._set(t, a[s])
        else:
            return (op0, t, r) == (13, 3, 15)  # nop.n
        return True

    def _arithmetic(self, word: int, t: int, s: int, r: int) -> bool:
        a = self.registers
        op1, op2 = word >> 16 & 15, word >> 20
        if word & 0xFF_F0FF == 0x0000E0:  # callx8: the callee's a2 is our a10
            self.calls += 1
            self._set(10, self._call(a[s], a[10], a[11]))
        elif op1 == 0 and op2 == 4 and r < 2:  # ssr, ssl
            self._shift = a[s] & 31 if r == 0 else 32 - (a[s] & 31)
        elif op1 == 0 and op2 == 6 and s == 0:  # neg
            self._set(r, -a[t])
        elif op1 == 0 and op2 in _SIMPLE:
            self._set(r, _SIMPLE[op2](a[s], a[t]))
        elif op1 == 1 and op2 in (0, 1):  # slli
            self._set(r, a[s] << 32 - (op2 << 4 | t))
        elif op1 == 1 and op2 in (2, 3):  # srai
            self._set(r, self._signed(t) >> ((op2 & 1) << 4 | s))
        elif op1 == 1 and op2 == 4:  # srli
            self._set(r, a[t] >> s)
        elif op1 == 1 and op2 == 9:  # srl
            self._set(r, a[t] >> self._shift)
        elif op1 == 1 and op2 == 10:  # sll
            self._set(r, a[s] << 32 - self._shift)
        elif op1 == 1 and op2 == 11:  # sra
            self._set(r, self._signed(t) >> self._shift)
        elif op1 == 2 and op2 == 8:  # mull
            self._set(r, a[s] * a[t])
        else:
            return False
        return True

    def _memory_or_immediate(self, imm8: int, t: int, s: int, r: int) -> bool:
        base = self.registers[s]
        if r in _SIZES:  # l8ui, l16ui, l32i
            self._set(t, self.load(base + imm8 * _SIZES[r] & _WORD, _SIZES[r]))
        elif r - 4 in _SIZES:  # s8i, s16i, s32i
            size = _SIZES[r - 4]
            self.store(base + imm8 * size & _WORD, self.registers[t], size)
        elif r == 9:  # l16si
            self._set(t, _sign(self.load(base + imm8 * 2 & _WORD, 2), 16))
        elif r == 10:  # movi
            self._set(t, _sign(s << 8 | imm8, 12))
        elif r in (12, 13):  # addi, addmi
            self._set(t, base + (_sign(imm8, 8) << (8 if r == 13 else 0)))
        else:
            return False
        return True

    def _jump(self, pc: int, op0: int, word: int, t: int, s: int, r: int) -> bool:
        offset = _sign(word >> 16, 8)
        if op0 == 7 and r & 7 in _COMPARISONS:  # beq, blt, bltu; with 8 on top bne, bge, bgeu
            a, b = self.registers[s], self.registers[t]
            if r & 7 == 2:
                a, b = signed(a), signed(b)
            jumps = _COMPARISONS[r & 7](a, b) != bool(r & 8)
        elif op0 == 7:
            return False
        elif t & 3 == 0:  # j
            offset, jumps = _sign(word >> 6, 18), True
        elif t & 3 == 1:  # beqz, bnez, bltz, bgez
            offset = _sign(word >> 12, 12)
            holds = self._signed(s) < 0 if t & 8 else self.registers[s] == 0
            jumps = holds != bool(t & 4)
        elif t & 3 == 2:  # beqi, bnei, blti, bgei
            value, other = self._signed(s), _B4CONST[r]
            jumps = (value < other if t & 8 else value == other) != bool(t & 4)
        elif t == 3:  # entry
            self._set(s, self.registers[s] - 8 * (word >> 12))
            return True
        else:
            return False
        if jumps:
            self.pc = pc + 4 + offset
        return True


_SIZES = {0: 1, 1: 2, 2: 4}

_SIMPLE: dict[int, Callable[[int, int], int]] = {
    1: lambda s, t: s & t,
    2: lambda s, t: s | t,
    3: lambda s, t: s ^ t,
    8: lambda s, t: s + t,
    9: lambda s, t: 2 * s + t,  # addx2
    10: lambda s, t: 4 * s + t,
    11: lambda s, t: 8 * s + t,
    12: lambda s, t: s - t,
}

_COMPARISONS: dict[int, Callable[[int, int], bool]] = {
    1: lambda s, t: s == t,
    2: lambda s, t: s < t,
    3: lambda s, t: s < t,
}


def signed(word: int) -> int:
    """A word as the number with a sign that it may stand for."""
    return _sign(word, 32)


def _sign(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
