"""`/`: the owner's page. Its files and words are for anybody; what it shows needs a login."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from relay.services import Services
from relay.web.files import HEADERS, File, answer, read
from relay.wire.headers import language

_FOLDER = Path(__file__).parent / "dashboard"

#: The words of the page in each of its languages, the first one for whoever reads none of them.
_LANGUAGES = ("en", "ko")


@lru_cache(maxsize=1)
def files() -> dict[str, File]:
    """All files of the page by their path under `/dashboard/`. Nothing else can be asked for."""
    return read(_FOLDER)


@lru_cache(maxsize=4)
def texts(language: str) -> MappingProxyType[str, str]:
    """All that the page says in one of its languages."""
    path = _FOLDER / "texts" / f"{language}.toml"
    return MappingProxyType(tomllib.loads(path.read_text(encoding="utf-8")))


def dashboard_routes(services: Services) -> APIRouter:
    """The page, its files and its words."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        return answer(request, files()["index.html"])

    @router.get("/dashboard/texts.json")
    async def words(request: Request, lang: str = "") -> Response:
        """What the page says, in a language or in the browser's."""
        wanted = lang or language(request.headers)
        spoken = wanted if wanted in _LANGUAGES else _LANGUAGES[0]
        about: dict[str, Any] = {
            "language": spoken,
            "languages": [{"code": c, "name": texts(c)["language"]} for c in _LANGUAGES],
            "name": services.persona.names_in(spoken)[0],
            "texts": dict(texts(spoken)),
        }
        return JSONResponse(about, headers=HEADERS)

    @router.get("/dashboard/{path:path}")
    async def file(request: Request, path: str) -> Response:
        return answer(request, files().get(path))

    return router
