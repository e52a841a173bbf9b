import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher, extract_parameters

from app.core.errors import Unavailable
from orm.errors import UsageError
from services.users.passwords import HASH_BYTES, LANES, MEMORY_KIB, PASSES, SALT_BYTES, Passwords
from tests.support.eventually import eventually

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the parameters of the program: integration tests of the same run make passwords cheap."""
    monkeypatch.setattr("services.users.passwords.MEMORY_KIB", MEMORY_KIB)
    monkeypatch.setattr("services.users.passwords.PASSES", PASSES)


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    passwords = Passwords()
    passwords.start()
    yield passwords
    await passwords.stop()


class Gate:
    """Holds whoever hashes until it is opened."""

    def __init__(self, passwords: Passwords) -> None:
        self.opened = threading.Event()
        self.entered = 0
        self._verify = passwords._hasher.verify
        passwords._hasher = self  # type: ignore[assignment]

    def verify(self, stored: str, password: bytes) -> bool:
        self.entered += 1
        self.opened.wait(10)
        return self._verify(stored, password)


async def test_a_password_is_verified_by_its_hash_and_no_other(passwords: Passwords) -> None:
    stored = await passwords.hash(PASSWORD)

    assert await passwords.verify(stored, PASSWORD)
    assert not await passwords.verify(stored, PASSWORD + " ")
    assert PASSWORD not in stored


async def test_the_same_password_never_has_the_same_hash(passwords: Passwords) -> None:
    assert await passwords.hash(PASSWORD) != await passwords.hash(PASSWORD)


async def test_a_password_is_the_same_however_the_keyboard_composes_it(passwords: Passwords) -> None:
    assert await passwords.verify(await passwords.hash("e\u0301" * 10), "\u00e9" * 10)


async def test_half_a_surrogate_pair_is_a_password_like_any_other(passwords: Passwords) -> None:
    assert not await passwords.verify(await passwords.hash(PASSWORD), "\ud800")


async def test_hashes_have_the_parameters_that_were_chosen(passwords: Passwords) -> None:
    found = extract_parameters(await passwords.hash(PASSWORD))

    assert (found.type.name, found.memory_cost, found.time_cost, found.parallelism) == (
        "ID",
        MEMORY_KIB,
        PASSES,
        LANES,
    )
    assert (found.salt_len, found.hash_len) == (SALT_BYTES, HASH_BYTES)


async def test_nobody_has_a_password_and_verifying_it_costs_what_a_real_one_does(
    passwords: Passwords,
) -> None:
    seen = []
    verify = passwords._hasher.verify

    class Spy:
        def verify(self, stored: str, password: bytes) -> bool:
            seen.append(stored)
            return verify(stored, password)

    real = await passwords.hash(PASSWORD)
    passwords._hasher = Spy()  # type: ignore[assignment]

    assert not await passwords.verify(None, PASSWORD)
    assert extract_parameters(seen[0]) == extract_parameters(real)


async def test_a_hash_with_other_parameters_is_outdated(passwords: Passwords) -> None:
    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

    assert passwords.is_outdated(older)
    assert await passwords.verify(older, PASSWORD)
    assert not passwords.is_outdated(await passwords.hash(PASSWORD))


async def test_a_flood_is_refused_beyond_the_bound_and_served_up_to_it() -> None:
    passwords = Passwords(threads=1, most_pending=3)
    passwords.start()
    gate = Gate(passwords)
    tasks = [asyncio.create_task(passwords.verify(None, PASSWORD)) for _ in range(3)]
    await eventually(lambda: gate.entered)

    with pytest.raises(Unavailable) as refused:
        await passwords.verify(None, PASSWORD)

    assert refused.value.retry_after_seconds > 0
    assert gate.entered == 1
    gate.opened.set()
    assert await asyncio.gather(*tasks) == [False] * 3
    assert not await passwords.verify(None, PASSWORD)
    await passwords.stop()


async def test_who_goes_away_while_he_waits_leaves_his_place_to_others() -> None:
    passwords = Passwords(threads=1, most_pending=2)
    passwords.start()
    gate = Gate(passwords)
    running, waiting = (asyncio.create_task(passwords.verify(None, PASSWORD)) for _ in range(2))
    await eventually(lambda: gate.entered)

    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.sleep(0)
    following = asyncio.create_task(passwords.verify(None, PASSWORD))
    gate.opened.set()

    assert await running is False
    assert await following is False
    assert gate.entered == 2
    await passwords.stop()


async def test_who_goes_away_while_he_is_served_keeps_his_place_until_the_thread_is_free() -> None:
    passwords = Passwords(threads=1, most_pending=1)
    passwords.start()
    gate = Gate(passwords)
    running = asyncio.create_task(passwords.verify(None, PASSWORD))
    await eventually(lambda: gate.entered)

    running.cancel()
    await asyncio.wait([running])
    with pytest.raises(Unavailable):
        await passwords.verify(None, PASSWORD)
    gate.opened.set()

    await eventually(lambda: passwords._pending == 0)
    assert not await passwords.verify(None, PASSWORD)
    await passwords.stop()


async def test_there_are_never_more_threads_than_cores_or_than_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.users.passwords._cores", lambda: 1)
    assert Passwords()._threads == 1
    monkeypatch.setattr("services.users.passwords._cores", lambda: 64)
    assert Passwords()._threads == 2


async def test_the_event_loop_goes_on_while_passwords_are_hashed(passwords: Passwords) -> None:
    hashing = asyncio.create_task(passwords.hash(PASSWORD))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns > 10


async def test_before_start_and_after_stop_nothing_is_hashed() -> None:
    passwords = Passwords()
    with pytest.raises(UsageError, match=r"start\(\)"):
        await passwords.hash(PASSWORD)
    passwords.start()
    await passwords.hash(PASSWORD)

    await passwords.stop()
    await passwords.stop()

    with pytest.raises(UsageError):
        await passwords.hash(PASSWORD)


async def test_stop_waits_for_the_hash_under_way_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    passwords = Passwords(threads=1)
    passwords.start()
    gate = Gate(passwords)
    running = asyncio.create_task(passwords.verify(None, PASSWORD))
    await eventually(lambda: gate.entered)

    stopping = asyncio.create_task(passwords.stop())
    gate.opened.set()
    await stopping

    assert [thread for thread in set(threading.enumerate()) - before if "passwords" in thread.name] == []
    assert await running is False
