"""Carrying envelopes between processes: one interface, an implementation for each medium.

All of them pass the same tests.
"""

from importlib import import_module
from importlib.util import find_spec

from app.core.errors import StartError
from app.realtime.broker.base import Broker, BrokerNumbers, Listener
from app.realtime.broker.memory import MemoryBroker
from app.realtime.broker.postgres import Connect, PostgresBroker
from app.realtime.settings import PubSubSettings

__all__ = [
    "Broker",
    "BrokerNumbers",
    "Connect",
    "Listener",
    "MemoryBroker",
    "PostgresBroker",
    "make_broker",
]


def make_broker(settings: PubSubSettings, *, connect: Connect) -> Broker:
    """The broker of PUBSUB__BACKEND. `connect` opens a direct connection to the database, for the postgres
    one. Raises StartError for the redis one where its client is not installed.
    """
    if settings.backend == "memory":
        return MemoryBroker()
    if settings.backend == "redis":
        assert settings.url is not None, "checked with the settings"
        return _redis_broker(settings.url, settings.channel)
    return PostgresBroker(connect)


def _redis_broker(url: str, channel: str) -> Broker:
    """Its client takes 50 ms and some megabytes to import: who has another broker does not pay for it."""
    if find_spec("redis") is None:
        raise StartError(
            "PUBSUB__BACKEND is redis, and its client is not installed: `pip install 'starling[redis]'`"
        )
    broker: Broker = import_module("app.realtime.broker.redis").RedisBroker(url, channel=channel)
    return broker
