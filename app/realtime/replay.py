"""Bringing one subscription from where it is to the live stream, without holding up anyone else."""

from collections.abc import Callable

from app.realtime.close_codes import CloseCode
from app.realtime.events import Envelope, Frame
from app.realtime.hub_numbers import HubNumbers
from app.realtime.reader import LogReader
from app.realtime.topic import CHECK_AGAIN, Entry, Receiver, Topic


async def replay(
    topic: Topic,
    entry: Entry,
    reader: LogReader,
    numbers: HubNumbers,
    *,
    leave: Callable[[Topic, Receiver], None],
) -> None:
    """Send `entry.receiver` what it has not got, from the log, until it can be live; then it is.

    The pace is the receiver's. Meanwhile the live stream goes on for the others; what of it this one still
    needs is read in the log, or taken from what the topic remembers for its replays. It ends early, by
    `leave`, where an event ends the right to listen, and it just ends when the subscription was given up or
    replaced.
    """

    def is_wanted() -> bool:
        return topic.replays.get(entry.receiver) is entry

    while is_wanted():
        events = topic.recent_after(entry.position)
        if not events:
            read = await reader.read(topic.name, entry.position, is_wanted=is_wanted)
            if read is None or not is_wanted():
                return
            if not read or read[0].durable_seq > entry.position + 1:
                if not _reset(entry):
                    entry.receiver.close(CloseCode.RESTART, CHECK_AGAIN)
                    leave(topic, entry.receiver)
                    return
            else:
                events = list(read)
        for event in events:
            if not await entry.receiver.drained() or not is_wanted():
                return
            numbers.told += 1
            if _send(entry, event):
                leave(topic, entry.receiver)
                return
        if entry.position >= topic.delivered:
            topic.leave(entry.receiver)
            topic.enter(entry)


def _send(entry: Entry, event: Envelope) -> bool:
    """Send one event. True when it is the last that this receiver may get."""
    entry.receiver.send_nowait(Frame(event.frame))
    entry.position = event.durable_seq
    return entry.position > entry.admitted and entry.user_id in event.ends


def _reset(entry: Entry) -> bool:
    """Tell the receiver that it has to start anew from where its right was checked.

    False when it was told before, or never asked for the past: then events behind that check are gone, among
    which may be the one that ends its right; it has to come back and be checked again.
    """
    if entry.reset is None:
        return False
    entry.receiver.send_nowait(entry.reset)
    entry.reset = None
    entry.position = entry.admitted
    return True
