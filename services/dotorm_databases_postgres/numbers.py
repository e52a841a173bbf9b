"""What /metrics tells of the database as this process uses it."""

from app.http.metrics import Family
from orm.database import Database


def numbers(db: Database, trouble: str | None) -> list[Family]:
    """The pool, and what was asked of the server."""
    pool = db.pool
    return [
        Family.single(
            "starling_database_up",
            "gauge",
            "1 while the database answers and can be written to.",
            float(not trouble),
        ),
        Family.single(
            "starling_pool_connections", "gauge", "Connections of the pool, busy ones included.", pool.size
        ),
        Family.single("starling_pool_idle", "gauge", "Connections of the pool that nobody uses.", pool.idle),
        Family.single("starling_pool_waiting", "gauge", "Callers that wait for a connection.", pool.waiting),
        Family.single(
            "starling_database_round_trips_total",
            "counter",
            "Messages to the database that were waited for, transactions and prepares included.",
            pool.round_trips,
        ),
    ]
