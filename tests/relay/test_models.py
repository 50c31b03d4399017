"""Models are put together from parts, checked, and kept."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relay import models
from relay.models import Model, ModelError, ModelFile, ensure, models_directory

WHOLE = b"first half, second half"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A small model whose two parts lie in two installed packages."""
    site = tmp_path / "site"
    for name, part in (("doll_test_part1", WHOLE[:11]), ("doll_test_part2", WHOLE[11:])):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").touch()
        (site / name / "part").write_bytes(part)
    monkeypatch.syspath_prepend(str(site))
    parts = (("doll_test_part1", "part"), ("doll_test_part2", "part"))
    return Model("small", (ModelFile("model.bin", hashlib.sha256(WHOLE).hexdigest(), parts),))


def count_hashing(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    hashed: list[Path] = []
    real = models.digest

    def digest(path: Path) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(models, "digest", digest)
    return hashed


def test_the_parts_become_the_whole_file(model: Model, tmp_path: Path) -> None:
    home = ensure(model, tmp_path / "models")
    assert home == tmp_path / "models" / "small"
    assert (home / "model.bin").read_bytes() == WHOLE
    assert sorted(path.name for path in home.iterdir()) == ["checked.json", "model.bin"]


def test_a_checked_file_is_not_read_again(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(model, tmp_path)
    hashed = count_hashing(monkeypatch)
    ensure(model, tmp_path)
    assert hashed == []


def test_a_file_that_was_touched_is_checked_again_and_kept_when_right(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = ensure(model, tmp_path)
    os.utime(home / "model.bin", (1, 1))
    hashed = count_hashing(monkeypatch)
    ensure(model, tmp_path)
    ensure(model, tmp_path)
    assert hashed == [home / "model.bin"]
    assert (home / "model.bin").stat().st_mtime == 1


def test_a_file_that_was_changed_is_put_together_anew(model: Model, tmp_path: Path) -> None:
    home = ensure(model, tmp_path)
    (home / "model.bin").write_bytes(b"not the model")
    ensure(model, tmp_path)
    assert (home / "model.bin").read_bytes() == WHOLE


def test_a_file_put_there_by_hand_needs_no_package(tmp_path: Path) -> None:
    digest = hashlib.sha256(WHOLE).hexdigest()
    model = Model("small", (ModelFile("model.bin", digest, (("no_such_package", "part"),)),))
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "model.bin").write_bytes(WHOLE)
    assert ensure(model, tmp_path) == tmp_path / "small"


def test_parts_with_another_digest_are_refused_and_leave_nothing(
    model: Model, tmp_path: Path
) -> None:
    (tmp_path / "site" / "doll_test_part2" / "part").write_bytes(b"evil")
    with pytest.raises(ModelError, match="pip install --force-reinstall doll-test-part1 doll-test"):
        ensure(model, tmp_path / "models")
    assert list((tmp_path / "models" / "small").iterdir()) == []


def test_a_missing_package_names_the_extra(tmp_path: Path) -> None:
    model = Model("small", (ModelFile("model.bin", "0" * 64, (("no_such_package", "part"),)),))
    with pytest.raises(ModelError, match=r"pip install 'talking-doll\[embedded\]'"):
        ensure(model, tmp_path)


def test_a_model_without_packages_names_the_command(tmp_path: Path) -> None:
    model = Model("whisper-small", (ModelFile("model.bin", "0" * 64, ()),))
    with pytest.raises(ModelError, match="doll models pull small"):
        ensure(model, tmp_path)


def test_a_full_disk_is_said_clearly_and_leaves_nothing(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(models, "_blocks", full)
    with pytest.raises(ModelError, match=r"disk is full.*DOLL_MODELS"):
        ensure(model, tmp_path)
    assert list((tmp_path / "small").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_said_clearly(model: Model, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="DOLL_MODELS"):
        ensure(model, tmp_path / "file")


def test_a_stamp_that_cannot_be_read_costs_one_check(model: Model, tmp_path: Path) -> None:
    home = ensure(model, tmp_path)
    for broken in ("", "[]", "{", '{"model.bin": 3}'):
        (home / models.STAMP).write_text(broken)
        assert ensure(model, tmp_path) == home


def test_many_at_once_all_get_the_whole_model(model: Model, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        homes = list(pool.map(lambda _: ensure(model, tmp_path), range(8)))
    assert set(homes) == {tmp_path / "small"}
    assert (tmp_path / "small" / "model.bin").read_bytes() == WHOLE
    assert list((tmp_path / "small").glob("*.partial")) == []


def test_what_a_dead_process_left_is_removed_and_a_live_one_is_left(
    model: Model, tmp_path: Path
) -> None:
    (tmp_path / "small").mkdir()
    old, new = tmp_path / "small" / "a.partial", tmp_path / "small" / "b.partial"
    old.touch()
    new.touch()
    long_ago = time.time() - 2 * models.ABANDONED_S
    os.utime(old, (long_ago, long_ago))
    ensure(model, tmp_path)
    assert not old.exists()
    assert new.exists()


def test_the_directory_is_chosen_by_doll_models_then_by_the_users_cache() -> None:
    assert models_directory({"DOLL_MODELS": "/somewhere"}) == Path("/somewhere")
    assert models_directory({"DOLL_MODELS": "~/m"}) == Path.home() / "m"
    assert models_directory({}).parts[-2:] == ("talking-doll", "models")


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="XDG is Linux's")
def test_the_users_cache_is_where_xdg_says() -> None:
    assert models_directory({"XDG_CACHE_HOME": "/c"}) == Path("/c/talking-doll/models")
