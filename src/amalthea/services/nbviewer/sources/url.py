"""`/url/<host>/<path>` and `/urls/…`: a notebook anywhere on the web, by http and by https.

The query of the original travels as the last part of the path, `/%3Fa%3Db`.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from amalthea.services.nbviewer.errors import Missing
from amalthea.services.nbviewer.fetching.cache import Cache
from amalthea.services.nbviewer.fetching.fetcher import Fetched, Fetcher
from amalthea.services.nbviewer.fetching.index import Copy
from amalthea.services.nbviewer.source import Answer, Asked, Chrome, Crumb, Document, Moved, Origin, Place, is_notebook

_SCHEMES = {"url": "http", "urls": "https"}
_HOST = re.compile(r"[^\s/\\?#@]+")
_QUERY = re.compile(r"(.*)/%3F(.*)", re.IGNORECASE)
_PATH = "/%!$&'()*+,;=:@~"


class _Place(NamedTuple):
    """What a path of ours stands for."""

    scheme: str
    host: str
    path: str
    query: str

    @property
    def url(self) -> str:
        asked = "?" + self.query if self.query else ""
        return f"{self.scheme}://{self.host}/{quote(self.path, safe=_PATH)}{quote(asked, safe='?' + _PATH)}"


class UrlSource:
    """Notebooks by URL."""

    paths = ("/url/{rest:path}", "/urls/{rest:path}")

    def __init__(self, fetcher: Fetcher, cache: Cache) -> None:
        self._fetcher = fetcher
        self._cache = cache

    async def resolve(self, asked: Asked) -> Answer:
        """The notebook; a relative link of a notebook leads on to the original file."""
        place = _place(asked.raw)
        if not is_notebook(place.path) and _comes_from(asked.referer, place):
            return Moved(place.url)

        async def ask(copy: Copy | None) -> Fetched:
            return await self._fetcher.get(
                place.url, etag=copy.etag if copy else "", modified=copy.modified if copy else ""
            )

        held = await self._cache.get(place.url, ask, flush=asked.flush)
        name = unquote(place.path.rpartition("/")[2]) or place.host
        directory = place.path.rpartition("/")[0]
        base = f"{place.host}/{directory}/" if directory else f"{place.host}/"
        prefix = "urls" if place.scheme == "https" else "url"
        return Document(
            chrome=Chrome(
                name=name,
                crumbs=(Crumb(place.host), Crumb(name)),
                origin=Origin(label=place.host, url=place.url),
                place=Place(kind="url", url=place.url, path=name),
                fetched=held.copy.fetched,
                checked=held.copy.checked,
                stale=held.stale,
            ),
            digest=held.copy.digest,
            read=lambda: self._cache.body(held, ask),
            raw_base=f"{place.scheme}://{base}",
            link_base=f"/{prefix}/{base}",
        )


def _place(raw: str) -> _Place:
    """Read a path of ours. Raises `Missing`."""
    prefix, _, rest = raw.lstrip("/").partition("/")
    host, _, path = rest.partition("/")
    host = unquote(host)
    if _HOST.fullmatch(host) is None:
        raise Missing("Behind /url/ stands a host and a path.", where=raw)
    found = _QUERY.fullmatch(path)
    path, query = (found[1], unquote(found[2])) if found else (path, "")
    return _Place(_SCHEMES[prefix], host, path, query)


def _comes_from(referer: str, place: _Place) -> bool:
    """Whether a page of ours that shows something of the same origin links here."""
    prefix = "urls" if place.scheme == "https" else "url"
    return unquote(referer).startswith(f"/{prefix}/{place.host}/")
