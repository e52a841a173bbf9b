"""Running Starling as processes: the parent that supervises, the workers that serve, the embedded PostgreSQL.

The parent (`supervisor.py`) is plain synchronous code without threads and without an event loop, so that it
can fork workers at any time and has little that can break. Each worker (`worker.py`) runs uvicorn's server on
a socket that the parent bound. Only the command line may come in here; the application itself knows nothing
of processes.
"""
