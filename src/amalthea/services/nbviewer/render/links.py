r"""Which addresses a notebook may point to, and where its relative ones lead.

Allowed is what is listed; everything else is dropped. An address is judged after the characters are removed that
browsers ignore in addresses (`java\nscript:`), and it is written as it was judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, urljoin

ID_PREFIX = "nb-"  # before every id that comes from a notebook, so that none can stand for one of the page's own
_LONGEST = 4000
_IGNORED = re.compile(r"[\t\n\r]+|^[\x00-\x20]+|[\x00-\x20]+$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_IMAGE_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp|svg\+xml);base64,[A-Za-z0-9+/\s]*={0,2}\s*", re.IGNORECASE)


class Base:
    """Where relative addresses lead, or "" to leave them as they are. `used` tells whether there were any."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.used = False

    @property
    def address(self) -> str:
        """The base itself, from now on used."""
        self.used = True
        return self._address

    def join(self, address: str) -> str | None:
        """The address, or None where it is none."""
        base = self.address
        try:
            return urljoin(base, address) if base else address
        except ValueError:  # such as "//["
            return None


def link(address: str, base: Base) -> str | None:
    """The `href` to write for a link: http, https, mailto, relative to `base`, or to a place in this notebook."""
    address = _IGNORED.sub("", address)
    if _CONTROL.search(address) or len(address) > _LONGEST:
        return None
    if address.startswith("#"):
        return f"#{ID_PREFIX}{address[1:]}" if len(address) > 1 else "#"
    scheme = _SCHEME.match(address)
    if scheme:
        return address if scheme[1].lower() in ("http", "https", "mailto") else None
    return base.join(address)


def image(address: str, base: Base, attachment: Callable[[str], str | None]) -> str | None:
    """The `src` to write for an image: http, https, relative to `base`, a data URI of an image, or an attachment."""
    if address[:5].lower() == "data:":
        return address if _IMAGE_DATA.fullmatch(address) else None
    address = _IGNORED.sub("", address)
    if _CONTROL.search(address) or len(address) > _LONGEST:
        return None
    scheme = _SCHEME.match(address)
    if scheme and scheme[1].lower() == "attachment":
        return attachment(unquote(address.partition(":")[2]))
    if scheme:
        return address if scheme[1].lower() in ("http", "https") else None
    return base.join(address)
