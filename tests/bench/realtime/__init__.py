"""Messages to many sockets: how much a delivery costs, how late it comes, and whether one is lost.

`listener` and `poster` are the load, each a process of its own; `systems` are the servers; `fanout`,
`posting` and `growth` the measurements. Each message carries the time at which it was sent in its body."""
