"""A DNS server on loopback, and a look-up that asks it: names whose answers a test decides, and changes.

It speaks DNS over UDP with dnspython's messages. A name has answers that are given in turn, the last one for
ever; each is the addresses, IPv4 and IPv6 as they come, or the one name that it is an alias of.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import cast

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

Answer = Sequence[str]


class NameServer(asyncio.DatagramProtocol):
    """The server. `asked` counts the look-ups of each name by kind of record."""

    def __init__(self) -> None:
        self.names: dict[str, list[Answer]] = {}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(self._response(dns.message.from_wire(data)).to_wire(), addr)

    def _response(self, query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        host = name.to_text(omit_final_dot=True)
        if host not in self.names:
            response.set_rcode(dns.rcode.NXDOMAIN)
        while host in self.names:
            self.asked[host, kind] += 1
            answers = self.names[host]
            answer = answers[min(self.asked[host, kind], len(answers)) - 1]
            if len(answer) == 1 and not _is_address(answer[0]):
                response.answer.append(dns.rrset.from_text(f"{host}.", 0, "IN", "CNAME", f"{answer[0]}."))
                host = answer[0]
                continue
            found = [address for address in answer if (":" in address) == (kind == "AAAA")]
            if found:
                response.answer.append(dns.rrset.from_text(f"{host}.", 0, "IN", kind, *found))
            break
        return response

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """All addresses of a host, as this server has them just now; raises `OSError` when it has none."""
        if _is_address(host):
            return [host]
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], self.port, 2
        try:
            answers = await resolver.resolve_name(host)
        except dns.exception.DNSException as error:
            raise OSError(f"{host} has no address") from error
        return list(answers.addresses())


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """The server on a free port of loopback, until the block ends."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    server.port = transport.get_extra_info("sockname")[1]
    try:
        yield server
    finally:
        transport.close()
