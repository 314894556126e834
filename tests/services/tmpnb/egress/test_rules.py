from __future__ import annotations

import pytest

from amalthea.model.wire import convert
from amalthea.services.tmpnb.egress.rules import Rules, in_turn
from amalthea.services.tmpnb.egress.settings import HOSTS, EgressSettings


def rules(*hosts: str, networks: tuple[str, ...] = ()) -> Rules:
    return Rules(convert({"hosts": hosts, "networks": networks}, EgressSettings))


def test_a_listed_host_is_reached_at_the_usual_ports_alone() -> None:
    some = rules("Git.Example")
    assert some.admits("git.example", 443)
    assert some.admits("git.example", 80)
    assert not some.admits("git.example", 22)
    assert not some.admits("a.git.example", 443)
    assert not some.admits("example", 443)


def test_a_host_with_a_port_is_reached_there_alone() -> None:
    some = rules("git.example:8443")
    assert some.admits("git.example", 8443)
    assert not some.admits("git.example", 443)


@pytest.mark.parametrize("pattern", ["*.git.example", ".git.example"])
def test_a_pattern_covers_the_names_below_and_not_its_own(pattern: str) -> None:
    some = rules(pattern, f"{pattern}:8443")
    for port in (80, 443, 8443):
        assert some.admits("a.git.example", port)
        assert some.admits("a.b.git.example", port)
        assert not some.admits("git.example", port)
        assert not some.admits("agit.example", port)
        assert not some.admits("a.git.example.evil", port)
    assert not some.admits("a.git.example", 22)


def test_with_an_empty_list_nothing_is_reached() -> None:
    assert not any(rules().admits(host, 443) for host in HOSTS if not host.startswith("*"))


def test_every_host_of_the_default_list_is_reached_by_https() -> None:
    some = Rules(EgressSettings())
    assert {"raw.githubusercontent.com", "github.com"} <= set(HOSTS)
    assert all(some.admits(host.replace("*", "any"), 443) for host in HOSTS)


def test_an_address_is_reached_without_a_name_only_in_an_allowed_network() -> None:
    some = rules("10.4.7.2:8081", "10.9.9.9", "140.82.121.4", "[fd00::5]:8443", networks=("10.4.7.0/28", "fd00::/64"))
    assert some.admits("10.4.7.3", 443)
    assert some.admits("10.4.7.2", 8081)
    assert some.admits("fd00::5", 8443)
    assert not some.admits("10.4.7.3", 8081)
    assert not some.admits("10.4.7.16", 443)
    assert not some.admits("10.9.9.9", 443)
    assert not some.admits("140.82.121.4", 443)
    assert not some.admits("::ffff:10.4.7.3", 443)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
     "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%lo", "fd00::1", "fec0::1", "ff02::1",
     "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
     "2002:7f00:1::1", "2002:a9fe:a9fe::1", "::127.0.0.1", "2001::1", "2001:db8::1", "192.0.0.192", "168.63.129.16",
     "nothing"],
)  # fmt: skip
def test_an_address_inside_some_network_is_not_connected_to(address: str) -> None:
    assert not rules().permits(address)
    assert not rules(networks=("10.4.7.0/28",)).permits(address)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192",
     "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "fe80::1", "ff02::1"],
)  # fmt: skip
def test_metadata_and_the_like_stay_closed_whatever_network_is_allowed(address: str) -> None:
    assert not rules(networks=("0.0.0.0/0", "fd00::/8", "fe80::/10")).permits(address)


def test_an_address_of_the_internet_or_of_an_allowed_network_is_connected_to() -> None:
    assert rules().permits("140.82.121.4")
    assert rules().permits("2606:50c0:8000::154")
    assert rules(networks=("10.4.7.0/28",)).permits("10.4.7.15")
    assert not rules(networks=("10.4.7.0/28",)).permits("10.4.7.16")


def test_both_families_of_addresses_are_tried_by_turns() -> None:
    assert in_turn(["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"]) == ["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"]
    assert in_turn([]) == []
