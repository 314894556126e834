"""`/zenodo/<record>/[file]`: the files of a record at Zenodo, which is what a DOI `10.5281/zenodo.<record>` names."""

from __future__ import annotations

import msgspec

from amalthea.services.nbviewer.errors import Missing
from amalthea.services.nbviewer.fetching.cache import Cache, Held
from amalthea.services.nbviewer.fetching.fetcher import Fetched, Fetcher
from amalthea.services.nbviewer.fetching.index import Copy
from amalthea.services.nbviewer.settings import Settings
from amalthea.services.nbviewer.source import (
    Answer,
    Asked,
    Chrome,
    Crumb,
    Document,
    Entry,
    Listing,
    Moved,
    Origin,
    Place,
    in_order,
    is_notebook,
    join,
)
from amalthea.services.nbviewer.sources.api import Api, encoded, plain
from amalthea.services.nbviewer.sources.repositories import with_slash


class _File(msgspec.Struct, frozen=True):
    key: str


class _About(msgspec.Struct, frozen=True):
    title: str = ""


class _Record(msgspec.Struct, frozen=True):
    id: int
    metadata: _About = _About()
    files: list[_File] = []


class ZenodoSource:
    """The records of one Zenodo."""

    paths = ("/zenodo/{rest:path}",)

    def __init__(self, settings: Settings, *, fetcher: Fetcher, cache: Cache) -> None:
        self._web = settings.zenodo_url.rstrip("/")
        self._fetcher = fetcher
        self._cache = cache
        self._api = Api("Zenodo", cache=cache, ask=plain(fetcher))

    async def resolve(self, asked: Asked) -> Answer:
        """A notebook, the list of a record's files, or a redirect."""
        match asked.parts:
            case ("zenodo", record, *key) if record.isdecimal() and record.isascii():
                if not key:
                    return await self._record(asked, record) if asked.slash else with_slash(asked)
                if asked.slash:
                    return Moved(asked.raw.rstrip("/") + asked.query)
                return await self._file(asked, record, "/".join(key))
        raise Missing("Zenodo paths are /zenodo/record/file.", where=asked.raw)

    async def _record(self, asked: Asked, record: str) -> Answer:
        """A DOI of all versions leads to the newest, whose number is another."""
        url = f"{self._web}/api/records/{record}"
        found, held = await self._api.get(url, kind=_Record, flush=asked.flush)
        if str(found.id) != record:
            return Moved(join("zenodo", str(found.id), "") + asked.query)
        entries = [self._entry(record, file.key) for file in found.files]
        chrome = self._chrome(found.metadata.title or f"Record {record}", record, held=held)
        return Listing(chrome=chrome, entries=in_order(entries), note="" if entries else "Its files are not public.")

    def _entry(self, record: str, key: str) -> Entry:
        if is_notebook(key):
            return Entry(kind="notebook", name=key, href=join("zenodo", record, *key.split("/")))
        return Entry(kind="file", name=key, href=self._raw(record, key))

    async def _file(self, asked: Asked, record: str, key: str) -> Answer:
        if not is_notebook(key):
            return Moved(self._raw(record, key))
        url = f"{self._web}/api/records/{record}/files/{encoded(key)}/content"

        async def ask(copy: Copy | None) -> Fetched:
            return await plain(self._fetcher)(url, copy)

        held = await self._cache.get(url, ask, flush=asked.flush)
        return Document(
            chrome=self._chrome(key.rpartition("/")[2], record, held=held, key=key),
            digest=held.copy.digest,
            read=lambda: self._cache.body(held, ask),
            raw_base=self._raw(record, key).rpartition("/")[0] + "/",
            link_base=join("zenodo", record, ""),
        )

    def _raw(self, record: str, key: str) -> str:
        return f"{self._web}/records/{record}/files/{'/'.join(map(encoded, key.split('/')))}"

    def _chrome(self, name: str, record: str, *, held: Held, key: str = "") -> Chrome:
        crumbs = (Crumb("Zenodo"), Crumb(record, join("zenodo", record, "")), *([Crumb(key)] if key else []))
        return Chrome(
            name=name,
            crumbs=crumbs,
            origin=Origin(label="Zenodo", url=f"{self._web}/records/{record}"),
            place=Place(kind="url", url=self._raw(record, key), path=key) if key else None,
            fetched=held.copy.fetched,
            checked=held.copy.checked,
            stale=held.stale,
        )
