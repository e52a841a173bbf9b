import pytest

from services.auth_token.device import Device


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
        (None, ""),
    ],
)
def test_failures_count_by_address_and_by_the_network_of_an_ipv6_subscriber(
    address: str | None, network: str
) -> None:
    assert Device(address, None).network == network


def test_what_is_stored_is_cut_to_what_the_columns_hold() -> None:
    device = Device("a" * 100, "u\0" * 300)

    assert device.stored_address == "a" * 64
    assert device.stored_user_agent == "u" * 255


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_is_not_known_is_not_stored(nothing: str | None) -> None:
    device = Device(nothing, nothing)

    assert (device.stored_address, device.stored_user_agent) == (None, None)
