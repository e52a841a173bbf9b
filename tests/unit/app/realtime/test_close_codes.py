import pytest

from app.realtime.close_codes import CloseCode, Comeback


@pytest.mark.parametrize("code", CloseCode)
def test_a_reason_fits_into_a_close_frame(code: CloseCode) -> None:
    assert 0 < len(code.reason.encode()) <= 123  # RFC 6455: 125 bytes with the code


@pytest.mark.parametrize(
    ("number", "comeback"),
    [
        (1000, Comeback.NO),
        (1001, Comeback.WITH_JITTER),
        (1009, Comeback.NO),
        (1012, Comeback.WITH_JITTER),
        (4013, Comeback.AT_ONCE),
        (4400, Comeback.NO),
        (4401, Comeback.AFTER_SIGN_IN),
        (4403, Comeback.NO),
        (4408, Comeback.WITH_BACKOFF),
        (4429, Comeback.WITH_BACKOFF),
    ],
)
def test_the_codes_of_the_contract_say_whether_to_come_back(number: int, comeback: Comeback) -> None:
    code = {int(code): code for code in CloseCode}[number]
    assert code.comeback is comeback
    assert code.comeback.value.endswith(".")
