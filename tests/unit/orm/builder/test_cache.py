"""Texts are kept by shape, and not without bound."""

from orm.builder.cache import TextCache


def test_the_least_recently_used_text_goes_first() -> None:
    cache = TextCache(capacity=2)
    assert cache.get("a") is None
    assert cache.put("a", "A") == "A"
    cache.put("b", "B")
    assert cache.get("a") == "A"
    cache.put("c", "C")
    assert [cache.get(shape) for shape in "abc"] == ["A", None, "C"]
    assert len(cache) == 2
