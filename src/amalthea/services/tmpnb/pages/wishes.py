"""What somebody asks for, out of forms and paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlencode

from amalthea.services.tmpnb.errors import BadRepository
from amalthea.services.tmpnb.sessions.session import Wish
from amalthea.services.tmpnb.settings import Offer, Settings
from amalthea.services.tmpnb.starting.repositories import archive_url

_OPEN = re.compile(r"(lab|tree|notebooks|files|edit|doc|consoles|terminals|retro|voila)(/[^\\\x00-\x20\x7f]*)?")
_ODD = re.compile(r"(^|/)\.\.?(/|$)|//|[\\\x00-\x1f\x7f]")
_SAFE = "/%:@!$&'()*+,;=-._~"
_OURS = frozenset(("token", "urlpath"))
_LONGEST = 2000
_FIELDS = 20


class Wishes:
    """Makes them, as the settings have it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.offers: Mapping[str, Offer] = {str(number): offer for number, offer in enumerate(settings.offers)}

    def of_offer(self, key: str, *, network: str) -> Wish | None:
        """What the front page offers under a key."""
        offer = self.offers.get(key)
        return None if offer is None else self._made(offer, network=network, open=offer.open)

    def of_link(self, link: str, *, network: str) -> Wish:
        """What a link asks for, as it stands in an address: a path of a notebook server, or `/v2/…` with a repository.

        Raises `BadRepository` for one that is neither.
        """
        path, _, query = link.partition("#")[0].partition("?")
        parts = path.strip("/").split("/", 1)
        rest = parts[1] if len(parts) > 1 else ""
        if parts[0] == "v2":
            return self._of_repository(rest, dict(pairs(query)), network=network)
        page = opened(rest or "lab" if parts[0] == "spawn" else path, query)
        first = self.offers.get("0")
        if first is None:
            return Wish(environment=self._settings.environments[0].name, network=network, open=page)
        return self._made(first, network=network, open=page)

    def _made(self, offer: Offer, *, network: str, open: str) -> Wish:
        return Wish(
            environment=offer.environment or self._settings.environments[0].name,
            network=network,
            open=open,
            repository=offer.repository,
            directory=offer.directory,
        )

    def _of_repository(self, spec: str, query: Mapping[str, str], *, network: str) -> Wish:
        repository = named(spec)
        archive_url(repository, self._settings)  # which raises for what no forge would have
        page = query.get("urlpath") or _below("lab/tree", query.get("labpath")) or _below("tree", query.get("filepath"))
        inside, _, own_query = (page or "lab").partition("?")
        return Wish(
            environment=self._settings.environments[0].name,
            network=network,
            open=opened(inside, own_query),
            repository=repository,
        )


def opened(path: str, query: str) -> str:
    """A page of a notebook server, as it stands in an address. Raises `BadRepository` for any other.

    Browsers read `%2e` as a dot: a page that leads elsewhere would take the token there.
    """
    clean = quote(path.strip("/") or "lab", safe=_SAFE, errors="replace")
    said = urlencode([pair for pair in pairs(query) if pair[0] not in _OURS], quote_via=quote, errors="replace")
    if len(clean) + len(said) > _LONGEST or not _OPEN.fullmatch(clean) or _ODD.search(unquote(clean, "latin-1")):
        raise BadRepository(
            "A notebook server has no such page.",
            where=path[:200],
            hint="Links begin with /lab, /tree, /notebooks, /files or /v2.",
        )
    return clean + (f"?{said}" if said else "")


def passed(page: str) -> str:
    """A page of a session, with its query, as it came in an address; "" where it leads elsewhere."""
    path, _, query = page.partition("#")[0].partition("?")
    clean = quote(path.lstrip("/"), safe=_SAFE, errors="replace")
    if _ODD.search(unquote(path, "latin-1")) or _ODD.search(unquote(clean, "latin-1")):
        return ""
    return clean + (f"?{query}" if query and quote(query, safe=_SAFE + "?") == query else "")


def pairs(query: str) -> list[tuple[str, str]]:
    """What stands behind the question mark of a link. Raises `BadRepository` for far too much."""
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        raise BadRepository("There is too much behind the question mark of this link.") from None


def named(spec: str) -> str:
    """A repository as Binder's links name it: GitLab's with its slashes escaped, so that those of a branch are none."""
    kind, _, rest = unquote(spec.strip("/")).partition("/")
    first, _, ref = spec.strip("/").removeprefix(f"{kind}/").partition("/")
    if kind == "gl" and "%2f" in first.lower():
        return f"{kind}/{quote(unquote(first), safe='')}/{unquote(ref)}"
    return f"{kind}/{rest}/HEAD" if kind == "gh" and rest.count("/") == 1 else f"{kind}/{rest}"


def _below(root: str, path: str | None) -> str:
    return f"{root}/{quote(path.lstrip('/'), errors='replace')}" if path else ""
