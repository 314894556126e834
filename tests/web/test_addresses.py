from __future__ import annotations

import pytest

from amalthea.web.addresses import is_odd_number, is_public


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
     "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
     "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1", "2001:db8::1", "not an address",
     "192.0.0.192", "168.63.129.16", "192.88.99.1", "3fff::1", "2002:a83f:8110::1"],
)  # fmt: skip
def test_an_address_inside_some_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["140.82.121.4", "2606:50c0:8000::154", "::ffff:140.82.121.4", "64:ff9b::8c52:7904", "2002:8c52:7904::1"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["0x7f.1", "127.1", "2130706433", "0177.0.0.1", "0x7f000001", "1.2.3", "a.0x1"])
def test_a_number_in_another_form_than_four_decimals_is_odd(host: str) -> None:
    assert is_odd_number(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "example.org", "1and1.com", "0xdeadbeef.example.org", "::1"])
def test_a_name_and_a_plain_address_are_not_odd(host: str) -> None:
    assert not is_odd_number(host)
