"""Bundles: what the relay packs is what the doll writes, and nothing else gets onto its flash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from relay.devices.bundle import BundleError, pack

Micropython = Callable[..., str]

PRELUDE = """
import hashlib, json, os, sys
from doll.bundle import Bundle, path_of
from doll import slots

def take(stream, size=None, step=700):
    slots.remove("app-a")
    b = Bundle("app-a", len(stream) if size is None else size)
    at = 0
    while at < len(stream):
        n = min(step, len(stream) - at)
        b.take(stream, at, n)
        at += n
    return b

# How taking it ends: "" or the error's text.
def error(stream, size=None):
    try:
        b = take(stream, size)
        b.digest()
        return ""
    except (ValueError, OSError) as e:
        return str(e)

def line(path, data, digest=None):
    return b"%s %d %s\\n" % (path, len(data), digest or hashlib.sha256(data).digest().hex()) + data
"""


@pytest.fixture
def run(micropython: Micropython) -> Callable[..., str]:
    def run(script: str, *args: str) -> str:
        return micropython(PRELUDE + script, *args)

    return run


Run = Callable[..., str]

FILES = {
    "doll/app.mpy": bytes(range(256)) * 21,
    "doll/empty.py": b"",
    "doll/pages/en.json": b'{"a": "\n\n\n"}',
    "boards/one.py": b"X = 1\n" * 86,  # 516 bytes: four over a piece
    "doll/exact.py": b"#" * 512,
}


@pytest.mark.parametrize("step", [1, 7, 511, 512, 513, 4000])
def test_what_was_packed_is_written_however_it_is_cut(run: Run, tmp_path: Path, step: int) -> None:
    stream = pack(FILES.items())
    (tmp_path / "stream").write_bytes(stream)
    output = run(f"""
b = take(open("stream", "rb").read(), step={step})
print(b.digest().hex())
print(json.dumps(sorted(b.paths)))
""")
    digest, paths = output.splitlines()
    assert digest == hashlib.sha256(stream).hexdigest()
    assert json.loads(paths) == sorted(p.removesuffix(".py").removesuffix(".mpy") for p in FILES)
    for path, data in FILES.items():
        assert (tmp_path / "app-a" / path).read_bytes() == data


BAD_PATHS = [
    *("../main.py", "doll/../../main.py", "/main.py", "doll//a.py", "doll/", "", ".", ".."),
    *("doll/.hidden", "doll/a\0.py", "doll/a\\b.py", "doll/ä.py", "d" * 65, "doll/./a.py", "a/~"),
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_leads_elsewhere_is_refused_on_both_sides(run: Run, path: str) -> None:
    with pytest.raises(BundleError):
        pack([(path, b"x")])
    output = run(f"""
print(error(line({path.encode()!r}, b"x")))
print(sorted(os.listdir("app-a")))
""")
    assert output.splitlines() == ["a path that may not be", "[]"]


@pytest.mark.parametrize("path", ["a", "doll/app.mpy", "doll/pages/ko.json", "A-b_c.d", "d" * 64])
def test_a_path_that_stays_inside_is_taken_on_both_sides(run: Run, path: str) -> None:
    assert pack([(path, b"x")])
    assert run(f"print(path_of({path.encode()!r}))") == f"{path}\n"


def test_a_file_that_is_not_what_its_line_says_ends_it(run: Run) -> None:
    assert run("print(error(line(b'doll/a.py', b'xyz', '0' * 64)))") == "sha256 of doll/a.py\n"


def test_a_stream_that_ends_too_early_or_too_late_is_none(run: Run) -> None:
    output = run("""
whole = line(b"doll/a.py", b"x" * 1000)
for cut in (1, 50, 100, 999):
    print(error(whole[:-cut], len(whole)))
print(error(whole, len(whole) + 1))
print(error(whole, len(whole) - 1))
print(error(whole + b"doll/b", len(whole) + 6))
""").splitlines()
    assert output == ["ends in the middle of a file"] * 5 + [
        "longer than was announced",
        "ends in the middle of a file",
    ]


@pytest.mark.parametrize(
    "head",
    [
        b"doll/a.py 3\n",
        b"doll/a.py 3 " + b"0" * 63 + b"\n",
        b"doll/a.py -3 " + b"0" * 64 + b"\n",
        b"doll/a.py 3x " + b"0" * 64 + b"\n",
        b"doll/a.py 12345678 " + b"0" * 64 + b"\n",
        b"doll/a.py 3 " + b"g" * 64 + b"\n",
        b"doll/a b.py 3 " + b"0" * 64 + b"\n",
        b"doll/a.py 3  " + b"0" * 64 + b"\n",
        b"\n",
        b"x" * 400,
        b"doll/a.py 999999 " + b"0" * 64 + b"\n",
    ],
)
def test_a_line_that_is_none_ends_it(run: Run, head: bytes) -> None:
    assert run(f"print(error({head!r} + b'abc'))").strip()


def test_random_bytes_and_damaged_bundles_never_do_more_than_fail(run: Run, tmp_path: Path) -> None:
    (tmp_path / "stream").write_bytes(pack(FILES.items()))
    output = run("""
whole = open("stream", "rb").read()
good = hashlib.sha256(whole).digest()
state = 12345
def rnd(n):
    global state
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    return (state >> 8) % n
passed = 0
for i in range(3000):
    if i % 3 == 0:
        stream = bytes(rnd(256) for _ in range(rnd(300)))
    else:
        stream = bytearray(whole[: len(whole) - rnd(40) * (i % 2)])
        for _ in range(1 + rnd(3)):
            stream[rnd(200) if i % 2 else rnd(len(stream))] = rnd(256)
    try:
        if take(stream, step=1 + rnd(900)).digest() == good:
            passed += 1
            assert stream == whole
    except (ValueError, OSError):
        pass
    assert all(name in ("app-a", "script.py", "stream") for name in os.listdir(".")), i
print("end")
""")
    assert output == "end\n"


def test_too_many_files_and_too_many_bytes_are_not_packed() -> None:
    with pytest.raises(BundleError, match="200 files"):
        pack((f"doll/m{n}.py", b"") for n in range(201))
    with pytest.raises(BundleError, match="1000000 bytes"):
        pack([("doll/a.py", bytes(1_000_001))])


def test_too_many_files_are_not_taken(run: Run) -> None:
    output = run("""
print(error(b"".join(line(b"doll/m%d.py" % n, b"") for n in range(201))))
""")
    assert output == "too many files, or too large\n"
