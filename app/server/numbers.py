"""What a worker adds to /metrics: its connections, its event loop, its memory; and the numbers of the
others."""

import asyncio
import gc
import resource
import sys
from collections.abc import Iterable, Iterator

import msgspec
from starlette.applications import Starlette

from app.http.metrics import Family, Metrics, Sample, merged, metrics_of
from app.server.board import Board
from app.server.protocols import Guard
from app.server.uvicorn_server import Server


def publish_numbers(app: Starlette, guard: Guard, server: Server, board: Board, number: int) -> None:
    """From now on /metrics of this application shows them."""
    metrics = metrics_of(app)
    metrics.source(lambda: _families(guard, server))
    shown = _Shown(metrics, board, number)
    board.clear(number)  # of the worker that had this place before
    server.each_second = shown.leave
    metrics.gather_all = shown.gather


class _Shown:
    """The numbers of all workers, as one of them shows them."""

    def __init__(self, metrics: Metrics, board: Board, number: int) -> None:
        self._metrics = metrics
        self._board = board
        self._number = number
        self._decoder = msgspec.msgpack.Decoder(list[Family])

    def leave(self) -> None:
        """Let the others show ours. Where there are none, nobody asks."""
        if self._board.size > 1:
            self._board.write(self._number, msgspec.msgpack.encode(self._metrics.families()))

    def gather(self) -> Iterable[Family]:
        """Ours of this moment, and what the others left."""
        return merged(self._parts())

    def _parts(self) -> Iterator[tuple[str, Iterable[Family]]]:
        for number in range(self._board.size):
            if number == self._number:
                yield str(number), self._metrics.families()
            elif left := self._board.read(number):
                yield str(number), self._decoder.decode(left)


def _families(guard: Guard, server: Server) -> list[Family]:
    state = server.server_state
    refused = [Sample((("status", str(status)),), count) for status, count in guard.refused.items()]
    sockets = sum(1 for connection in state.connections if hasattr(connection, "handshake_complete"))
    tasks = len(state.tasks)
    lag = max(server.lags, default=0.0)
    return [
        Family.single(
            "starling_connections", "gauge", "Open connections, sockets included.", guard.connections
        ),
        Family.single("starling_sockets", "gauge", "Open WebSockets.", sockets),
        Family.single("starling_requests_in_progress", "gauge", "Requests and sockets being served.", tasks),
        Family("starling_refused_total", "counter", "Answers to what was no acceptable request.", refused),
        Family.single("starling_tasks", "gauge", "Tasks of the event loop.", len(asyncio.all_tasks())),
        Family.single("starling_event_loop_lag_seconds", "gauge", "Longest delay in the last 15 looks.", lag),
        Family.single(
            "starling_memory_peak_bytes", "gauge", "Most memory that the process had in use.", _peak_bytes()
        ),
        Family("starling_gc_collections_total", "counter", "Runs of the garbage collector.", _collections()),
    ]


def _collections() -> list[Sample]:
    return [
        Sample((("generation", str(generation)),), stats["collections"])
        for generation, stats in enumerate(gc.get_stats())
    ]


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
