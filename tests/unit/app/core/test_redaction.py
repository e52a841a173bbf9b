import pytest

from app.core.redaction import redact_urls, redactor, url_passwords


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("postgresql://user:pass@host:5432/db", "postgresql://user:***@host:5432/db"),
        ("redis://:pass@host/0", "redis://:***@host/0"),
        ("postgresql://u:p@a,b:5433/db?sslmode=require", "postgresql://u:***@a,b:5433/db?sslmode=require"),
        ("postgresql://u:p/q@r@host/db", "postgresql://u:***@host/db"),
        ("postgresql://host/db?user=u&password=p&x=1", "postgresql://host/db?user=u&password=***&x=1"),
        (
            "cannot reach postgresql://u:p@host/db: refused",
            "cannot reach postgresql://u:***@host/db: refused",
        ),
        ("postgresql://user@host/db", "postgresql://user@host/db"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("mail a@b.example, see 10:30@noon", "mail a@b.example, see 10:30@noon"),
    ],
)
def test_passwords_within_urls_are_hidden(text: str, redacted: str) -> None:
    assert redact_urls(text) == redacted


def test_url_passwords_are_found_as_written_and_decoded() -> None:
    assert url_passwords("postgresql://u:a%2Fb@host/db") == {"a%2Fb", "a/b"}
    assert url_passwords("postgresql://u@host/db") == set()


def test_a_redactor_hides_known_secrets_wherever_they_stand() -> None:
    redact = redactor(["long-secret", "long-secret-and-longer"])

    assert redact("a long-secret here") == "a *** here"
    assert redact("a long-secret-and-longer one") == "a *** one"


def test_a_redactor_leaves_very_short_secrets_to_others() -> None:
    assert redactor(["a", ""])("a cat") == "a cat"


@pytest.mark.parametrize("text", ["Authorization: Bearer abc.def-g", "bearer abc.def-g", "bearer.abc.def-g"])
def test_a_redactor_hides_bearer_tokens(text: str) -> None:
    redacted = redactor([])(text)

    assert "abc" not in redacted
    assert redacted.endswith("***")


def test_a_redactor_hides_passwords_within_urls() -> None:
    assert redactor([])("postgresql://u:p@h/d") == "postgresql://u:***@h/d"
