"""`/metrics`, as Prometheus reads it."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from relay.cluster.cluster import Cluster
from relay.dolls import Dolls
from relay.metrics import levels
from relay.metrics.settings import MetricsSettings
from relay.metrics.workers import MetricsPage
from relay.services import Services
from relay.web.guard import is_here, problem
from relay.wire.headers import bearer_token


def metrics_routes(dolls: Dolls, services: Services, cluster: Cluster | None = None) -> APIRouter:
    """One page of numbers, with nothing in it of what was said, and no doll by its name."""
    router = APIRouter()
    settings = services.settings.metrics
    levels.know(services.brain.links)
    page = MetricsPage(lambda: len(dolls), services, cluster)

    @router.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        _check(request, settings)
        return Response(await page.text(), media_type=CONTENT_TYPE_LATEST)

    return router


def _check(request: Request, settings: MetricsSettings) -> None:
    """Let through who may read it. With a token set everybody needs it, this machine too: what
    looks like it may be a proxy that says nothing of whom it asks for. Raises HTTPException."""
    if settings.token is None:
        if not is_here(request):
            raise problem(403, "no_metrics_token")
        return
    shown, token = bearer_token(request.headers), settings.token.get_secret_value()
    if not secrets.compare_digest(shown.encode(), token.encode()):
        refusal = problem(401, "wrong_metrics_token")
        refusal.headers = {"www-authenticate": "Bearer"}
        raise refusal
