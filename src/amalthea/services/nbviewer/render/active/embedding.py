"""Frames that a notebook itself makes: a page of its own inside, or one somewhere on the web.

A page that the notebook brings along (folium's maps, `srcdoc`, `data:`) becomes the document of our frame. A page on
the web is a link instead: it would be asked for by everybody who reads the notebook, and players of films refuse to
work without an origin.
"""

from __future__ import annotations

import base64
import binascii
import html as entities
import re
from urllib.parse import unquote, urlsplit

from amalthea.services.nbviewer.render import escape, links
from amalthea.services.nbviewer.render.active.document import Document, script
from amalthea.services.nbviewer.render.active.plotly import height

_FRAME = re.compile(r"<iframe\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>(?:[^<]|<(?!iframe))*?</iframe\s*>", re.I)
_AROUND = re.compile(r"</?(?:div|p|center|span|br|html|body)\b[^<>]*>|Make this Notebook Trusted[^<]*|&nbsp;", re.I)
_VALUE = r"\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+))"
_DATA = re.compile(r"data:text/html(?:;charset=[\w-]+)?(;base64)?,(.*)", re.I | re.S)
_FILMS = (
    (re.compile(r"(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]{5,20})"), "https://www.youtube.com/watch?v="),
    (re.compile(r"player\.vimeo\.com/video/(\d{3,15})"), "https://vimeo.com/"),
)
_USUAL = 400
_LONGEST = 20_000


def alone(html: str) -> str | None:
    """The attributes of the only frame in HTML that holds nothing else; None where there is more."""
    found = _FRAME.search(html)
    if found is None or _AROUND.sub("", html[: found.start()] + html[found.end() :]).strip():
        return None
    return found[1]


def inside(attributes: str) -> Document | None:
    """The page that a frame brings along, as a document of its own."""
    body = entities.unescape(_attribute("srcdoc", attributes))
    body = body or _unpacked(_attribute("data-html", attributes))
    found = _DATA.match(_attribute("src", attributes))
    if not body and found:
        body = _unpacked(found[2]) if found[1] else unquote(found[2])
    if not body.strip():
        return None
    own = _attribute("height", attributes).removesuffix("px")
    tall = height(int(own) if own.isdigit() and len(own) < 6 else None, _USUAL)
    return Document(title="Embedded page", body=script("frame") + body, height=tall, whole=True)


def card(html: str, base: links.Base) -> str | None:
    """A link to the page that the only frame in `html` would show; None where it is no such HTML."""
    attributes = alone(html) if len(html) < _LONGEST and "<iframe" in html.lower() else None
    if attributes is None:
        return None
    address = entities.unescape(_attribute("src", attributes))
    for film, shown in _FILMS:
        found = film.search(address)
        if found:
            address = shown + found[1]
    target = links.link(f"https:{address}" if address.startswith("//") else address, base)
    if not target or target.startswith(("#", "mailto:")):
        return None
    host = urlsplit(target).hostname or "the source"
    link = f'<a href="{escape.attribute(target)}" rel="noopener nofollow">{escape.text(_short(target))}</a>'
    return f'<p class="elsewhere">{link} Embedded page, opens at {escape.text(host)}</p>'


def _attribute(name: str, attributes: str) -> str:
    found = re.search(rf"(?:^|[\s\"'/]){name}{_VALUE}", attributes, re.I)
    return next((value for value in found.groups() if value), "") if found else ""


def _unpacked(text: str) -> str:
    """Base64 or percent-encoded, as folium wrote it over the years."""
    if "%" in text or "<" in text:
        return unquote(text)
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _short(address: str) -> str:
    plain = address.partition("://")[2] or address
    return plain if len(plain) <= 60 else f"{plain[:57]}…"
