"""What somebody asks for, out of forms and paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from amalthea.services.tmpnb.errors import BadRepository
from amalthea.services.tmpnb.sessions.session import Wish
from amalthea.services.tmpnb.settings import Offer, Settings

_OPEN = re.compile(r"(lab|tree|notebooks|files|edit|doc|consoles|terminals|retro|voila)(/[^\\\x00-\x20\x7f]*)?")
_LONGEST = 2000


class Wishes:
    """Makes them, as the settings have it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.offers: Mapping[str, Offer] = {str(number): offer for number, offer in enumerate(settings.offers)}

    def of_offer(self, key: str, *, network: str) -> Wish | None:
        """What the front page offers under a key."""
        offer = self.offers.get(key)
        return None if offer is None else self._made(offer, network=network, open=offer.open)

    def of_path(self, path: str, query: Mapping[str, str], *, network: str) -> Wish:
        """What a deep link asks for: a path of a notebook server, or `/v2/…` with a repository.

        Raises `BadRepository` for a path that is neither.
        """
        parts = path.strip("/").split("/", 1)
        if parts[0] == "v2":
            return self._of_repository(parts[1] if len(parts) > 1 else "", query, network=network)
        page = opened(path, query)
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
        kind, _, rest = spec.strip("/").partition("/")
        if kind == "gh" and rest.count("/") == 1:
            rest += "/HEAD"
        page = query.get("urlpath") or _below("lab/tree", query.get("labpath")) or _below("tree", query.get("filepath"))
        return Wish(
            environment=self._settings.environments[0].name,
            network=network,
            open=opened(page or "lab", {}),
            repository=f"{kind}/{rest}",
        )


def opened(path: str, query: Mapping[str, str]) -> str:
    """A path of a notebook server, as it stands in an address. Raises `BadRepository` for any other."""
    asked = path.strip("/").removeprefix("spawn").strip("/") or "lab"
    inside, _, own_query = asked.partition("?")
    clean = quote(inside, safe="/%:@!$&'()*+,;=-._~")
    if len(clean) > _LONGEST or ".." in clean.split("/") or "//" in clean or not _OPEN.fullmatch(clean):
        raise BadRepository(
            "A notebook server has no such page.",
            where=path[:200],
            hint="Links begin with /lab, /tree, /notebooks, /files or /v2.",
        )
    kept = "&".join(f"{quote(k)}={quote(v)}" for k, v in query.items() if k not in ("token", "urlpath"))
    said = "&".join(filter(None, (own_query if re.fullmatch(r"[\w=&%.,+/-]{0,500}", own_query) else "", kept)))
    return clean + (f"?{said}" if said else "")


def _below(root: str, path: str | None) -> str:
    return f"{root}/{path.lstrip('/')}" if path else ""
