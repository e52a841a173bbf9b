"""Who is connected to this process, and what each connection listens to."""

from collections.abc import Callable, Iterable, Iterator

from app.realtime.topic import Receiver

UserWatch = Callable[[int, bool], None]
"""Is told of a user whether he has a connection now. Returns at once, and does not raise."""


class Seat:
    """What is known of one connection: its user, its topics, and whether it follows its user's joins."""

    __slots__ = ("follows", "receiver", "topics", "user_id")

    def __init__(self, receiver: Receiver, user_id: int) -> None:
        self.receiver = receiver
        self.user_id = user_id
        self.topics: set[str] = set()
        self.follows = False


class Seats:
    """Connections, found by themselves and by user. No waiting, no I/O."""

    def __init__(self) -> None:
        self._seats: dict[Receiver, Seat] = {}
        self._users: dict[int, dict[Receiver, Seat]] = {}
        self._watches: list[UserWatch] = []

    def watch(self, watch: UserWatch) -> None:
        """Call `watch` when the first connection of a user comes, and when the last one goes."""
        self._watches.append(watch)

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self._seats)

    def __iter__(self) -> Iterator[Seat]:
        return iter(self._seats.values())

    def __getitem__(self, receiver: Receiver) -> Seat:
        """The seat of a connection. Raises KeyError for one that is not connected."""
        return self._seats[receiver]

    def get(self, receiver: Receiver) -> Seat | None:
        """The seat of a connection, None when it is gone."""
        return self._seats.get(receiver)

    def take(self, receiver: Receiver, user_id: int) -> None:
        """Seat a connection, or leave it where it sits. Raises ValueError if that is another user's."""
        seat = self._seats.get(receiver)
        if seat is None:
            seat = self._seats[receiver] = Seat(receiver, user_id)
            self._users.setdefault(user_id, {})[receiver] = seat
            if len(self._users[user_id]) == 1:
                self._tell(user_id, True)
        elif seat.user_id != user_id:
            raise ValueError(f"this connection is user {seat.user_id}'s, it cannot become user {user_id}'s")

    def leave(self, receiver: Receiver) -> Seat | None:
        """Give the seat up. The seat that it had, or None."""
        seat = self._seats.pop(receiver, None)
        if seat is not None:
            of_user = self._users[seat.user_id]
            del of_user[receiver]
            if not of_user:
                del self._users[seat.user_id]
                self._tell(seat.user_id, False)
        return seat

    def of_user(self, user_id: int) -> tuple[Seat, ...]:
        """The seats of one user, oldest first."""
        return tuple(self._users.get(user_id, {}).values())

    def of_users(self, user_ids: Iterable[int]) -> list[Seat]:
        """The seats of several users; a user that is named twice counts once."""
        return [seat for user_id in dict.fromkeys(user_ids) for seat in self._users.get(user_id, {}).values()]

    def users(self) -> tuple[int, ...]:
        """The users that have a connection here."""
        return tuple(self._users)

    def _tell(self, user_id: int, is_here: bool) -> None:
        for watch in self._watches:
            watch(user_id, is_here)
