"""Which servers of a kind there are: those that the settings name, and every other one on the internet.

A named server may be inside the network and speak plain http; one that only a visitor names is reached by
https, through the client that judges its addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from amalthea.services.nbviewer.errors import Missing
from amalthea.services.nbviewer.fetching.fetcher import Fetcher

_HOST = re.compile(r"(?!-)[a-z0-9.-]+\.[a-z0-9-]+(?::[0-9]{1,5})?", re.IGNORECASE)


class Server(NamedTuple):
    """A server's URL, with no slash at its end, the client to ask it with, and whether the settings name it."""

    url: str
    fetcher: Fetcher
    named: bool


class Servers:
    """The servers of one kind."""

    def __init__(self, urls: Iterable[str], *, named: Fetcher, others: Fetcher) -> None:
        self._urls = {urlsplit(url).netloc.lower(): url.rstrip("/") for url in urls}
        self._named = named
        self._others = others

    def at(self, host: str) -> Server:
        """The server with that host, or `host:port`. Raises `Missing` for what is no host."""
        known = self._urls.get(host.lower())
        if known is not None:
            return Server(known, self._named, named=True)
        if _HOST.fullmatch(host) is None:
            raise Missing(f"{host!r} is not the name of a server.", where=host)
        return Server(f"https://{host}", self._others, named=False)
