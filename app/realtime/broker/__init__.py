"""Carrying envelopes between processes: one interface, an implementation for each medium.

All of them pass the same tests.
"""

from app.core.errors import StartError
from app.realtime.broker.base import Broker, Listener
from app.realtime.broker.memory import MemoryBroker
from app.realtime.broker.postgres import Connect, PostgresBroker
from app.realtime.settings import PubSubSettings

__all__ = ["Broker", "Connect", "Listener", "MemoryBroker", "PostgresBroker", "make_broker"]


def make_broker(settings: PubSubSettings, *, connect: Connect) -> Broker:
    """The broker of PUBSUB__BACKEND. Raises StartError for one that is not there.

    `connect` opens a direct connection to the database, for the postgres one.
    """
    if settings.backend == "memory":
        return MemoryBroker()
    if settings.backend == "postgres":
        return PostgresBroker(connect)
    raise StartError(
        f"PUBSUB__BACKEND={settings.backend} is not there: take postgres, or memory for one process"
    )
