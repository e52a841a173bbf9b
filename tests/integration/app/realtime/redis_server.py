"""Redis servers for tests: that of TEST_REDIS_URL, where a channel of a test's own is all that it uses, and
servers that tests start for themselves, with TLS and passwords, or as a cluster.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

CLUSTER_NODES: Final = 3
SECONDS: Final = 30.0


def needed(program: str) -> str:
    """The path of a program; the test is skipped where there is none."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


class RedisServer:
    """A server in a folder of its own; `options` as on its command line. To be used as a context manager."""

    def __init__(self, folder: Path, *options: str, port_option: str = "--port") -> None:
        self._program = needed("redis-server")
        self._folder = folder
        self._options = options
        self._port_option = port_option
        self.port = 0

    def __enter__(self) -> "RedisServer":
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def restart(self) -> None:
        """It is gone without a word, and another one is there."""
        self.kill()
        self._start()

    def _start(self) -> None:
        command = [self._program, self._port_option, str(self.port), "--bind", "127.0.0.1", "--save", ""]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen([*command, *self._options], cwd=self._folder, stdout=log)
        deadline = time.monotonic() + SECONDS
        while not _answers(self.port):
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, "the server does not come up"
            time.sleep(0.01)

    def kill(self) -> None:
        """It is gone without a word. May be called twice."""
        self._process.kill()
        self._process.wait()

    def ask(self, *command: str) -> str:
        """The answer to a command, by redis-cli."""
        asking = [needed("redis-cli"), "-p", str(self.port), *command]
        return subprocess.run(asking, check=True, capture_output=True, text=True).stdout


@contextlib.contextmanager
def plain_server(folder: Path) -> Iterator[str]:
    """The URL of a server: that of TEST_REDIS_URL, or one that is started."""
    if (url := os.environ.get("TEST_REDIS_URL")) is not None:
        yield url
        return
    with RedisServer(folder) as server:
        yield f"redis://127.0.0.1:{server.port}"


@contextlib.contextmanager
def secured_server(folder: Path) -> Iterator[str]:
    """The URL of a server that speaks TLS only, with a certificate that this URL names, to a user with a
    password that has to be escaped.
    """
    key, certificate = _certificate(folder)
    files = ["--tls-key-file", str(key), "--tls-cert-file", str(certificate)]
    options = ["--port", "0", *files, "--tls-auth-clients", "no"]
    users = ["--user", "default", "off", "--user", "starling", "on", ">p@ss:w,ord", "&starling*", "+@all"]
    with RedisServer(folder, *options, *users, port_option="--tls-port") as server:
        address = f"starling:p%40ss%3Aw%2Cord@localhost:{server.port}"
        yield f"rediss://{address}?ssl_ca_certs={certificate}"


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Sequence[RedisServer]]:
    """The nodes of a cluster, each of which knows the others."""
    with contextlib.ExitStack() as stack:
        nodes = []
        for number in range(CLUSTER_NODES):
            options = ["--cluster-enabled", "yes", "--cluster-port", str(_free_port())]
            nodes.append(stack.enter_context(RedisServer(folder / str(number), *options)))
            nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", str(nodes[-1].port), options[-1])
        deadline = time.monotonic() + SECONDS
        while not all(_knows_all(node) for node in nodes):
            assert time.monotonic() < deadline, "the nodes do not find each other"
            time.sleep(0.05)
        yield nodes


def _knows_all(node: RedisServer) -> bool:
    """Whether a node has a connection to each of the others. Slots are none of ours: they are for keys."""
    lines = node.ask("CLUSTER", "NODES").splitlines()
    return len(lines) == CLUSTER_NODES and all(
        line.endswith("connected") and not line.endswith("disconnected") and "handshake" not in line
        for line in lines
    )


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for localhost."""
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    options = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    making = [needed("openssl"), "req", *options, *names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(making, check=True, capture_output=True)
    return key, certificate


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
