"""The server: words that everything shares (core), the edge (http), realtime, generic routes (crud), operations."""

__version__ = "0.1.0"
