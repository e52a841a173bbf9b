"""The HTTP edge: one pure ASGI pass around an index of routes, and the words to read and to answer with.

`edge.Edge` does what every request and every socket needs, in one pass; `dispatch.Dispatcher` finds the
route; `routing.Router` is what a module declares its routes with. Errors of every kind become one JSON shape
in `problems`. Knows nothing of users, models or chat: who a token stands for is asked through
`app.core.access.Authenticator`.
"""
