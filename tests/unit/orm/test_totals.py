from orm.totals import FEW, Totals


def test_what_is_not_known_may_be_many() -> None:
    assert not Totals().are_few("a")


def test_what_was_found_is_expected_again() -> None:
    totals = Totals()
    totals.note("a", FEW)
    totals.note("b", FEW + 1)
    totals.note("c", 0)
    assert [totals.are_few(key) for key in "abc"] == [True, False, True]


def test_what_found_many_once_is_never_few_again() -> None:
    totals = Totals()
    for found in (3, FEW + 1, 3, 3):
        totals.note("a", found)
    assert not totals.are_few("a")


def test_the_oldest_are_forgotten() -> None:
    totals = Totals(capacity=2)
    for key in "abc":
        totals.note(key, 1)
        totals.note(key, 1)
    assert [totals.are_few(key) for key in "abc"] == [False, True, True]
