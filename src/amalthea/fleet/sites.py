"""Where each site keeps its objects."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from amalthea.model.fleet import Fleet


def store_urls(fleet: Fleet, directory: Path) -> dict[str, str]:
    """Each provider's store as an absolute URL, in the order of the file.

    A provider without one gets `store/<name>` below `directory`, the fleet's state directory, where relative
    `file:` URLs start too.
    """
    return {
        name: _absolute(provider.store or f"file:store/{name}", directory) for name, provider in fleet.providers.items()
    }


def _absolute(url: str, directory: Path) -> str:
    parts = urlsplit(url)
    if parts.scheme != "file":
        return url
    return (directory.absolute() / unquote(parts.netloc + parts.path)).as_uri()
