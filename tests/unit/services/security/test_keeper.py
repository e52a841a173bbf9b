import asyncio
from typing import Any, cast

import pytest

from orm.database import Database
from services.security.keeper import RightsKeeper
from services.security.rights import Rights


class FakeRevisions:
    def __init__(self) -> None:
        self.rights = 1
        self.current = True

    def is_current(self) -> bool:
        return self.current


class FakeDatabase:
    """Answers the two statements of rights, and can be held up."""

    def __init__(self) -> None:
        self.revision = 1
        self.reads: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def run(self, text: str, values: Any) -> list[Any]:
        kind = "rights" if "json_agg" in text else "revision"
        self.reads.append(kind)
        revision = self.revision
        await self.gate.wait()
        empty = {"roles": "[]", "closure": "[]", "lists": "[]", "rules": "[]"}
        return [{"revision": revision, **empty}] if kind == "rights" else [(revision,)]


class Scene:
    def __init__(self) -> None:
        self.db, self.revisions = FakeDatabase(), FakeRevisions()
        self.used: list[Rights] = []
        self.keeper = RightsKeeper(cast(Database, self.db), self.revisions, self.used.append)


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_rights_are_read_once_while_the_revision_holds(scene: Scene) -> None:
    first = await scene.keeper.current()

    assert await scene.keeper.current() is first
    assert scene.used == [first]
    assert scene.db.reads == ["rights"]


async def test_other_changes_read_nothing_again(scene: Scene) -> None:
    first = await scene.keeper.current()
    scene.revisions.current = False

    assert await scene.keeper.current() is first
    assert scene.db.reads == ["rights", "revision"]


async def test_a_change_of_rights_brings_another_snapshot(scene: Scene) -> None:
    first = await scene.keeper.current()
    scene.revisions.rights = scene.db.revision = 2

    second = await scene.keeper.current()

    assert (first.revision, second.revision) == (1, 2)
    assert scene.used == [first, second]


async def test_those_who_wait_together_share_what_is_read(scene: Scene) -> None:
    scene.revisions.current = False
    await scene.keeper.current()
    scene.db.gate.clear()
    scene.db.reads.clear()
    waiting = [asyncio.create_task(scene.keeper.current()) for _ in range(20)]
    await asyncio.sleep(0)
    scene.db.gate.set()

    await asyncio.gather(*waiting)

    # The first one's question may be older than the others' arrival: one more answers all of those.
    assert len(scene.db.reads) <= 2


async def test_what_was_asked_before_somebody_came_is_not_his(scene: Scene) -> None:
    scene.revisions.current = False
    await scene.keeper.current()
    scene.db.gate.clear()
    early = asyncio.create_task(scene.keeper.current())
    await asyncio.sleep(0)
    scene.db.revision = 2  # committed while the answer to `early` is on its way
    late = asyncio.create_task(scene.keeper.current())
    await asyncio.sleep(0)
    scene.db.gate.set()

    await early

    assert (await late).revision == 2


async def test_a_failed_read_is_told_and_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(text: str, values: Any) -> list[Any]:
        raise ConnectionError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(scene.db, "run", fail)
        with pytest.raises(ConnectionError):
            await scene.keeper.current()

    assert (await scene.keeper.current()).revision == 1
