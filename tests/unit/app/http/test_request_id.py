import pytest

from app.http.request_id import RequestIds


@pytest.mark.parametrize("sane", [b"a", b"A-z_0.9", b"x" * 128])
def test_a_sane_id_is_kept(sane: bytes) -> None:
    assert RequestIds().choose(sane) == sane.decode()


@pytest.mark.parametrize(
    "insane", [None, b"", b"x" * 129, b"a b", b"a\r\nset-cookie: x", b"a,b", "é".encode(), b"a\n", b"<a>"]
)
def test_anything_else_is_replaced_by_an_id_of_ours(insane: bytes | None) -> None:
    ids = RequestIds()
    chosen = ids.choose(insane)
    assert chosen != (insane or b"").decode("latin-1")
    assert ids.choose(chosen.encode()) == chosen


def test_ids_of_ours_are_never_the_same() -> None:
    one, other = RequestIds(), RequestIds()
    chosen = [ids.choose(None) for ids in (one, other) for _ in range(1000)]
    assert len(set(chosen)) == 2000
