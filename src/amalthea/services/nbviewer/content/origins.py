"""The two origins of nbviewer: the one of its pages, and the one of what strangers wrote.

A browser keeps origins apart, so the second is always another host. It is `content.<domain>` where the domain can
have such a name, or what `content_url` says. Where there is neither, nothing of a notebook runs.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import msgspec

from amalthea.model.errors import UsageError
from amalthea.model.fleet import Names
from amalthea.services.nbviewer.hub.gate import HubPlace
from amalthea.web.hosts import bare


class Origins(msgspec.Struct, frozen=True, kw_only=True):
    """Scheme, host and port of each, as browsers write them.

    own:       where nbviewer is, as far as its names tell
    content:   where frames and raw files are; empty when there is no such place
    frameable: the origins whose pages may show frames; empty when it is not known what nbviewer is called
    """

    own: str
    content: str = ""
    frameable: tuple[str, ...] = ()

    @property
    def content_host(self) -> str:
        """The name of the content origin as it is compared, without a port."""
        return bare(urlsplit(self.content).netloc)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of both, which this server does not fetch from."""
        return tuple(bare(urlsplit(url).netloc) for url in (self.own, self.content) if url)


def origins(names: Names, content_url: str = "", *, hub: HubPlace | None = None) -> Origins:
    """The origins under a fleet's names, or below a JupyterHub. Raises `UsageError` when both would be on one host."""
    if hub is not None:
        own = "://".join(urlsplit(hub.public_url)[:2]) if hub.public_url else ""
        return _apart(Origins(own=own, content=content_url.rstrip("/"), frameable=(own,) if own else ()))
    named = not _is_address(names.domain)
    content = content_url.rstrip("/") or (names.url("content") if named else "")
    made = _apart(Origins(own=names.url("nbviewer"), content=content, frameable=_frameable(names) if named else ()))
    if names.domain == "localhost" and content_url:
        # It stands behind a public name that only whoever put it there knows.
        return msgspec.structs.replace(made, frameable=())
    return made


def _apart(made: Origins) -> Origins:
    if made.content and made.content_host in {bare(urlsplit(url).netloc) for url in (made.own, *made.frameable)}:
        raise UsageError(
            "what notebooks run needs a host of its own, and this one is nbviewer's",
            where=f"services.nbviewer.content_url = {made.content!r}",
            hint="Give the same machine a second name, such as content.example.org, and write that.",
        )
    return made


def _frameable(names: Names) -> tuple[str, ...]:
    """Where pages of nbviewer may be: under its own name, or at the domain itself when it runs alone."""
    here = ("127.0.0.1", "[::1]") if names.domain == "localhost" else ()
    alone = (names.home.replace("//localhost", f"//{address}") for address in here)
    return (names.url("nbviewer"), names.home, *alone)


def _is_address(domain: str) -> bool:
    """Whether it is an IP address, below which there are no names."""
    try:
        ipaddress.ip_address(domain.strip("[]"))
    except ValueError:
        return False
    return True
