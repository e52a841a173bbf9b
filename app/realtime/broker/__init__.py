"""Carrying envelopes between processes: one interface, an implementation for each medium.

All of them pass the same tests.
"""

from app.realtime.broker.base import Broker, Listener
from app.realtime.broker.memory import MemoryBroker
from app.realtime.broker.postgres import Connect, PostgresBroker
from app.realtime.broker.redis import RedisBroker
from app.realtime.settings import PubSubSettings

__all__ = ["Broker", "Connect", "Listener", "MemoryBroker", "PostgresBroker", "RedisBroker", "make_broker"]


def make_broker(settings: PubSubSettings, *, connect: Connect) -> Broker:
    """The broker of PUBSUB__BACKEND. `connect` opens a direct connection to the database, for the postgres
    one.
    """
    if settings.backend == "memory":
        return MemoryBroker()
    if settings.backend == "redis":
        assert settings.url is not None, "checked with the settings"
        return RedisBroker(settings.url, channel=settings.channel)
    return PostgresBroker(connect)
