"""Checks what clients of a chat were told against what is kept. It shares no code with the server.

A history is what some clients saw from outside: which messages were acknowledged to those who sent them,
and what each listener was told, in order. `check` compares it with the log and the messages as they are in
the end.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Event = Mapping[str, Any]


class Stream:
    """What one listener was told of one chat: events, and resets as the seq that they name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[Event | int] = []

    def event(self, event: Event) -> None:
        """Note an event."""
        self.told.append(event)

    def reset(self, seq: int) -> None:
        """Note a reset."""
        self.told.append(seq)

    @property
    def head(self) -> int:
        """The seq that the listener has come to, 0 before the first."""
        if not self.told:
            return 0
        last = self.told[-1]
        return last if isinstance(last, int) else int(last["seq"])

    @property
    def resets(self) -> int:
        """How often the listener had to start anew."""
        return sum(isinstance(one, int) for one in self.told)


class History:
    """One chat from outside."""

    def __init__(self, chat_id: int) -> None:
        self.chat_id = chat_id
        self.acknowledged: dict[str, tuple[int, int | None]] = {}
        """By the text of a message, which nobody says twice: the id that its author was given, and the seq,
        which HTTP does not tell.
        """
        self.streams: list[Stream] = []

    def acknowledge(self, body: str, message_id: int, seq: int | None = None) -> None:
        """Note that a message is stored, says the server; the same of the same message, however often."""
        before = self.acknowledged.setdefault(body, (message_id, seq))
        assert before == (message_id, seq), f"{body!r} is {before}, and now {(message_id, seq)}"

    def stream(self, name: str) -> Stream:
        """A new listener."""
        self.streams.append(Stream(name))
        return self.streams[-1]

    def check(self, log: Sequence[Event], messages: Sequence[Mapping[str, Any]]) -> None:
        """Raise AssertionError for anything that is lost, doubled, out of order or different.

        `log` are all events that are kept, ascending, `messages` all messages.
        """
        seqs = [event["seq"] for event in log]
        assert seqs == list(range(seqs[0], seqs[-1] + 1)) if seqs else True, "the log has holes"
        self._check_messages(log, messages)
        for stream in self.streams:
            self._check_stream(stream, {event["seq"]: event for event in log}, seqs[-1] if seqs else 0)

    def _check_messages(self, log: Sequence[Event], messages: Sequence[Mapping[str, Any]]) -> None:
        doubled = [body for body, times in Counter(one["body"] for one in messages).items() if times > 1]
        assert not doubled, f"said twice: {doubled[:5]}"
        ids = {one["body"]: one["id"] for one in messages}
        posted = [event for event in log if event["type"] == "new_message"]
        told = {event["message"]["body"]: (event["message"]["id"], event["seq"]) for event in posted}
        assert len(told) == len(posted) == len(messages), "messages and events do not fit"
        in_order = [event["message"]["id"] for event in posted]
        assert in_order == sorted(in_order), "ids do not ascend with the stream"
        for body, (message_id, seq) in self.acknowledged.items():
            assert ids.get(body) == message_id, f"{body!r} was acknowledged as {message_id}: {ids.get(body)}"
            assert told[body] == (message_id, seq or told[body][1]), f"{body!r} was acknowledged as {seq}"

    def _check_stream(self, stream: Stream, log: Mapping[int, Event], head: int) -> None:
        expected: int | None = None
        for one in stream.told:
            if isinstance(one, int):
                expected = one + 1
                continue
            assert expected in (None, one["seq"]), (
                f"{stream.name} was told {one['seq']} instead of {expected}"
            )
            assert one == log.get(one["seq"], one), f"{stream.name} was told something else as {one['seq']}"
            expected = one["seq"] + 1
        assert stream.head == head, f"{stream.name} has come to {stream.head} of {head}"
