"""The paste box: from what people paste to the path of a page. Pure; the first rule that fits wins.

A path is returned as pasted: what is encoded stays encoded, what is not is quoted by `quoted` when it
becomes a `Location`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, urlsplit

GIST_ID = re.compile(r"[0-9]+|[0-9a-f]{20,}")
_NOT_AN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT = "/%!$&'()*+,;=:@~"
_PAGES = r"(?:github|gist|urls?|localfile|format)/\S.*"


class Rule(NamedTuple):
    """A pattern for the whole input, and the path that it becomes."""

    pattern: re.Pattern[str]
    path: str


def quoted(path: str) -> str:
    """`path` as it may stand in a URL: escapes are kept, everything else that is special is escaped."""
    return quote(_NOT_AN_ESCAPE.sub("%25", path), safe=_KEPT)


def _host(url: str) -> str:
    return re.escape(urlsplit(url).netloc)


def rules(*, github_url: str, gist_url: str, own_url: str) -> Sequence[Rule]:
    """The table of a deployment; a GitHub of its own is understood beside github.com."""
    made: list[tuple[str, str]] = [
        (rf"https?://(?:{_host(own_url)}|nbviewer(?:\.jupyter|\.ipython)?\.org)/({_PAGES})", r"/\1"),
        (r"([0-9]+|[0-9a-f]{20,})/?", r"/\1"),
    ]
    made += [
        (rf"https?://{host}/(?:[^/]+/)?([0-9]+|[0-9a-f]{{20,}})/?", r"/\1")
        for host in dict.fromkeys((_host(gist_url), r"gist\.github\.com"))
    ]
    for host in dict.fromkeys((_host(github_url), r"github\.com")):
        made += _github(rf"(?:https?://)?(?:www\.)?{host}")
    raw = r"(?:https?://)?raw\.?github(?:usercontent)?\.com"
    made += [
        (rf"{raw}/([^/]+)/([^/]+)/(?:refs/(?:heads|tags)/)?(.+)", r"/github/\1/\2/blob/\3"),
        (r"([\w-]+)/([\w.-]+)", r"/github/\1/\2/tree/HEAD/"),
        (r"([\w-]+)", r"/github/\1/"),
        (r"http(s?)://www\.dropbox\.com/(sh?)/([^?]+)(?:\?.*)?", r"/url\1/dl.dropbox.com/\2/\3"),
        (r"https://huggingface\.co/(.+?)/blob/([^?]+)(?:\?.*)?", r"/urls/huggingface.co/\1/resolve/\2"),
        (r"http(s?)://([^/]+/.+?/-)/blob/([^?]+)(?:\?.*)?", r"/url\1/\2/raw/\3"),
        (r"http(s?)://(.+)", r"/url\1/\2"),
        (r"(.+)", r"/url/\1"),
    ]
    return tuple(Rule(re.compile(pattern, re.IGNORECASE), path) for pattern, path in made)


def _github(host: str) -> list[tuple[str, str]]:
    repository = r"([^/?]+)/([^/?]+?)"
    return [
        (rf"{host}/{repository}/(?:raw|blob)/(?:refs/(?:heads|tags)/)?([^?]+)(?:\?.*)?", r"/github/\1/\2/blob/\3"),
        (rf"{host}/{repository}/tree/([^?]+)(?:\?.*)?", r"/github/\1/\2/tree/\3"),
        (rf"{host}/{repository}(?:\.git)?/?(?:\?.*)?", r"/github/\1/\2/tree/HEAD/"),
        (rf"{host}/([^/?]+)/?(?:\?.*)?", r"/github/\1/"),
    ]


def rewrite(pasted: str, table: Sequence[Rule]) -> str:
    """The path for what somebody pasted; `/` for nothing at all. A `#fragment` is carried over.

    The query of a plain URL becomes its last path part, as nbviewer's links have it.
    """
    text, mark, fragment = pasted.strip().partition("#")
    for rule in table:
        found = rule.pattern.fullmatch(text)
        if found is not None:
            path = found.expand(rule.path)
            break
    else:
        return "/"
    if path.startswith(("/url/", "/urls/")):
        path, asked, query = path.partition("?")
        path += "/" + quote(asked + query, safe="") if asked and query else ""
    return path + mark + fragment
