"""Which network a visitor belongs to."""

from __future__ import annotations

import pytest

from amalthea.model.errors import UsageError
from amalthea.web.visitors import Visitors

PROXIES = ("127.0.0.0/8", "::1/128", "10.4.0.0/16")


def network(client: str, *forwarded: str) -> str:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return Visitors(PROXIES, where="trusted_proxies").network(
        {"type": "http", "client": (client, 1), "headers": headers}
    )


@pytest.mark.parametrize(
    ("client", "forwarded", "counted"),
    [
        ("198.51.100.7", (), "198.51.100.0/24"),
        ("2001:db8:1:2ff::1", (), "2001:db8:1:200::/56"),
        ("::ffff:198.51.100.7", (), "198.51.100.0/24"),
        ("198.51.100.7", ("203.0.113.5",), "198.51.100.0/24"),
        ("127.0.0.1", ("203.0.113.5",), "203.0.113.0/24"),
        ("127.0.0.1", ("192.0.2.1, 203.0.113.5",), "203.0.113.0/24"),
        ("127.0.0.1", ("192.0.2.1", "203.0.113.5"), "203.0.113.0/24"),
        ("127.0.0.1", ("203.0.113.5, 10.4.9.9",), "203.0.113.0/24"),
        ("127.0.0.1", ("203.0.113.5:4711",), "203.0.113.0/24"),
        ("127.0.0.1", ("[2001:db8::1]:4711",), "2001:db8::/56"),
        ("127.0.0.1", ("unknown",), ""),
        ("127.0.0.1", ("203.0.113.5, unknown",), ""),
        ("127.0.0.1", (), ""),
    ],
)
def test_a_request_is_counted_for_the_network_it_comes_from(
    client: str, forwarded: tuple[str, ...], counted: str
) -> None:
    assert network(client, *forwarded) == counted


def test_a_proxy_that_is_no_network_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match="host bits"):
        Visitors(["10.4.0.1/16"], where="services.nbviewer.trusted_proxies")
