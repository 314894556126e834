"""The paste box's rules for everything that is not GitHub: forges, archives, drives, buckets and launchers.

Forges and archives have pages of their own here, with listings. A drive or a bucket is a URL like any other
once its address is one that gives the file itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

Path = str | Callable[[re.Match[str]], str]
"""The path that a match becomes: a template, or a function that makes it."""

_WEB = r"(?:https?://)?(?:www\.)?"
_QUERY = r"(?:\?(.*))?"
_DROPPED = r"(?:\?.*)?"


class Rule(NamedTuple):
    """A pattern for the whole input, and the path that it becomes."""

    pattern: re.Pattern[str]
    path: Path

    def rewritten(self, text: str) -> str | None:
        """The path, or None where the rule does not fit."""
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        return found.expand(self.path) if isinstance(self.path, str) else self.path(found)


def rules(*, gitlab: Iterable[str], gitea: Iterable[str]) -> list[tuple[str, Path]]:
    """Patterns and paths. `gitlab` and `gitea` are the URLs of those known by their host."""
    return [
        *_gitlab(gitlab),
        *_gitea(gitea),
        *_bitbucket(),
        *_huggingface(),
        *_zenodo(),
        *_drives(),
        *_buckets(),
        *_launchers(),
    ]


def _hosts(urls: Iterable[str]) -> str:
    return "|".join(re.escape(urlsplit(url).netloc) for url in urls) or r"(?!)"


def _gitlab(urls: Iterable[str]) -> list[tuple[str, Path]]:
    """A `/-/` before blob, raw or tree is GitLab's and nobody else's, on whichever host."""
    hosts = _hosts(urls)
    full = r"(?:refs/(?:heads|tags)/)?"
    return [
        (rf"https://([^/?]+)/([^?]+?)/-/(?:blob|raw|blame|edit)/{full}([^?]+){_DROPPED}", r"/gitlab/\1/\2/-/blob/\3"),
        (rf"https://([^/?]+)/([^?]+?)/-/tree/{full}([^?]+?)/?{_DROPPED}", r"/gitlab/\1/\2/-/tree/\3/"),
        (rf"https?://({hosts})/([^?]+?)/-/(?:blob|raw|blame|edit)/{full}([^?]+){_DROPPED}", r"/gitlab/\1/\2/-/blob/\3"),
        (rf"https?://({hosts})/([^?]+?)/-/tree/{full}([^?]+?)/?{_DROPPED}", r"/gitlab/\1/\2/-/tree/\3/"),
        (rf"(?:https?://|git@|ssh://git@)({hosts})[/:]([^?]+?)\.git/?", r"/gitlab/\1/\2/"),
        (r"http://([^/]+/.+?/-)/blob/([^?]+)(?:\?.*)?", r"/url/\1/raw/\2"),
        (rf"(?:https?://)?({hosts})/([^/?]+(?:/[^/?-][^/?]*)*)/?{_DROPPED}", r"/gitlab/\1/\2/"),
    ]


def _gitea(urls: Iterable[str]) -> list[tuple[str, Path]]:
    """`src/branch/` and its like are Gitea's, on whichever host."""
    hosts, repository = _hosts(urls), r"([^/?]+)/([^/?]+)"
    kinds = r"(?:branch|tag|commit)"
    return [
        (
            rf"https://([^/?]+)/{repository}/(?:src|raw|media)/{kinds}/([^?]+?\.ipynb){_DROPPED}",
            r"/gitea/\1/\2/\3/blob/\4",
        ),
        (rf"https://([^/?]+)/{repository}/src/{kinds}/([^?]+?)/?{_DROPPED}", r"/gitea/\1/\2/\3/tree/\4/"),
        (
            rf"https?://({hosts})/{repository}/(?:src|raw|media)/{kinds}/([^?]+?\.ipynb){_DROPPED}",
            r"/gitea/\1/\2/\3/blob/\4",
        ),
        (rf"https?://({hosts})/{repository}/src/{kinds}/([^?]+?)/?{_DROPPED}", r"/gitea/\1/\2/\3/tree/\4/"),
        (rf"(?:https?://|git@|ssh://git@)({hosts})[/:]{repository}\.git/?", r"/gitea/\1/\2/\3/tree/HEAD/"),
        (rf"(?:https?://)?({hosts})/{repository}/?{_DROPPED}", r"/gitea/\1/\2/\3/tree/HEAD/"),
        (rf"(?:https?://)?({hosts})/([^/?]+)/?{_DROPPED}", r"/gitea/\1/\2/"),
    ]


