import asyncio

import pytest

from services.auth_token.turns import Turns


class People:
    """Whoever is inside, in the order of going in, until they are let out."""

    def __init__(self, turns: Turns) -> None:
        self.inside: list[str] = []
        self.leave = asyncio.Event()
        self._turns = turns

    async def come(self, name: str, key: bytes = b"one") -> None:
        async with self._turns.taken(key):
            self.inside.append(name)
            await self.leave.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_as_many_as_may_go_in_at_a_time_and_the_others_follow_in_their_order() -> None:
    people = People(Turns(2))
    tasks = [asyncio.create_task(people.come(name)) for name in "abcde"]
    await settle()

    assert people.inside == ["a", "b"]
    people.leave.set()
    await asyncio.gather(*tasks)
    assert people.inside == list("abcde")


async def test_each_key_has_a_line_of_its_own() -> None:
    people = People(Turns(1))
    tasks = [asyncio.create_task(people.come(str(number), bytes([number]))) for number in range(3)]
    await settle()

    assert people.inside == ["0", "1", "2"]
    people.leave.set()
    await asyncio.gather(*tasks)


async def test_who_goes_away_or_fails_gives_up_his_place_and_an_empty_line_is_gone() -> None:
    turns = Turns(1)
    people = People(turns)
    first, second, third = (asyncio.create_task(people.come(name)) for name in "abc")
    await settle()

    second.cancel()
    first.cancel()
    await settle()
    assert people.inside == ["a", "c"]
    people.leave.set()
    await asyncio.gather(first, second, third, return_exceptions=True)
    with pytest.raises(ValueError, match="inside"):
        async with turns.taken(b"one"):
            raise ValueError("inside")
    assert turns._lines == {}
