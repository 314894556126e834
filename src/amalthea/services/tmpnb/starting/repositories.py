"""Archives of repositories at forges: the files as they are, without a build."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from urllib.parse import quote

import httpx2
import msgspec

from amalthea.model.clock import Clock
from amalthea.services.tmpnb.errors import BadRepository
from amalthea.services.tmpnb.settings import Settings

_PART = r"[A-Za-z0-9_.-]{1,100}"
_REF = r"[^\s?#]{1,200}"
_GITHUB = re.compile(rf"(?P<kind>gh|gist)/(?P<user>{_PART})/(?P<name>{_PART})(?:/(?P<ref>{_REF}))?")
_GITLAB = re.compile(
    rf"gl/(?:(?P<escaped>{_PART}(?:%2F{_PART})+)/(?P<ref>{_REF})|(?P<path>{_PART}(?:/{_PART})+)/(?P<at>[^/\s?#]{{1,200}}))"
)
_PLAIN = {"accept-encoding": "identity"}
_SECONDS = 30.0
_FRESH = 60.0
_KEPT = 128 << 20


def archive_url(repository: str, settings: Settings) -> str:
    """Where the archive is. Raises `BadRepository` for what no forge would have."""
    odd = {".", ".."} & set(repository.replace("%2F", "/").split("/"))
    if not odd and (found := _GITHUB.fullmatch(repository)):
        ref = quote(found["ref"] or "HEAD")
        owner = "gist" if found["kind"] == "gist" else found["user"]
        return f"{settings.github_url}/{owner}/{found['name']}/zip/{ref}"
    if not odd and (found := _GITLAB.fullmatch(repository)):
        project, ref = (found["escaped"] or found["path"]).replace("%2F", "/"), found["ref"] or found["at"]
        name = quote(f"{project.rpartition('/')[2]}-{ref.replace('/', '-')}")
        return f"{settings.gitlab_url}/{project}/-/archive/{quote(ref, safe='')}/{name}.zip"
    raise BadRepository(
        "No repository is named like this.",
        where=repository[:200],
        hint="Name one as gh/user/repository/branch, gist/user/id, or gl/group/project/branch.",
    )


class _Kept(msgspec.Struct, frozen=True):
    body: bytes
    at: float


class Repositories:
    """Fetches them. A class that starts together fetches an archive once."""

    def __init__(self, settings: Settings, *, client: httpx2.AsyncClient, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[bytes]] = {}

    async def archive(self, repository: str) -> bytes:
        """The zip archive of a repository. Raises `BadRepository`."""
        url = archive_url(repository, self._settings)
        kept = self._kept.get(url)
        if kept is not None and self._clock().timestamp() - kept.at < _FRESH:
            return kept.body
        if url not in self._under_way:
            task = self._under_way[url] = asyncio.create_task(self._fetch(url))
            task.add_done_callback(lambda _: self._under_way.pop(url))
        return await asyncio.shield(self._under_way[url])

    async def _fetch(self, url: str) -> bytes:
        try:
            async with asyncio.timeout(_SECONDS), self._client.stream("GET", url, headers=_PLAIN) as answer:
                if answer.status_code != 200:
                    raise _refused(answer.status_code, url)
                body = await self._read(answer)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise BadRepository("The repository's server does not answer.", where=url) from error
        self._keep(url, body)
        return body

    async def _read(self, answer: httpx2.Response) -> bytes:
        parts, size = list[bytes](), 0
        async for part in answer.aiter_raw():
            parts.append(part)
            size += len(part)
            if size > self._settings.archive_limit:
                raise BadRepository(
                    f"The repository is larger than the {self._settings.archive_limit} that are fetched.",
                    where=str(answer.url),
                )
        return b"".join(parts)

    def _keep(self, url: str, body: bytes) -> None:
        self._kept.pop(url, None)
        self._kept[url] = _Kept(body, self._clock().timestamp())
        while sum(len(kept.body) for kept in self._kept.values()) > _KEPT:
            self._kept.popitem(last=False)


def _refused(status: int, url: str) -> BadRepository:
    if status in (404, 410):
        return BadRepository("There is no such repository, or no such branch in it.", where=url)
    return BadRepository(f"The repository's server does not hand it out (HTTP {status}).", where=url)