def _bitbucket() -> list[tuple[str, Path]]:
    web, repository = rf"{_WEB}bitbucket\.org", r"([^/?]+)/([^/?]+)"
    return [
        (rf"{web}/{repository}/(?:src|raw)/([^?]+?\.ipynb){_DROPPED}", r"/bitbucket/\1/\2/blob/\3"),
        (rf"{web}/{repository}/src/([^?]+?)/?{_DROPPED}", r"/bitbucket/\1/\2/tree/\3/"),
        (
            r"(?:https://(?:[^/@]+@)?|git@|ssh://git@)bitbucket\.org[/:]([^/?]+)/([^/?]+)\.git",
            r"/bitbucket/\1/\2/tree/HEAD/",
        ),
        (rf"{web}/{repository}/?(?:src/?)?{_DROPPED}", r"/bitbucket/\1/\2/tree/HEAD/"),
        (rf"{web}/([^/?]+)/?{_DROPPED}", r"/bitbucket/\1/"),
    ]


def _huggingface() -> list[tuple[str, Path]]:
    """A file is the URL that nbviewer's links have; what can be listed has pages of its own."""
    web, kind = rf"{_WEB}(?:huggingface\.co|hf\.co)", r"((?:datasets/|spaces/)?)"
    return [
        (rf"{web}/(.+?)/(?:blob|resolve|raw)/([^?]+?\.ipynb){_DROPPED}", r"/urls/huggingface.co/\1/resolve/\2"),
        (r"https://huggingface\.co/(.+?)/blob/([^?]+)(?:\?.*)?", r"/urls/huggingface.co/\1/resolve/\2"),
        (rf"{web}/{kind}([^/?]+)/([^/?]+)/tree/([^?]+?)/?{_DROPPED}", r"/hf/\1\2/\3/tree/\4/"),
        (rf"{web}/{kind}(?!datasets|spaces|papers|docs|blog|collections)([^/?]+)/([^/?]+)/?{_DROPPED}",
         r"/hf/\1\2/\3/tree/main/"),
        (rf"{web}/{kind}(?!datasets|spaces|papers|docs|blog|models)([^/?]+)/?{_DROPPED}", r"/hf/\1\2/"),
    ]  # fmt: skip


def _zenodo() -> list[tuple[str, Path]]:
    doi = r"10\.5281/zenodo\.([0-9]+)"
    web = rf"{_WEB}zenodo\.org"
    return [
        (
            rf"(?:doi:\s*|(?:https?://)?(?:dx\.)?doi\.org/|{web}/(?:doi/|badge/latestdoi/))?{doi}/?{_DROPPED}",
            r"/zenodo/\1/",
        ),
        (rf"{web}/(?:api/)?records?/([0-9]+)/files/([^?]+?)(?:/content)?{_DROPPED}", r"/zenodo/\1/\2"),
        (rf"{web}/records?/([0-9]+)/preview/([^?]+){_DROPPED}", r"/zenodo/\1/\2"),
        (rf"{web}/records?/([0-9]+)/?{_DROPPED}", r"/zenodo/\1/"),
    ]


def _drives() -> list[tuple[str, Path]]:
    google = r"https?://(?:drive|docs)\.google\.com"
    colab = r"https?://colab\.research\.google\.com"
    return [
        (r"http(s?)://www\.dropbox\.com/(sh?)/([^?]+)(?:\?.*)?", r"/url\1/dl.dropbox.com/\2/\3"),
        (r"https?://www\.dropbox\.com/(scl/fi/[^?]+)\?(.*)", _dropbox),
        (rf"{google}/(?:a/[^/]+/)?file/(?:u/[0-9]+/)?d/([\w-]+)(?:/.*)?{_DROPPED}", _google),
        (rf"{google}/(?:open|uc)\?(?:.*&)?id=([\w-]+)(?:&.*)?", _google),
        (rf"{colab}/drive/([\w-]+){_DROPPED}", _google),
        (rf"{colab}/github/([^/]+)/([^/]+)/blob/([^?]+){_DROPPED}", r"/github/\1/\2/blob/\3"),
        (rf"{colab}/gist/([^/]+)/([0-9a-f]+)(/[^?]+)?{_DROPPED}",
         lambda found: f"/gist/{found[1]}/{found[2]}{(found[3] or '').rstrip('/')}"),
    ]  # fmt: skip


