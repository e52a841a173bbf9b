"""Health checks: whether the process answers, and whether it should be sent requests. No query is made."""

from typing import Protocol

import msgspec
from starlette.requests import Request

from app.http.metrics_route import add_metrics_route
from app.http.replies import Reply
from app.http.routing import Router


class Checked(Protocol):
    """What knows how the process is; an Environment does."""

    def unready(self) -> dict[str, str]:
        """Why it should get no requests: a sentence by name, fit for anybody; empty when it should."""


class Health(msgspec.Struct):
    """`status` is ok or unready; `checks` has a sentence for each check that fails."""

    status: str
    checks: dict[str, str] = {}


def health_router(env: Checked) -> Router:
    """The public routes /health/live, /health/ready and /metrics."""
    router = Router(tags=("health",))
    add_metrics_route(router)

    @router.get("/health/live")
    async def live(request: Request) -> dict[str, str]:
        """The process answers.

        200 from the first moment on, also while a long start or migration still runs: a failure here means
        restart.
        """
        return {"status": "ok"}

    @router.get("/health/ready", responses={503: Health})
    async def ready(request: Request) -> Reply[Health]:
        """The process can do its work.

        200, or 503 with a sentence for each check that fails: a failure here means send requests elsewhere,
        do not restart.
        """
        failing = env.unready()
        if failing:
            return Reply(Health("unready", failing), status=503, headers={"Retry-After": "1"})
        return Reply(Health("ok"))

    return router
