"""What /metrics tells of sockets, and of the events that go between processes and to them."""

from app.http.metrics import Family
from app.realtime import Presence, Realtime


def numbers(realtime: Realtime, presence: Presence) -> list[Family]:
    """The sockets of this process, its broker, and how often that had to be made up for."""
    hub, broker = realtime.hub, realtime.broker_numbers()
    delivered = hub.numbers
    sockets = hub.receivers()
    congested = sum(socket.is_congested for socket in sockets)
    return [
        Family.single("starling_chat_sockets", "gauge", "WebSockets that are signed in.", len(sockets)),
        Family.single(
            "starling_chat_sockets_congested",
            "gauge",
            "Those of them with a fourth of the queue full.",
            congested,
        ),
        Family.single(
            "starling_chat_users_online", "gauge", "Users with a WebSocket, at any worker.", len(presence)
        ),
        Family.single(
            "starling_chat_topics", "gauge", "Chats that somebody here listens to.", len(hub.topics)
        ),
        Family.single(
            "starling_chat_events_delivered_total",
            "counter",
            "Events that were handed to sockets, each socket's apart.",
            delivered.told,
        ),
        Family.single(
            "starling_chat_frames_dropped_total",
            "counter",
            "Frames that sockets did not get because they were closed with 4013: they come back and read on.",
            delivered.dropped,
        ),
        Family.single(
            "starling_chat_sockets_slow_total",
            "counter",
            "Sockets that were closed with 4013: too slow.",
            delivered.cut,
        ),
        Family.single(
            "starling_broker_up", "gauge", "1 while events are sent and arrive.", not realtime.health()
        ),
        Family.single("starling_broker_waiting", "gauge", "Events that wait to be sent.", broker.waiting),
        Family.single(
            "starling_broker_lag_seconds", "gauge", "From sending to arrival here.", broker.lag_seconds
        ),
        Family.single(
            "starling_broker_published_total", "counter", "Events that were handed over.", broker.published
        ),
        Family.single("starling_broker_received_total", "counter", "Events that arrived.", broker.received),
        Family.single(
            "starling_broker_reconnects_total",
            "counter",
            "Connections of the broker after the first one.",
            max(0, broker.connected - 1),
        ),
        Family.single(
            "starling_events_caught_up_total",
            "counter",
            "Events that were read in the database because no word of them came in time.",
            realtime.events_caught_up,
        ),
    ]
