"""`/upload`: a notebook from the visitor's own machine, rendered and forgotten.

The file is read in pieces up to the limit, kept in memory alone, and gone when the answer is sent: it has no address,
no place in a cache and no frames, which would have to be kept for the browser to come back for. Only a page of this
server may send one, so that no other site can make a visitor's browser show something here as if it were theirs.
It counts as new work of the network it comes from, and all that are on their way share a bound in memory and time.
"""

from __future__ import annotations

import asyncio
from typing import Self
from urllib.parse import urlsplit

import msgspec
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from amalthea.model.clock import Clock
from amalthea.services.nbviewer.crowds import RENDER, TOO_HARD, Crowds
from amalthea.services.nbviewer.errors import Busy, SourceError, TooHard
from amalthea.services.nbviewer.pages.answers import problem
from amalthea.services.nbviewer.press.packing import unpack
from amalthea.services.nbviewer.press.work import Job, Kind, Made
from amalthea.services.nbviewer.press.workers import Workers
from amalthea.services.nbviewer.render import NotANotebook, Options
from amalthea.services.nbviewer.source import Chrome, Crumb
from amalthea.web.application import PageError

FIELD = b"notebook"
_AROUND = 64 * 1024  # bytes of headers and boundaries that may stand around the file
_LONGEST_NAME = 200
_AT_ONCE = 4  # files of the largest size that may be on their way
_SECONDS = 60.0


class Upload(msgspec.Struct, frozen=True):
    """A file as it was sent; `name` is without directories."""

    name: str
    body: bytes


class Uploading:
    """Answers with the page of a file that came with the request, of at most `limit` bytes."""

    def __init__(self, workers: Workers, *, limit: int, csp: str, front: str, crowds: Crowds, clock: Clock) -> None:
        self._workers = workers
        self._limit = limit
        self._room = Room(_AT_ONCE * limit)
        self._crowds = crowds
        self._csp = csp
        self._front = front
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """One route: sent to, it shows; visited, it leads to where a file can be chosen."""
        return [Route("/upload", self.upload, methods=["GET", "POST"])]

    async def upload(self, request: Request) -> Response:
        """The page of the notebook that was sent."""
        if request.method != "POST":
            return RedirectResponse(self._front, status_code=303)
        if not _from_here(request):
            raise PageError(403, "Files are taken from this site's own front page only.")
        try:
            self._crowds.charge(RENDER, "render")
            made = await self._shown(request)
        except TooHard as error:
            self._crowds.debit(TOO_HARD)
            raise problem(error, now=self._clock()) from error
        except (SourceError, NotANotebook) as error:
            raise problem(error, now=self._clock()) from error
        headers = {"cache-control": "no-store", "content-security-policy": self._csp}
        return HTMLResponse(await asyncio.to_thread(unpack, made.packed), headers=headers)

    async def _shown(self, request: Request) -> Made:
        """The page, from the first byte of the file to the last of the page."""
        with self._room.part() as part:
            try:
                async with asyncio.timeout(_SECONDS):
                    sent = await uploaded(request, self._limit, part)
            except TimeoutError:
                raise PageError(408, "This file takes too long to arrive.") from None
            chrome = Chrome(name=sent.name, crumbs=(Crumb("A file from your computer"), Crumb(sent.name)))
            job = Job(kind=Kind.HTML, sources=(sent.body,), chrome=chrome, options=Options())
            return await self._workers.make(job, who=self._crowds.who)


class Part:
    """What one request has of a `Room`."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._room.left += self._size

    def take(self, size: int) -> None:
        """Take so many bytes more. Raises `Busy` where there are not as many."""
        if size > self._room.left:
            raise Busy("Too many files are being sent.", hint="Try again in a few seconds.")
        self._room.left -= size
        self._size += size


class Room:
    """A number of bytes that all requests share."""

    def __init__(self, size: int) -> None:
        self.left = size

    def part(self) -> Part:
        """One request's part of it, empty at first; given back at the end of a `with` block."""
        return Part(self)


def _from_here(request: Request) -> bool:
    """Whether a page of this server sent it, as browsers tell: they say so in one header or the other."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    try:
        origin = urlsplit(request.headers.get("origin", "")).netloc
    except ValueError:  # such as "http://["
        return False
    return origin == request.headers.get("host", "") != ""


async def uploaded(request: Request, limit: int, part: Part) -> Upload:
    """The file in a form. Raises `PageError` for what is too large, or no form with a file; `Busy` for want of room."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise PageError(415, "This takes a form with a file.")
    form = _Form(limit)
    parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit + _AROUND:
                raise _too_large(limit)
            part.take(len(chunk))
            parser.write(chunk)
        parser.finalize()
    except MultipartParseError:
        raise PageError(400, "This form is damaged; it may have been cut off on its way.") from None
    return form.upload()


class _Form:
    """What the parser tells of, as far as it belongs to the file."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._header = b""
        self._value = b""
        self._named: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._name: str | None = None

    def callbacks(self) -> dict[str, object]:
        """As the parser wants them."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._field,
            "on_header_value": self._part_of_value,
            "on_header_end": self._end_of_header,
            "on_part_data": self._data,
        }

    def upload(self) -> Upload:
        """The file. Raises `PageError` where there was none."""
        if not self._name or not self._body:
            raise PageError(400, "No file was chosen.", hint="Choose a notebook, a file that ends in .ipynb.")
        return Upload(self._name, bytes(self._body))

    def _begin(self) -> None:
        self._named = {}

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _part_of_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_of_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, self._named = parse_options_header(self._value)
            if self._ours():
                self._name = _plain(self._named[b"filename"])
        self._header = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._ours():
            self._body += data[start:end]
            if len(self._body) > self._limit:
                raise _too_large(self._limit)

    def _ours(self) -> bool:
        return self._named.get(b"name") == FIELD and b"filename" in self._named


def _plain(name: bytes) -> str:
    """A file name without directories and without what cannot be seen."""
    last = name.decode(errors="replace").replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:_LONGEST_NAME] or "notebook.ipynb"


def _too_large(limit: int) -> PageError:
    return PageError(413, f"This file is larger than the {limit >> 20} MiB that this server shows.")
