import pytest

from app.core.errors import Unauthenticated
from app.http.bearer import cached_session, verified_session
from tests.support.fake_environment import FakeEnvironment


@pytest.mark.parametrize("header", [b"Bearer ada", b"bearer ada", b"BEARER ada"])
async def test_a_bearer_token_is_looked_up_whatever_the_scheme_s_case(header: bytes) -> None:
    fake = FakeEnvironment().fake_authenticator
    remembered = cached_session(header, fake)
    assert remembered is not None
    assert remembered.login == "ada"
    assert fake.asked == []
    assert (await verified_session(header, fake)).login == "ada"
    assert fake.asked == ["ada"]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"ada",
        b"Bearer",
        b"Bearer ",
        b"Bearer ada bob",
        b"Bearer ada,Bearer bob",
        b"Bearer a\xffda",
        b"Basic YWRhOmFkYQ==",
        b"Bearerada",
        b"Bearer\tada",
    ],
)
async def test_any_other_header_is_refused_without_asking(header: bytes) -> None:
    fake = FakeEnvironment().fake_authenticator
    assert cached_session(header, fake) is None
    with pytest.raises(Unauthenticated, match="must read"):
        await verified_session(header, fake)
    assert fake.asked == []


async def test_a_token_that_nobody_can_verify_is_refused() -> None:
    assert cached_session(b"Bearer ada", None) is None
    with pytest.raises(Unauthenticated, match="no module"):
        await verified_session(b"Bearer ada", None)
