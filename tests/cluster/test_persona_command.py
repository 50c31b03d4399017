"""`doll persona` on a machine whose relay has its personas in PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from pathlib import Path

from relay.persona import load
from relay.persona.shared import SharedPersonas
from relay.store.database import Database

TEXT = 'name = "{name}"\nlanguages = ["ko"]\ncharacter = "Quiet."\n'


async def test_personas_are_edited_imported_and_exported_in_the_database(
    database: str, tmp_path: Path
) -> None:
    code = (
        "import sys, pathlib; path = pathlib.Path(sys.argv[1]); "
        "path.write_text(path.read_text('utf-8').replace('보리', '콩'), 'utf-8')"
    )

    async def persona(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.cli", "persona", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                **os.environ,
                "DOLL_RELAY__DATA": str(tmp_path / "data"),
                "DOLL_RELAY__DATABASE": database,
                "EDITOR": shlex.join([sys.executable, "-c", code]),
                "LC_ALL": "C.UTF-8",
                "PYTHONUTF8": "1",
                "COLUMNS": "200",
            },
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()

    (tmp_path / "own.toml").write_text(TEXT.format(name="보리"), encoding="utf-8")
    await persona("import", str(tmp_path / "own.toml"))
    await persona("edit", "own")
    assert "own" in [line.split()[0] for line in (await persona("list")).splitlines()]
    assert '"콩"' in await persona("show", "own", "--file")
    await persona("export", str(tmp_path / "copies"))
    assert load("own", tmp_path / "copies").name == "콩"
    assert not (tmp_path / "data" / "personas").exists()

    opened = await Database.open(tmp_path, database)
    shared = await SharedPersonas.open(opened)
    assert load("own", shared.folder).name == "콩"
    await shared.close()
    await opened.close()
