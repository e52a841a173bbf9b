"""The cluster: the folder that initdb makes and postgres works on, and the command lines of both."""

import locale
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from app.core.errors import StartError
from app.server.embedded.account import Account, user_name
from app.server.embedded.binaries import MAJOR_VERSION, Binaries
from app.server.embedded.folders import change_owner, make_folder, remove_tree, write_file
from app.server.embedded.socket_folder import PORT, SOCKET
from app.server.processes import signal_at_death_of_parent

Pause = Callable[[float], None]
"""Waits for at most so many seconds; may raise to abandon what is being waited for."""

SUPERUSER = "postgres"
APPLICATION_ROLE = "starling"
DATABASE = "starling"

_UNFINISHED = "postgres.new-"
_CREATION_SECONDS = 120  # takes 1 s on an SSD; an SD card under load is two orders slower
_REMOVAL_SECONDS = 5
_POLL_SECONDS = 0.01
# LD_LIBRARY_PATH: where the libraries of the C runtime lie on a system that keeps them elsewhere.
_INHERITED = ("PATH", "LD_LIBRARY_PATH")
# For a small footprint, and so that an administrator may change them in postgresql.conf. No replica will ever
# follow this server, so it writes the least log; no helper processes for i/o (a local disk and few clients),
# no just-in-time compiler (short queries).
_TUNING = {
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What a client does wrong is the application's to log, without the values; here only what concerns the
    # server itself.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
_FIRST_STATEMENTS = (
    f"CREATE ROLE {APPLICATION_ROLE} LOGIN;\nCREATE DATABASE {DATABASE} OWNER {APPLICATION_ROLE};\n"
)
_RULES = f"local all {APPLICATION_ROLE},{SUPERUSER} peer map=starling\n"


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster in `data_dir`/postgres, made or to be. Without `is_durable` a power cut may destroy it."""

    data_dir: Path
    binaries: Binaries
    account: Account
    max_connections: int
    is_durable: bool = True

    @property
    def folder(self) -> Path:
        """PGDATA."""
        return self.data_dir / "postgres"

    def ensure(self, log: int, pause: Pause) -> None:
        """Make the cluster unless it is there. Raises StartError when that fails or it is of another version.

        It is made beside its place and moved there when complete, so that there is a whole one or none. The
        descriptor `log` gets the output of the programs.
        """
        for unfinished in self.data_dir.glob(f"{_UNFINISHED}*"):
            _remove_when_idle(unfinished, pause)
        if not self.folder.exists():
            self._make(log, pause)
        try:
            version = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            raise StartError(
                f"{self.folder} is not a database: set DATA_DIR to a folder of its own"
            ) from None
        if version != str(MAJOR_VERSION):
            raise StartError(
                f"the database in {self.folder} is of PostgreSQL {version}, and the installed server "
                f"is {MAJOR_VERSION}: restore a backup into a new DATA_DIR, or set DATABASE__URL"
            )

    def start(self, socket_folder: Path, log: int) -> "subprocess.Popen[bytes]":
        """Run postgres as a child; its output goes to the descriptor `log`. Ready when `is_ready` says so.

        A session of its own keeps a terminal's Ctrl-C away from it: the parent stops it, after the workers.
        When the parent is killed, the kernel has it stop at once (SIGQUIT, which waits for nothing; what was
        committed is recovered at the next start).
        """
        self._write_rules()
        command = [
            self.binaries.tool("postgres"),
            "-D",
            self.folder,
            *_options(self._server_settings(socket_folder)),
        ]
        return self._run(command, self.account, signal.SIGQUIT, subprocess.DEVNULL, log)

    def is_ready(self, pid: int, socket_folder: Path) -> bool:
        """Whether the postgres with that pid accepts connections.

        It says so in the last line of its pid file. The socket is looked for as well: the file may be an old
        one in which the same pid stands, as pids in containers are small and the same at every start.
        postgres writes its own before it opens the socket.
        """
        if not (socket_folder / SOCKET).exists():
            return False
        try:
            lines = (
                (self.folder / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            )
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def pid_in_file(self) -> int | None:
        """The pid that the last postgres left in its pid file; None when it removed the file, as it does at a
        clean stop.
        """
        try:
            return int(
                (self.folder / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")[0]
            )
        except (FileNotFoundError, ValueError):
            return None

    def remove_pid_file(self) -> None:
        """Remove it. Only for a caller who knows that no postgres runs here."""
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _server_settings(self, socket_folder: Path) -> dict[str, object]:
        settings: dict[str, object] = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": socket_folder,
            "unix_socket_permissions": "0700",
            "hba_file": self.data_dir / "pg_hba.conf",
            "ident_file": self.data_dir / "pg_ident.conf",
            "max_connections": self.max_connections,
        }
        if not self.is_durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return settings

    def _write_rules(self) -> None:
        """Who may connect: this user and root, as the roles of the application and of the administrator, and
        nobody else.
        """
        names = dict.fromkeys(filter(None, (user_name(os.geteuid()), user_name(0))))
        lines = [f'starling "{name}" {role}\n' for name in names for role in (APPLICATION_ROLE, SUPERUSER)]
        mode = (
            0o600 if self.account.is_self else 0o644
        )  # there is no secret in them, and postgres is another user
        write_file(self.data_dir / "pg_hba.conf", _RULES, mode=mode)
        write_file(self.data_dir / "pg_ident.conf", "".join(lines), mode=mode)

    def _make(self, log: int, pause: Pause) -> None:
        maker = self.account.for_initdb()
        around = make_folder(
            self.data_dir / f"{_UNFINISHED}{secrets.token_hex(4)}",
            mode=0o700 if self.account.is_self else 0o710,
        )
        new = make_folder(around / "postgres", mode=0o700)
        if not self.account.is_self:
            os.chown(around, -1, self.account.gid)
            os.chown(new, maker.uid, maker.gid)
        initdb = [
            *(self.binaries.tool("initdb"), "-D", new, "-U", SUPERUSER, "--auth=peer", "--no-instructions"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--locale=C", f"--lc-ctype={_ctype()}"),
            *(part for name, value in _TUNING.items() for part in ("--set", f"{name}={value}")),
        ]
        # The server in single-user mode opens no socket: nobody can come in before the rules are in place.
        single = [self.binaries.tool("postgres"), "--single", "-D", new, "-c", "exit_on_error=on", SUPERUSER]
        self._finish(initdb, "", maker, log, pause)
        self._finish(single, _FIRST_STATEMENTS, maker, log, pause)
        if maker != self.account:
            change_owner(new, self.account.uid, self.account.gid)
        new.rename(self.folder)
        _sync(self.data_dir)
        around.rmdir()

    def _finish(
        self, command: Sequence[object], statements: str, account: Account, log: int, pause: Pause
    ) -> None:
        """Run a program of the installation to its end. Raises StartError when it fails or takes too long."""
        with tempfile.TemporaryFile() as stdin:
            stdin.write(statements.encode())
            stdin.seek(0)
            program = self._run(command, account, signal.SIGKILL, stdin.fileno(), log)
        try:
            deadline = time.monotonic() + _CREATION_SECONDS
            while program.poll() is None and time.monotonic() < deadline:
                pause(_POLL_SECONDS)
        finally:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)  # initdb has children of its own
            outcome = program.wait()
        if outcome != 0:
            raise StartError(
                f"the database in {self.data_dir} could not be made: postgres.log there says why"
            )

    def _run(
        self,
        command: Sequence[object],
        account: Account,
        at_death_of_parent: signal.Signals,
        stdin: int,
        log: int,
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603  # programs of the wheel, arguments of ours
            [str(part) for part in command],
            stdin=stdin,
            stdout=log,
            stderr=log,
            cwd=self.data_dir,
            # Not our environment: it may hold secrets, and PG* variables that are meant for others.
            env={name: os.environ[name] for name in _INHERITED if name in os.environ},
            umask=0o077,
            start_new_session=True,
            preexec_fn=signal_at_death_of_parent(at_death_of_parent),  # noqa: PLW1509  # there is one thread
            **account.popen_arguments(),
        )


def _ctype() -> str:
    """C.UTF-8 where the C library has it (it tells the words of a text apart), else C. Sorting is
    PostgreSQL's own either way.
    """
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        return locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _options(settings: Mapping[str, object]) -> Iterator[str]:
    for name, value in settings.items():
        yield from ("-c", f"{name}={value}")


def _remove_when_idle(unfinished: Path, pause: Pause) -> None:
    """Remove what a killed start left behind. Its initdb may take a moment to notice that."""
    deadline = time.monotonic() + _REMOVAL_SECONDS
    while True:
        try:
            return remove_tree(unfinished)
        except OSError as error:
            if time.monotonic() > deadline:
                raise StartError(
                    f"{unfinished}, left behind by a killed start, cannot be removed: {error}"
                ) from error
            pause(_POLL_SECONDS)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
