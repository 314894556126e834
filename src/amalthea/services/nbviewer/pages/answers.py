"""Answers over HTTP: compressed pages with validators, downloads, and errors as pages."""

from __future__ import annotations

import hashlib
from datetime import datetime
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from amalthea.services.nbviewer.errors import Busy, RateLimited, SourceError, TooOften
from amalthea.services.nbviewer.press.packing import pack_bytes, pieces, unpack
from amalthea.services.nbviewer.press.shelf import Page
from amalthea.services.nbviewer.render import NotANotebook
from amalthea.services.nbviewer.source import Chrome
from amalthea.web.application import STRICT_CSP, PageError
from amalthea.web.encodings import accepted

PAGE_CSP = STRICT_CSP.replace("style-src 'self'", "script-src 'self'; font-src 'self'; style-src 'self'")


def notebook_csp(images: str, content: str = "") -> str:
    """The policy of a notebook's page: beyond any other's, styles inside its tables and images from all over the web.

    `images` is where a repository's images come from, which inside an organisation may be plain http; `content` is
    the origin of frames and raw files.
    """
    urls = (urlsplit(url) for url in (images, content))
    plain = "".join(f" {url.scheme}://{url.netloc}" for url in urls if url.scheme == "http")
    styles = PAGE_CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    images_too = styles.replace("img-src 'self' data:", f"img-src 'self' https: data:{plain}")
    return f"{images_too}; frame-src {content}" if content else images_too


_FILE_CSP = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_LARGE = 2**20
_COME_BACK = 60
_STALE_AGE = 10
_ERROR_AGE = 86400


def packed(text: str) -> Page:
    """A page that is made anew for whoever asks, and small."""
    body = text.encode(errors="replace")
    return Page(etag=f'W/"{hashlib.sha256(body).hexdigest()[:32]}"', packed=pack_bytes(body, quick=True))


def cache_control(chrome: Chrome, *, fresh: int, now: datetime) -> str:
    """How long others may keep a page: as long as this server itself would not ask the source again.

    What no source was asked for lies here; its author expects to see it as it is now.
    """
    if chrome.stale:
        return f"public, max-age={min(_STALE_AGE, fresh)}"
    if chrome.checked is None:
        return "no-cache"
    left = max(1, int(fresh - max(0, (now - chrome.checked).total_seconds()))) if fresh else 0
    return f"public, max-age={left}, stale-while-revalidate={fresh}, stale-if-error={_ERROR_AGE}"


def page_response(request: Request, page: Page, *, cache_control: str, csp: str = PAGE_CSP) -> Response:
    """The page as the visitor's browser takes it, or 304 where it has it already."""
    headers = {
        "cache-control": cache_control,
        "content-security-policy": csp,
        "etag": page.etag,
        "vary": "accept-encoding",
    }
    if _has(request, page.etag):
        return Response(status_code=304, headers=headers)
    encoding = accepted(request.headers.get("accept-encoding", ""))
    if encoding == "identity" and page.packed.size > _LARGE:
        return StreamingResponse(pieces(page.packed), media_type=page.media_type, headers=headers)
    if encoding == "identity":
        return Response(unpacked(page), media_type=page.media_type, headers=headers)
    body = page.packed.brotli if encoding == "br" else page.packed.gzip
    return Response(body, media_type=page.media_type, headers={**headers, "content-encoding": encoding})


def unpacked(page: Page) -> bytes:
    """The bytes of a page."""
    return unpack(page.packed)


def _has(request: Request, etag: str) -> bool:
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return "*" in known or etag.removeprefix("W/") in known


def download(body: bytes, name: str, *, media_type: str = "application/x-ipynb+json") -> Response:
    """A notebook's source, or what was made of it, as a file to keep."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return Response(
        body,
        media_type=media_type,
        headers={
            "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
            "content-security-policy": _FILE_CSP,
            "cache-control": "no-cache",
        },
    )


def file_response(body: bytes, media_type: str) -> Response:
    """A file of a stranger as it is, harmless when it is opened by itself."""
    return Response(
        body,
        media_type=media_type,
        headers={"content-security-policy": _FILE_CSP, "cache-control": "public, max-age=60"},
    )


def problem(error: SourceError | NotANotebook, *, now: datetime) -> PageError:
    """The page for what went wrong."""
    if isinstance(error, NotANotebook):
        return PageError(
            422,
            error.message,
            where=error.where,
            hint=error.hint or "Check that the address leads to the notebook file itself, not to a page about it.",
        )
    headers = {}
    if isinstance(error, RateLimited):
        wait = int((error.until - now).total_seconds()) if error.until else _COME_BACK
        headers["retry-after"] = str(max(1, wait))
    elif isinstance(error, TooOften):
        headers["retry-after"] = str(error.seconds)
    elif isinstance(error, Busy):
        headers["retry-after"] = "5"
    return PageError(error.status, error.message, where=error.where, hint=error.hint, headers=headers)
