"""Telling sockets what happened, in every process: in order, without gaps, and without waiting for anybody.

Four parts. The *broker* carries envelopes between processes; the *hub* knows who listens in this one, and
makes a gapless stream of what arrives; the *connection* owns one socket and one bounded queue; the *close
codes* say goodbye. `Realtime` ties the first two together. Nothing in here knows what a topic or event means:
the application stores its events, gives each the next number of its topic in the transaction of the change,
publishes after commit, and lets the hub read them through an `EventLog`.
"""

from app.realtime.broker import Broker, MemoryBroker, PostgresBroker, make_broker
from app.realtime.close_codes import CloseCode, Comeback
from app.realtime.connection import Connection, transport_of
from app.realtime.events import Envelope, Frame, Head
from app.realtime.hub import Hub
from app.realtime.listeners import Listening
from app.realtime.log import EventLog
from app.realtime.presence import Presence
from app.realtime.realtime import Realtime

__all__ = [
    "Broker",
    "CloseCode",
    "Comeback",
    "Connection",
    "Envelope",
    "EventLog",
    "Frame",
    "Head",
    "Hub",
    "Listening",
    "MemoryBroker",
    "PostgresBroker",
    "Presence",
    "Realtime",
    "make_broker",
    "transport_of",
]
