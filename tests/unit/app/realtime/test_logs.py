import pytest

from app.realtime.logs import EventLogs, kind_of
from app.realtime.testing import MemoryEventLog


def test_the_kind_of_a_topic_stands_before_the_colon() -> None:
    assert [kind_of(topic) for topic in ("chat:7", "chat", "a:b:c", "")] == ["chat", "chat", "a", ""]


async def test_each_kind_of_topic_is_read_in_its_own_log() -> None:
    chats, orders = MemoryEventLog(), MemoryEventLog()
    logs = EventLogs({"chat": chats})
    logs.add("order", orders)
    said = chats.append("chat:1", joins=(7,))
    shipped = [orders.append("order:1"), orders.append("order:1", joins=(7, 8))]
    assert await logs.heads(["chat:1", "order:1", "chat:2", "price:1"]) == {"chat:1": 1, "order:1": 2}
    assert list(await logs.read("chat:1", 0, 10)) == [said]
    assert list(await logs.read("order:1", 1, 10)) == shipped[1:]
    assert list(await logs.read("price:1", 0, 10)) == []
    assert list(await logs.joins([7], 60)) == [said, shipped[1]]
    assert list(await logs.joins([8], 60)) == [shipped[1]]
    with pytest.raises(ValueError, match="order"):
        logs.add("order", chats)


async def test_a_log_is_not_asked_for_topics_of_others() -> None:
    chats, orders = MemoryEventLog(), MemoryEventLog()
    logs = EventLogs({"chat": chats, "order": orders})
    await logs.heads(["chat:1"])
    assert (chats.compared, orders.compared) == (["chat:1"], [])


def test_events_that_had_to_be_looked_for_are_counted() -> None:
    logs = EventLogs({"chat": MemoryEventLog()})
    logs.caught_up(2)
    logs.caught_up(1)
    assert logs.events_caught_up == 3
