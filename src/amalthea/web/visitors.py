"""Which network a request comes from: visitors are counted by that, never by what they say of themselves.

An address from a header is believed only where the connection comes from a proxy that is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

from amalthea.model.errors import UsageError

Address = IPv4Address | IPv6Address
_NAT64 = IPv6Network("64:ff9b::/96")


class Visitors:
    """`proxies` are networks whose `X-Forwarded-For` counts. Raises `UsageError` for one that is none.

    `where` is the key path of the setting that lists them.
    """

    def __init__(self, proxies: Sequence[str], *, where: str) -> None:
        try:
            self._proxies = tuple(ip_network(proxy) for proxy in proxies)
        except ValueError as error:
            hint = "Write networks as 10.4.0.0/16, or one address as 10.4.0.7/32."
            raise UsageError(str(error), where=where, hint=hint) from None

    def address(self, scope: Scope) -> Address | None:
        """The last address on a request's way that is not a known proxy's; None where there is none."""
        client = scope.get("client")
        way = [client[0]] if client else []
        for line in Headers(scope=scope).getlist("x-forwarded-for")[::-1]:
            way += [part.strip() for part in line.split(",")][::-1]
        for text in way:
            address = parsed(text)
            if address is None:
                break
            if not any(address in proxy for proxy in self._proxies):
                return address
        return None

    def network(self, scope: Scope) -> str:
        """The network of that address: /24 of IPv4, /56 of IPv6.

        Empty where there is none: one that nobody knows is not counted together with all others that nobody knows.
        """
        address = self.address(scope)
        if address is None:
            return ""
        return str(ip_network((address, 24 if address.version == 4 else 56), strict=False))


def parsed(text: str) -> Address | None:
    """An address, with IPv4 inside IPv6 unwrapped; proxies may write it with a port."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address
    return address