def _dropbox(found: re.Match[str]) -> str:
    """The key of a shared link goes along; what opens Dropbox's own page does not."""
    key = parse_qs(found[2]).get("rlkey", [""])[0]
    return f"/urls/dl.dropboxusercontent.com/{found[1]}" + (f"?rlkey={quote(key, safe='')}" if key else "")


def _google(found: re.Match[str]) -> str:
    return f"/urls/drive.usercontent.google.com/download?id={found[1]}&export=download"


def _buckets() -> list[tuple[str, Path]]:
    cloud = r"https?://(?:console\.cloud\.google\.com/storage/browser/(?:_details/)?|storage\.cloud\.google\.com/)"
    return [
        (r"s3a?://([^/]+)/(.+)", lambda found: f"/urls/{_s3(found[1])}/{found[2]}"),
        (r"https?://(?:[\w-]+\.)?(?:s3\.)?console\.aws\.amazon\.com/s3/object/([^?]+)\?(.*)", _s3_console),
        (r"gs://([^/]+)/(.+)", r"/urls/storage.googleapis.com/\1/\2"),
        (rf"{cloud}([^/;?]+)/([^;?]+)(?:;.*)?{_DROPPED}", r"/urls/storage.googleapis.com/\1/\2"),
    ]


def _s3(bucket: str) -> str:
    """A bucket with a dot in its name has no certificate of its own."""
    return f"s3.amazonaws.com/{bucket}" if "." in bucket else f"{bucket}.s3.amazonaws.com"


def _s3_console(found: re.Match[str]) -> str:
    key = parse_qs(found[2]).get("prefix", [""])[0]
    return f"/urls/{_s3(found[1])}/{quote(key, safe='/')}"


def _launchers() -> list[tuple[str, Path]]:
    """A Binder link names the repository, and perhaps the notebook in it."""
    binder = r"https?://(?=[^/]*binder)[^/]*(?:/services/binder)?/v2"
    return [
        (rf"{binder}/gh/([^/]+)/([^/]+)/([^/?]+)/?{_QUERY}", lambda m: _binder(f"/github/{m[1]}/{m[2]}", m[3], m[4])),
        (rf"{binder}/gist/([^/]+)/([0-9a-f]+)(?:/[^/?]+)?/?{_QUERY}", _binder_gist),
        (rf"{binder}/gl/([^/]+)/([^/?]+)/?{_QUERY}",
         lambda m: _binder(f"/gitlab/gitlab.com/{unquote(m[1])}/-", m[2], m[3])),
        (rf"{binder}/zenodo/10\.5281/zenodo\.([0-9]+)/?{_QUERY}",
         lambda m: f"/zenodo/{m[1]}/{_opened(m[2])}"),
    ]  # fmt: skip


def _binder(repository: str, ref: str, query: str | None) -> str:
    path = _opened(query)
    return f"{repository}/blob/{ref}/{path}" if path.endswith(".ipynb") else f"{repository}/tree/{ref}/{path}"


def _binder_gist(found: re.Match[str]) -> str:
    path = _opened(found[3])
    return f"/gist/{found[1]}/{found[2]}" + (f"/{path}" if path else "")


def _opened(query: str | None) -> str:
    """What a Binder link opens, encoded; empty for the top."""
    asked = parse_qs(query or "")
    for name in ("filepath", "labpath", "urlpath"):
        if name in asked:
            path = (
                re.sub(r"^/?(?:lab/|doc/|retro/)?(?:tree|notebooks)/", "", asked[name][0])
                if name == "urlpath"
                else asked[name][0]
            )
            return quote(path.strip("/"), safe="/")
    return ""
