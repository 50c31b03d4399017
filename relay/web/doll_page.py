"""`/doll`: the page that is a doll, for a phone or a PC. Files, and the few facts that they need.

Everything is here: no build, and nothing of another host. All of it is for anybody to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from relay import locales
from relay.services import Services
from relay.web.files import HEADERS, File, answer, read
from relay.wire.headers import language

_FOLDER = Path(__file__).parent / "doll"

_SECTION = "doll_page."


@lru_cache(maxsize=1)
def files() -> dict[str, File]:
    """All files of the page by their path under `/doll/`. Nothing else can be asked for."""
    return read(_FOLDER)


def doll_routes(services: Services) -> APIRouter:
    """The page, its words, and its manifest."""
    router = APIRouter(prefix="/doll", include_in_schema=False)

    @router.get("")
    async def without_slash() -> Response:
        return RedirectResponse("doll/", headers=HEADERS)

    @router.get("/about.json")
    async def about(request: Request, lang: str = "") -> Response:
        """Who the doll is, and what the page says, in a language or in the browser's."""
        return JSONResponse(_about(services, lang or language(request.headers)), headers=HEADERS)

    @router.get("/app.webmanifest")
    async def manifest(request: Request) -> Response:
        about = _about(services, language(request.headers))
        return JSONResponse(
            _manifest(about), headers=HEADERS, media_type="application/manifest+json"
        )

    @router.get("/{path:path}")
    async def file(request: Request, path: str) -> Response:
        return answer(request, files().get(path or "index.html"))

    return router


def _about(services: Services, wanted: str) -> dict[str, Any]:
    persona = services.persona
    spoken = wanted if wanted in locales.languages() else persona.language
    if spoken not in locales.languages():
        spoken = locales.FALLBACK
    name, owner = persona.names_in(spoken)
    return {
        "language": spoken,
        "languages": [
            {"code": code, "name": locales.text(code, f"{_SECTION}language")}
            for code in locales.languages()
        ],
        "name": name,
        "owner": owner,
        "texts": {
            key.removeprefix(_SECTION): locales.text(spoken, key)
            for key in locales.lines(locales.FALLBACK)
            if key.startswith(_SECTION)
        },
    }


def _manifest(about: Mapping[str, Any]) -> dict[str, Any]:
    icons = [("any", 192), ("any", 512), ("maskable", 512)]
    return {
        "name": about["name"],
        "short_name": about["name"],
        "description": about["texts"]["description"].format(name=about["name"]),
        "lang": about["language"],
        "id": "/doll/",
        "start_url": "/doll/",
        "scope": "/doll/",
        "display": "standalone",
        "background_color": "#fff5f0",
        "theme_color": "#fff5f0",
        "icons": [
            {
                "src": f"icons/{purpose}-{size}.png",
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for purpose, size in icons
        ],
    }
