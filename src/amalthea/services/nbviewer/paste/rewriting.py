"""The paste box: from what people paste to the path of a page. Pure; the first rule that fits wins.

A path is returned as pasted: what is encoded stays encoded, what is not is quoted by `quoted` when it
becomes a `Location`. The rules here are GitHub's and those of any URL; `elsewhere` has the other places.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from amalthea.services.nbviewer.paste import elsewhere
from amalthea.services.nbviewer.paste.elsewhere import Path, Rule
from amalthea.services.nbviewer.settings import Settings

GIST_ID = re.compile(r"[0-9]+|[0-9a-f]{20,}")
_NOT_AN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT = "/%!$&'()*+,;=:@~"
_PAGES = r"(?:github|gist|gitlab|gitea|bitbucket|hf|zenodo|urls?|localfile|format|diff)/\S.*"
_ID = r"[0-9]+|[0-9a-f]{20,}"
_LONGEST = 4096
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FULL = r"(?:refs/(?:heads|tags)/)?"


def quoted(path: str) -> str:
    """`path` as it may stand in a URL: escapes are kept, everything else that is special is escaped."""
    return quote(_NOT_AN_ESCAPE.sub("%25", path), safe=_KEPT)


def rules(settings: Settings, *, own_url: str) -> Sequence[Rule]:
    """The table of a deployment; a GitHub of its own is understood beside github.com.

    `own_url` is where this server is, with the path that all of it lies below.
    """
    own = re.escape(urlsplit(own_url).netloc + urlsplit(own_url).path.rstrip("/"))
    viewers = rf"https?://(?:{own}|nbviewer(?:\.jupyter|\.ipython)?\.org)"
    table: list[tuple[str, Path]] = [
        (rf"{viewers}/({_PAGES})", r"/\1"),
        (rf"{viewers}/((?:{_ID})(?:/.*)?)", r"/\1"),
        (rf"({_ID})/?", r"/\1"),
        *_gists(settings.gist_url),
    ]
    for host in dict.fromkeys((_host(settings.github_url), r"github\.com")):
        table += _github(host)
    table += [
        *_raw_github(),
        *elsewhere.rules(gitlab=settings.gitlab_urls, gitea=settings.gitea_urls),
        (r"([\w-]+)/([\w.-]+)", r"/github/\1/\2/tree/HEAD/"),
        (r"([\w-]+)", r"/github/\1/"),
        (r"http(s?)://(.+)", r"/url\1/\2"),
        (r"(.+)", r"/url/\1"),
    ]
    return tuple(Rule(re.compile(pattern, re.IGNORECASE), path) for pattern, path in table)


def _host(url: str) -> str:
    return re.escape(urlsplit(url).netloc)


def _gists(url: str) -> list[tuple[str, Path]]:
    made: list[tuple[str, Path]] = []
    for host in dict.fromkeys((_host(url), r"gist\.github\.com")):
        made += [
            (rf"(?:https?://)?{host}/(?:[^/]+/)?({_ID})/?(?:\?.*)?", r"/\1"),
            (rf"(?:https?://|git@){host}[/:](?:[^/]+/)?({_ID})\.git", r"/\1"),
        ]
    raw = r"(?:https?://)?gist(?:\.githubusercontent|cdn\.githack|\.githack)\.com"
    made.append((rf"{raw}/([^/]+)/({_ID})/raw/([^/?]+)(?:\?.*)?", r"/gist/\1/\2/\3"))
    return made


def _github(host: str) -> list[tuple[str, Path]]:
    web = rf"(?:https?://)?(?:www\.)?{host}"
    repository = r"([^/?]+)/([^/?]+?)"
    return [
        (rf"(?:git@|ssh://git@){host}[:/]{repository}(?:\.git)?/?", r"/github/\1/\2/tree/HEAD/"),
        (rf"{web}/{repository}/(?:raw|blob|blame|edit)/{_FULL}([^?]+)(?:\?.*)?", r"/github/\1/\2/blob/\3"),
        (rf"{web}/{repository}/tree/{_FULL}([^?]+)(?:\?.*)?", r"/github/\1/\2/tree/\3"),
        (rf"{web}/{repository}(?:\.git)?/?(?:\?.*)?", r"/github/\1/\2/tree/HEAD/"),
        (rf"{web}/([^/?]+)/?(?:\?.*)?", r"/github/\1/"),
    ]


def _raw_github() -> list[tuple[str, Path]]:
    """github.com's files under other names."""
    raw = r"(?:https?://)?raw\.?github(?:usercontent)?\.com"
    dev = r"(?:https?://)?(?:github\.dev|(?:insiders\.)?vscode\.dev/github)"
    return [
        (rf"{raw}/([^/]+)/([^/]+)/{_FULL}([^?]+)(?:\?.*)?", r"/github/\1/\2/blob/\3"),
        (rf"(?:https?://)?raw(?:cdn)?\.githack\.com/([^/]+)/([^/]+)/{_FULL}([^?]+)(?:\?.*)?", r"/github/\1/\2/blob/\3"),
        (r"(?:https?://)?cdn\.jsdelivr\.net/gh/([^/]+)/([^/@]+)@([^?]+)(?:\?.*)?", r"/github/\1/\2/blob/\3"),
        (rf"{dev}/([^/?]+)/([^/?]+)/(blob|tree)/{_FULL}([^?]+)(?:\?.*)?", r"/github/\1/\2/\3/\4"),
        (rf"{dev}/([^/?]+)/([^/?]+)/?(?:\?.*)?", r"/github/\1/\2/tree/HEAD/"),
    ]


def rewrite(pasted: str, table: Sequence[Rule]) -> str:
    """The path for what somebody pasted; `/` for nothing, and for more than any address. A `#fragment` is kept.

    The query of a plain URL becomes its last path part, as nbviewer's links have it.
    """
    text, mark, fragment = pasted.strip().partition("#")
    if len(text) > _LONGEST or _CONTROL.search(text):
        return "/"
    for rule in table:
        path = rule.rewritten(text)
        if path is not None:
            break
    else:
        return "/"
    if path.startswith(("/url/", "/urls/")):
        path, asked, query = path.partition("?")
        path += "/" + quote(asked + query, safe="") if asked and query else ""
    return path + mark + fragment
