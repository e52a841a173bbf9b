import pytest

from services.auth_token.settings import AuthSettings, SigningKey, key_problems, signing_keys

OLD, NEW = "o" * 32, "n" * 40


def test_a_key_alone_has_the_id_1() -> None:
    assert AuthSettings(secret=OLD).keys() == (SigningKey("1", OLD.encode()),)


def test_several_keys_keep_their_ids_and_their_order() -> None:
    assert signing_keys(f"2:{NEW}, 1:{OLD}") == (SigningKey("2", NEW.encode()), SigningKey("1", OLD.encode()))


def test_a_key_may_hold_colons_after_its_id() -> None:
    assert signing_keys(f"a:b:{OLD}") == (SigningKey("a", f"b:{OLD}".encode()),)


def test_without_a_secret_there_are_no_keys() -> None:
    assert AuthSettings().keys() == ()
    assert list(AuthSettings().problems()) == []


def test_bytes_are_counted_not_characters() -> None:
    assert list(key_problems("\u00e9" * 16)) == []
    assert len(list(key_problems("e" * 31))) == 1


@pytest.mark.parametrize(
    ("secret", "problems"),
    [
        ("hidden", ["AUTH__SECRET has 6 bytes: write 32 or more"]),
        (f"2:{NEW},1:hidden", ["key 2 of AUTH__SECRET has 6 bytes"]),
        (f"1:{NEW},1:{OLD}", ["key 2 of AUTH__SECRET repeats the id 1"]),
        (
            f"{NEW},{OLD}",
            ["key 1 of AUTH__SECRET has no usable key id", "key 2 of AUTH__SECRET has no usable key id"],
        ),
        (f"a b:{NEW}", ["AUTH__SECRET has no usable key id"]),
        (f"1:{NEW},", ["key 2 of AUTH__SECRET has no usable key id", "key 2 of AUTH__SECRET has 0 bytes"]),
    ],
)
def test_a_wrong_secret_is_a_problem_that_does_not_show_it(secret: str, problems: list[str]) -> None:
    found = list(AuthSettings(secret=secret).problems())

    assert len(found) == len(problems)
    assert all(text.startswith(start) for text, start in zip(found, problems, strict=True))
    assert not any(key in text for text in found for key in ("hidden", OLD, NEW))


def test_an_access_token_may_not_outlive_its_session() -> None:
    (problem,) = AuthSettings(access_ttl_seconds=20, refresh_ttl_seconds=10).problems()

    assert problem.startswith("AUTH__ACCESS_TTL_SECONDS is 20, more than AUTH__REFRESH_TTL_SECONDS, 10")
