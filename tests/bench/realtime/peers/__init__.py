"""The servers that Starling's realtime is compared with.

Each takes a port and a database, tells the body of POST /publish to every socket of both processes by NOTIFY,
and answers GET /."""
