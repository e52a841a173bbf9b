"""Starling's API against a hand-written service and the APIs of four frameworks, over HTTP.

Every contestant is a server of its own on the same database and the same core; the database and the load
generator have the other one. Before anything is timed, each of them is asked the same questions and has to
give the answers that the database itself gives (`check.py`). What a contestant imports must exist in its own
environment: the standard library, and of this package `shape.py` and `serving.py`."""
