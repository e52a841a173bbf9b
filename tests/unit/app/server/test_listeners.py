import socket
import sys

import pytest

from app.core.errors import StartError
from app.server.listeners import Listeners
from tests.support.program import free_port


def ports(listeners: Listeners, worker: int) -> list[int]:
    return [opened.getsockname()[1] for opened in listeners.of_worker(worker)]


@pytest.mark.parametrize("workers", [1, 3])
def test_port_0_is_one_free_port_for_all_workers(workers: int) -> None:
    listeners = Listeners("127.0.0.1", 0, workers)
    assert listeners.port > 0
    for worker in range(workers):
        assert ports(listeners, worker) == [listeners.port]
    listeners.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads connections")
def test_connections_are_spread_over_workers_that_each_have_their_socket() -> None:
    listeners = Listeners("127.0.0.1", 0, 2)
    (first,), (second,) = listeners.of_worker(0), listeners.of_worker(1)
    clients = [socket.create_connection(("127.0.0.1", listeners.port)) for _ in range(64)]
    accepted = [accept_all(one) for one in (first, second)]
    for client in clients:
        client.close()
    listeners.close()
    assert sum(accepted) == 64
    assert min(accepted) > 8  # evenly: fewer than 9 of 64 is less likely than one in 10^9


def accept_all(listener: socket.socket) -> int:
    listener.setblocking(False)
    accepted = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return accepted
        accepted += 1


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_in_use_is_refused_even_when_its_holder_would_share_it(workers: int) -> None:
    with socket.socket() as holder:
        if hasattr(socket, "SO_REUSEPORT"):
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} of 127.0.0.1 is in use"):
            Listeners("127.0.0.1", port, workers)


def test_a_name_of_two_addresses_listens_on_both() -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    listeners = Listeners("localhost", free_port(), 1)
    families = {opened.family for opened in listeners.of_worker(0)}
    listeners.close()
    assert socket.AF_INET in families or socket.AF_INET6 in families
    known = {found[0] for found in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
    assert families == known


def test_an_ipv6_address_leaves_the_ipv4_port_alone() -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    listeners = Listeners("::", 0, 1)
    Listeners("127.0.0.1", listeners.port, 1).close()
    listeners.close()


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(StartError, match="HTTP__HOST is 'no such name'"):
        Listeners("no such name", 0, 1)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(StartError, match=r"HTTP__HOST is '203\.0\.113\.7', which is not an address"):
        Listeners("203.0.113.7", 0, 1)


def test_a_worker_keeps_its_own_sockets_only() -> None:
    listeners = Listeners("127.0.0.1", 0, 3)
    listeners.close_except(1)
    assert [opened.fileno() == -1 for worker in range(3) for opened in listeners.of_worker(worker)] == (
        [True, False, True] if sys.platform == "linux" else [False] * 3
    )
    listeners.close()


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
