"""What the hub counts, for /metrics: once for each fan-out, never for each socket of one."""

import msgspec


class HubNumbers(msgspec.Struct):
    """What was done since the hub was made.

    `told`: events that were handed to connections, each connection's apart, those that a replay read
    included. `cut`: connections that had to be closed with SLOW and are gone; `dropped`: frames that they did
    not get for it, answers among them. They come back and read them in the log. What the operating system,
    or the transport, had taken before is not known to be lost and not counted.
    """

    told: int = 0
    dropped: int = 0
    cut: int = 0
