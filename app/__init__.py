"""The server: words that all share (core), the edge (http), realtime, generic routes (crud), operations."""

__version__ = "0.1.0"
