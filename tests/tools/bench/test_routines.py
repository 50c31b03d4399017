from __future__ import annotations

from tools.bench.routines import routines, viper_functions


def test_every_viper_function_of_the_firmware_is_measured() -> None:
    known = [(routine.file, routine.function) for routine in routines()]
    assert sorted(known) == sorted(viper_functions())
