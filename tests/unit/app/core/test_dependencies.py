import pytest

from app.core.dependencies import check_start_order, sorted_by_dependency
from app.core.errors import StartError


@pytest.mark.parametrize(
    ("depends", "ordered"),
    [
        ({}, []),
        ({"a": [], "b": [], "c": []}, ["a", "b", "c"]),
        ({"a": ["b"], "b": ["c"], "c": []}, ["c", "b", "a"]),
        ({"z": [], "a": ["m"], "m": []}, ["z", "m", "a"]),
        (
            {"top": ["left", "right"], "left": ["base"], "right": ["base"], "base": []},
            ["base", "left", "right", "top"],
        ),
    ],
)
def test_modules_come_after_what_they_depend_on_and_keep_their_order_otherwise(
    depends: dict[str, list[str]], ordered: list[str]
) -> None:
    assert sorted_by_dependency(depends) == ordered


@pytest.mark.parametrize(
    ("depends", "chain"),
    [
        ({"a": ["a"]}, "a -> a"),
        ({"a": ["b"], "b": ["a"]}, "a -> b -> a"),
        ({"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}, "a -> b -> c -> a"),
    ],
)
def test_a_circle_is_named_whole(depends: dict[str, list[str]], chain: str) -> None:
    with pytest.raises(StartError, match=f"in a circle: {chain}: take one"):
        sorted_by_dependency(depends)


def test_an_unknown_dependency_is_named_with_the_chain_that_leads_to_it() -> None:
    with pytest.raises(StartError) as caught:
        sorted_by_dependency({"a": ["b"], "b": ["missing"]})

    assert str(caught.value) == (
        "module b depends on missing, which is not installed: a -> b -> missing: "
        "add it to Apps.installed, or take the `depends` out"
    )


def test_services_in_the_order_of_their_dependencies_are_right() -> None:
    check_start_order(["db", "auth"], {"auth": ["users"], "users": ["db"], "db": [], "crm": ["auth"]})


@pytest.mark.parametrize(
    "depends",
    [{"auth": ["db"], "db": []}, {"auth": ["users"], "users": ["db"], "db": []}],
    ids=["directly", "through a module that is no service"],
)
def test_a_service_that_starts_before_what_it_depends_on_is_named_with_it(
    depends: dict[str, list[str]],
) -> None:
    with pytest.raises(
        StartError, match="service auth starts before db, which it depends on: put db before auth"
    ):
        check_start_order(["auth", "db"], depends)
