"""How the contestants that are not Starling are served: one uvicorn process, told by its environment.

Importable in a peer's environment."""

import gc
import os
from typing import Any, Final

import jwt
import uvicorn

ALGORITHM: Final = "HS256"
ISSUER: Final = "bench"
AUDIENCE: Final = "bench"


def database_url() -> str:
    """The database that all contestants share."""
    return os.environ["BENCH_DATABASE_URL"]


def asker(authorization: str | None) -> int | None:
    """The id of the user whose token that header has; None when it is not valid.

    The check that every hand-written service has: signature, expiry, issuer and audience by PyJWT."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme != "Bearer":
        return None
    try:
        claims = jwt.decode(
            token, os.environ["BENCH_SECRET"], algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE
        )
    except jwt.InvalidTokenError:
        return None
    return int(claims["sub"])


def run(app: Any) -> None:
    """Serve `app` until SIGTERM, as a production server: uvloop, httptools, no log of requests, and a
    collector of garbage that leaves alone what was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
    )
